// A memfd that can neither be written nor resized any more, mapped: what a shared_buffer holds. Owns telling those who
// have sent it to other processes when its last handle in this one is gone.
#ifndef TANDEM_CODEC_SEALED_MEMORY_HPP
#define TANDEM_CODEC_SEALED_MEMORY_HPP

#include "posix/memfd.hpp"
#include "posix/unique_fd.hpp"

#include <tandem/detail/codec_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace tandem::detail {

class sealed_memory final : public shared_memory {
 public:
  /// Who wants to know that it is gone. Called in whichever thread lets go of the last handle, with any locks held.
  class observer {
   public:
    virtual void memory_is_gone(std::uint64_t id) noexcept = 0;

   protected:
    ~observer() = default;
  };

  /// Seals what has been written; no writable mapping may be left. Throws std::system_error.
  [[nodiscard]] static std::shared_ptr<const sealed_memory> seal(posix::unique_fd memfd);
  /// What another process sent, of `size` bytes: believes none of it. Throws decode_error, std::system_error.
  [[nodiscard]] static std::shared_ptr<const sealed_memory> receive(posix::unique_fd memfd, std::size_t size);

  sealed_memory(posix::unique_fd memfd, posix::mapping mapped) noexcept;
  ~sealed_memory();

  /// No other in this process has it or ever had.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] int fd() const noexcept { return memfd_.get(); }
  /// Throws not_portable_error if this process was forked since: workers close what they inherit.
  void check_that_it_can_be_sent() const;
  /// `who` is told once. Throws std::bad_alloc.
  void observe(const std::shared_ptr<observer>& who) const;

 private:
  const std::uint64_t id_;
  const std::uint32_t
      fork_generation_;  // in a forked child, neither the descriptor nor the observers are its own
  posix::unique_fd memfd_;
  const posix::mapping mapped_;
  mutable std::mutex mutex_;  // guards observers_
  mutable std::vector<std::weak_ptr<observer>> observers_;
};

/// All shared memory is of this class.
[[nodiscard]] inline std::shared_ptr<const sealed_memory> as_sealed(
    const shared_memory_ptr& memory) noexcept {
  return std::static_pointer_cast<const sealed_memory>(memory);
}

}  // namespace tandem::detail

#endif
