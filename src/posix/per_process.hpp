// One object of a kind for each process: a forked child gets a fresh one, because the locks of its parent's may be held
// by threads that the child does not have.
#ifndef TANDEM_POSIX_PER_PROCESS_HPP
#define TANDEM_POSIX_PER_PROCESS_HPP

#include "posix/fork_watch.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace tandem::posix {

/// Made when first asked for, and never destroyed: threads and static objects may outlive main. With static storage.
template <class T>
class per_process {
 public:
  constexpr per_process() noexcept = default;

  /// The object of this process. Thread-safe. @throws std::bad_alloc, and what T's constructor throws
  [[nodiscard]] T& get() {
    if (T* mine = existing()) return *mine;
    watch_forks();
    auto fresh = std::make_unique<entry>();
    entry* found = entry_.load(std::memory_order_acquire);
    do {
      if (found != nullptr && found->generation == fork_generation()) return found->object;
      fresh->parents = found;  // findable, so that leak checkers see no leak
    } while (!entry_.compare_exchange_weak(found, fresh.get(), std::memory_order_acq_rel,
                                           std::memory_order_acquire));
    return fresh.release()->object;
  }

  /// The object of this process if it has been made, or null.
  [[nodiscard]] T* existing() const noexcept {
    entry* found = entry_.load(std::memory_order_acquire);
    return found != nullptr && found->generation == fork_generation() ? &found->object : nullptr;
  }

 private:
  struct entry {
    const std::uint32_t generation = fork_generation();
    entry* parents = nullptr;
    T object;
  };
  std::atomic<entry*> entry_{nullptr};
};

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_PER_PROCESS_HPP
