// The memory that one worker shares with its parent: a header and a ring of slots, in one sealed memfd. Owns the
// layout and the slot's state machine; README.md has its table. Each word says who writes it.
//
// Nothing here is a lock: either side may be killed between any two instructions and the other one can tell from the
// state words what was lost.
#ifndef TANDEM_PROCESS_POOL_RING_HPP
#define TANDEM_PROCESS_POOL_RING_HPP

#include "posix/crash.hpp"
#include "posix/memfd.hpp"

#include "process_pool/doorbell.hpp"

#include <tandem/detail/function_name.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem::process {

/// Where a slot stands; the arrows are in README.md.
enum class slot_state : std::uint32_t {
  empty,     // the parent's: it may fill it
  ready,     // the worker may take it, the parent may recall it: the two race by CAS
  taken,     // the worker's
  done,      // the parent's: the response is complete
  recalled,  // the worker's: it gives the slot back as done, without having run anything
};

/// Where a payload lies.
enum class place : std::uint32_t {
  in_slot,    // in the slot itself
  in_region,  // in the slot's region behind the ring
  in_memfd,   // in a slab, whose memfd went over the worker's socket, now or earlier (slab_link.hpp)
};

/// What the response is.
enum class answer : std::uint32_t { value, exception, skipped };

/// How far a worker is, for whoever looks at its remains.
enum class life : std::uint32_t { starting, initializing, serving, finalizing, leaving, init_failed };

inline constexpr std::size_t slot_count = 64;
inline constexpr std::size_t slot_bytes = 192;  // payloads up to here lie in the slot
inline constexpr std::size_t region_bytes =
    std::size_t{64} * 1024;  // up to here in the region, beyond in a memfd

/// Shared buffers that a worker keeps at most.
inline constexpr std::size_t kept_buffers = 32;

struct payload {
  // Written by the sender before the slot's state.
  std::uint64_t size = 0;
  std::uint64_t slab = 0;        // its id, if `where` is in_memfd
  std::uint32_t where = 0;       // a `place`
  std::uint32_t slab_place = 0;  // where the receiver keeps it
  std::uint32_t mail = 0;        // 1: a memfd_mail goes with it
  // Written by the receiver before the slot's next state: how many of the shared buffers it has, in the order of the
  // mail; the id of the slab that it has kept; 0: none.
  std::uint32_t buffers_kept = 0;
  std::uint64_t kept = 0;
};

/// A word that the other process may still write.
template <class Word>
[[nodiscard]] Word read_once(Word& word) noexcept {
  return std::atomic_ref<Word>(word).load(std::memory_order_relaxed);
}

[[nodiscard]] inline payload read_once(payload& p) noexcept {
  return {.size = read_once(p.size),
          .slab = read_once(p.slab),
          .where = read_once(p.where),
          .slab_place = read_once(p.slab_place),
          .mail = read_once(p.mail)};
}

struct alignas(64) slot {
  std::atomic<std::uint32_t> state;  // a slot_state
  std::atomic<std::uint32_t> stop;   // parent: 1 when the task is asked to stop; read by this_task

  // Written by the parent before ready.
  std::uint32_t module;
  std::uint32_t attempt;
  std::uint64_t offset;
  payload request;
  char task_name[48];  // zero-terminated, cut

  // Written by the worker before done; the phase at any time.
  detail::remote_phase phase;  // read by the parent only when the worker is dead
  std::uint32_t answer;        // a process::answer
  std::uint64_t run_nanoseconds;
  payload response;

  alignas(64) std::byte request_bytes[slot_bytes];
  alignas(64) std::byte response_bytes[slot_bytes];
};

struct header {
  // Futex word. The worker writes 1 before it sleeps, the parent 0 to wake it.
  alignas(64) std::atomic<std::uint32_t> worker_parked;
  // The parent writes 1 when no further slot will be filled.
  std::atomic<std::uint32_t> closing;
  // Who sleeps until the worker answers: written by the parent, and by the worker when it rings.
  alignas(64) doorbell bell;
  // The parent's: the shared buffers that the worker may keep, by place; 0: none. Whenever one is taken away, the other
  // word is counted up behind it, and the worker woken (buffer_link.hpp).
  alignas(64) std::atomic<std::uint32_t> buffers_gone;
  std::array<std::atomic<std::uint64_t>, kept_buffers> buffers;
  // The worker's: a process::life.
  alignas(64) std::atomic<std::uint32_t> life;
  std::atomic<std::uint64_t> tasks_done;
  // What the initializer threw, encoded; written by the worker before life = init_failed. Size 0: it did not fit.
  std::atomic<std::int32_t>
      pid;  // worker, before it serves: what stats() tells until the server has reported it
  std::uint32_t failure_size;
  std::byte failure[1024];
  // The worker's, before the answer that it belongs to: its memory has grown beyond the limit, and it takes no further task.
  std::atomic<std::uint32_t> outgrown;
  // The worker's last word: operator new has failed, and when_out_of_memory is kill.
  std::atomic<std::uint32_t> out_of_memory;
  // Written by the worker when it crashes; read by the parent when it is dead.
  posix::crash_record crash;
};

/// A view of the ring in either process. The mapping does not move.
class ring {
 public:
  ring() noexcept = default;

  /// A new one, sealed against resizing. Throws std::system_error.
  static ring create();
  /// Maps the one that `fd` is. Throws std::system_error, also when it has not the size of a ring.
  static ring open(posix::unique_fd fd);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] process::header& head() noexcept {
    return *reinterpret_cast<process::header*>(memory_.data());
  }
  [[nodiscard]] process::slot& at(std::uint64_t sequence) noexcept {
    return reinterpret_cast<slot*>(memory_.data() + header_bytes)[sequence % slot_count];
  }
  [[nodiscard]] std::span<std::byte> request_region(std::uint64_t sequence) noexcept {
    return {memory_.data() + regions_at + (sequence % slot_count) * 2 * region_bytes, region_bytes};
  }
  [[nodiscard]] std::span<std::byte> response_region(std::uint64_t sequence) noexcept {
    return {request_region(sequence).data() + region_bytes, region_bytes};
  }

 private:
  static constexpr std::size_t header_bytes = 4096;
  static constexpr std::size_t regions_at = (header_bytes + slot_count * sizeof(slot) + 4095) / 4096 * 4096;
  static constexpr std::size_t total = regions_at + slot_count * 2 * region_bytes;
  static_assert(sizeof(process::header) <= header_bytes);

  ring(posix::unique_fd fd, posix::mapping memory) noexcept
      : fd_(std::move(fd)), memory_(std::move(memory)) {}

  posix::unique_fd fd_;
  posix::mapping memory_;  // pages are there once they are touched
};

[[nodiscard]] inline slot_state state_of(const slot& s) noexcept {
  return static_cast<slot_state>(s.state.load(std::memory_order_seq_cst));
}

/// One of the two sides gets it: `from` -> `to`.
[[nodiscard]] inline bool move_state(slot& s, slot_state from, slot_state to) noexcept {
  auto expected = static_cast<std::uint32_t>(from);
  return s.state.compare_exchange_strong(expected, static_cast<std::uint32_t>(to), std::memory_order_seq_cst);
}

}  // namespace tandem::process

#endif
