// Which shared buffers (shared_buffer<T>) a worker has: the memfd travels once, later its id does. Owns what each side
// remembers of that, and letting go; README.md has the protocol, in "Shared buffers".
#ifndef TANDEM_PROCESS_POOL_BUFFER_LINK_HPP
#define TANDEM_PROCESS_POOL_BUFFER_LINK_HPP

#include "codec/sealed_memory.hpp"

#include "posix/event_fd.hpp"

#include "process_pool/memfd_mail.hpp"
#include "process_pool/ring.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tandem::process {

using shared_buffers = std::vector<detail::shared_memory_ptr>;

/// Each once, in the order in which they were attached.
class buffer_list {
 public:
  /// Returns the buffer's id. Throws std::invalid_argument if there are too many for one message.
  std::uint64_t add(const detail::shared_memory_ptr& buffer);
  [[nodiscard]] const shared_buffers& all() const noexcept { return all_; }
  [[nodiscard]] shared_buffers release() noexcept { return std::move(all_); }
  void clear() noexcept { all_.clear(); }

 private:
  static constexpr std::size_t most = memfd_mail::max_memfds - 1;  // and a slab
  shared_buffers all_;
};

/// What a message says for a buffer that came from its receiver, in the same task: the id has this bit.
inline constexpr std::uint64_t receivers_own = std::uint64_t{1} << 63U;

/// The ids of buffers whose last handle in this process is gone, until the manager reads them. Thread-safe; no other
/// lock is taken.
class gone_buffers final : public detail::sealed_memory::observer {
 public:
  /// Raises `bell`, until close().
  explicit gone_buffers(const posix::event_fd& bell) noexcept : bell_(&bell) {}

  void memory_is_gone(std::uint64_t id) noexcept override;
  void close() noexcept;
  /// Takes them out. `all`: there was no memory to note each.
  [[nodiscard]] std::vector<std::uint64_t> take(bool& all) noexcept;

 private:
  std::mutex mutex_;  // guards what follows
  const posix::event_fd* bell_;
  std::vector<std::uint64_t> ids_;
  bool all_ = false;
};

/// The pool's memory of what one worker has. Guarded by the pool's mutex.
class buffer_sender {
 public:
  /// Adds to `mail` those that the worker does not have. Until answered(), none of their places goes to another.
  void prepare(const shared_buffers& buffers, header& shared, memfd_mail& mail) noexcept;
  /// The mail was sent. Not called: it was not, and nothing is remembered.
  void sent(const shared_buffers& buffers) noexcept;
  /// The worker says that it has the first `kept` of them. A lie costs the liar's own tasks.
  void answered(const shared_buffers& buffers, std::size_t kept) noexcept;
  /// Nobody here has that one any more, or (0) any that is not on its way. True if the worker is to be woken.
  [[nodiscard]] bool forget(std::uint64_t id, header& shared) noexcept;

 private:
  struct entry {
    std::uint64_t id = 0;  // 0: none
    bool kept = false;     // the worker said so
    std::uint32_t under_way = 0;
    std::uint64_t used = 0;  // when, counted in prepared requests
  };

  [[nodiscard]] entry* find(std::uint64_t id) noexcept;
  void take_away(entry& from, header& shared) noexcept;

  std::array<entry, kept_buffers> places_;
  std::uint64_t requests_ = 0;
};

/// What the pool finds in an answer: buffers of the request, and new ones of the worker's.
class answered_buffers final : public detail::memory_source {
 public:
  answered_buffers(const shared_buffers& request, memfd_inbox& inbox) noexcept
      : request_(request), inbox_(inbox) {}
  detail::shared_memory_ptr find(std::uint64_t name, std::size_t size) override;

 private:
  const shared_buffers& request_;
  memfd_inbox& inbox_;
  std::map<std::uint64_t, detail::shared_memory_ptr> found_;
};

/// The worker's side: what it keeps, what the task has that it runs, and what the answer takes along.
class buffer_keeper final : public detail::memory_source, public detail::memory_carrier {
 public:
  buffer_keeper(header& shared, memfd_inbox& inbox) noexcept : shared_(shared), inbox_(inbox) {}

  /// For the request in that slot, from now on.
  void begin(payload& request) noexcept;
  /// The task is answered: only what is kept stays.
  void end() noexcept;
  /// The pool has taken one away since clear_out().
  [[nodiscard]] bool has_gone() const noexcept {
    return shared_.buffers_gone.load(std::memory_order_seq_cst) != gone_;
  }
  /// Lets go of what the pool has taken away.
  void clear_out() noexcept;

  detail::shared_memory_ptr find(std::uint64_t name, std::size_t size) override;

  /// Another try to encode an answer: nothing goes with it so far.
  void begin_answer() noexcept { answer_.clear(); }
  std::uint64_t attach(const detail::shared_memory_ptr& memory) override;
  void add_to(memfd_mail& mail) const noexcept;

 private:
  struct entry {
    std::uint64_t id = 0;
    detail::shared_memory_ptr memory;
  };

  [[nodiscard]] detail::shared_memory_ptr obtain(std::uint64_t id, std::size_t size);

  header& shared_;
  memfd_inbox& inbox_;
  std::array<entry, kept_buffers> places_;
  std::uint32_t gone_ = 0;
  payload* request_ = nullptr;
  std::map<std::uint64_t, detail::shared_memory_ptr> of_task_;  // by the pool's ids
  buffer_list answer_;
};

}  // namespace tandem::process

#endif
