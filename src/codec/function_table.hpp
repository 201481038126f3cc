// The modules of this process, numbered for others.
//
// Owns the numbering: a module keeps its number for as long as the process lives, also after dlclose. Must
// not know of peers.
#ifndef TANDEM_CODEC_FUNCTION_TABLE_HPP
#define TANDEM_CODEC_FUNCTION_TABLE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "posix/elf.hpp"

namespace tandem::detail {

class module_table {
 public:
  /// The one of this process. Never destroyed.
  static module_table& here();

  struct place {
    const posix::loaded_module* module = nullptr;  ///< Lives forever.
    std::uint32_t index = 0;
  };

  /// Returns the module whose code contains `address`; a null one if none does.
  [[nodiscard]] place find_code(std::uintptr_t address);

  /// Returns the loaded module that is the same as `wanted`, which another process described; null if none
  /// is.
  [[nodiscard]] const posix::loaded_module* find_same(const posix::loaded_module& wanted);

  /// Returns a module by its number; null if there is none yet.
  [[nodiscard]] const posix::loaded_module* at(std::uint32_t index) const;

  /// Copies of all modules, by number.
  [[nodiscard]] std::vector<posix::loaded_module> all();
  [[nodiscard]] std::size_t size();

  /// Something was unloaded: what is known of addresses may be wrong.
  void forget_addresses() noexcept;

  /// Differs from what it was before, if what find_code() has said since then may be wrong.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    return generation_.load(std::memory_order_acquire);
  }

 private:
  struct code_range {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::uint32_t index;
  };

  [[nodiscard]] place find_known(std::uintptr_t address) const;  // mutex_ is held
  void scan();                                                   // mutex_ is held exclusively
  void change_addresses() noexcept;                              // likewise

  mutable std::shared_mutex mutex_;  // guards all below
  std::deque<posix::loaded_module> modules_;
  std::vector<code_range> code_;              // of the modules loaded at the last scan, ascending
  std::atomic<std::uint64_t> generation_{1};  // of code_; written under mutex_, read without
};

}  // namespace tandem::detail

#endif  // TANDEM_CODEC_FUNCTION_TABLE_HPP
