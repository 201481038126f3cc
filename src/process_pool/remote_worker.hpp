// The pool's record of one worker process: its ring, and which task went into which slot. Decides nothing; every
// member is guarded by the pool's mutex, except that a slot's payload belongs to whoever its state says.
#ifndef TANDEM_PROCESS_POOL_REMOTE_WORKER_HPP
#define TANDEM_PROCESS_POOL_REMOTE_WORKER_HPP

#include "posix/unique_fd.hpp"

#include "process_pool/buffer_link.hpp"
#include "process_pool/execution.hpp"
#include "process_pool/memfd_mail.hpp"
#include "process_pool/payload.hpp"
#include "process_pool/ring.hpp"
#include "process_pool/slab.hpp"
#include "process_pool/slab_link.hpp"
#include "process_pool/task_list.hpp"

#include <tandem/detail/core.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace tandem::process {

/// A task's callable and arguments, encoded before it is known which slot they go to.
class encoded_request final : private detail::memory_carrier {
 public:
  /// `gone` hears of the shared buffers in it when they are.
  encoded_request(slab_cache& cache, const std::shared_ptr<gone_buffers>& gone) noexcept
      : more_(cache), out_(std::span<std::byte>(small_), more_), gone_(gone) {
    out_.set_carrier(this);
  }
  encoded_request(const encoded_request&) = delete;
  encoded_request& operator=(const encoded_request&) = delete;
  [[nodiscard]] writer& out() noexcept { return out_; }
  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
  [[nodiscard]] bool is_large() const noexcept { return more_.where() == place::in_memfd; }
  [[nodiscard]] bool has_buffers() const noexcept { return !buffers_.all().empty(); }
  [[nodiscard]] bool starved() const noexcept { return more_.starved(); }

 private:
  friend class remote_worker;
  std::uint64_t attach(const detail::shared_memory_ptr& memory) override {
    detail::as_sealed(memory)->observe(gone_);
    return buffers_.add(memory);
  }

  std::byte small_[slot_bytes];
  overflow more_;
  writer out_;
  buffer_list buffers_;
  const std::shared_ptr<gone_buffers>& gone_;
};

class remote_worker {
 public:
  /// One task on its way. An empty `task` means that it has been resolved or taken back: nobody waits for the answer.
  struct flight {
    detail::core_ptr<detail::core> task;
    priority rank = priority::normal;  // what is more urgent may overtake it
    slab request;                      // where the arguments lie, if they are large
    shared_buffers buffers;            // that are among them
  };

  remote_worker(std::uint32_t number, std::uint64_t round, posix::unique_fd socket)
      : id(number), started_in(round), ring_(ring::create()), socket_(std::move(socket)) {}

  /// Tasks that it has, is getting, or has answered and nobody has collected.
  [[nodiscard]] std::size_t load() const noexcept { return in_ring() + reserved; }
  [[nodiscard]] bool has_room() const noexcept { return load() < slot_count; }
  [[nodiscard]] int ring_fd() const noexcept { return ring_.fd(); }
  [[nodiscard]] process::header& header() noexcept { return ring_.head(); }
  [[nodiscard]] process::life life() noexcept {
    return static_cast<process::life>(ring_.head().life.load(std::memory_order_seq_cst));
  }

  /// Fills the next slot and publishes it. There must be room. Throws std::system_error if the request's memfd
  /// cannot be sent; nothing is published then, and the task is still the caller's.
  void put(detail::core_ptr<detail::core>& task, priority rank, detail::function_name name,
           encoded_request& request);
  /// Wakes the worker if it sleeps. Not under the mutex: it is a system call.
  void wake() noexcept;
  /// No further slot will be filled: the worker leaves when it has answered all.
  void close() noexcept;

  /// The answered slots from the front on, at most `most`.
  [[nodiscard]] std::size_t answered(std::size_t most) noexcept;
  [[nodiscard]] slot& slot_behind_front(std::size_t i) noexcept { return ring_.at(tail() + i); }
  [[nodiscard]] flight& flight_behind_front(std::size_t i) noexcept {
    return flights_[(tail() + i) % slot_count];
  }
  /// Slots between front and end of the ring.
  [[nodiscard]] std::size_t in_ring() const noexcept { return static_cast<std::size_t>(head_ - tail()); }
  /// answered(1) without the mutex. True may be wrong; false is not, unless somebody attends the ring.
  [[nodiscard]] bool may_have_answered() noexcept { return state_of(ring_.at(tail())) == slot_state::done; }
  /// The front task is waited for, and has a time limit.
  [[nodiscard]] bool front_is_timed() noexcept {
    if (in_ring() == 0) return false;
    const auto& task = flight_behind_front(0).task;
    return task && task->options() != nullptr && task->options()->timeout.has_value();
  }
  /// The worker will never get past its front slot: a task has overwritten the state.
  [[nodiscard]] bool is_stuck() noexcept;
  /// It takes no further task; to be asked behind an answer.
  [[nodiscard]] bool has_outgrown() noexcept {
    return ring_.head().outgrown.load(std::memory_order_relaxed) != 0;
  }
  /// How many of them, from that one on, nobody has taken.
  [[nodiscard]] std::size_t ready_from(std::size_t behind_front) noexcept {
    std::size_t count = 0;
    for (std::size_t i = behind_front; i < in_ring(); ++i) {
      if (state_of(slot_behind_front(i)) == slot_state::ready) ++count;
    }
    return count;
  }
  /// Gives the first `count` slots back to be filled, and their large requests to `cache`.
  void pop(std::size_t count, slab_cache& cache) noexcept;

  /// The answer's bytes; `large` holds them if they lie in a slab. Checks what the worker wrote before it believes
  /// it: throws decode_error. Only for an answered slot, by the manager; not under the mutex.
  [[nodiscard]] std::span<const std::byte> response(std::size_t behind_front, slab_receiver::memory& large);
  /// Where the shared buffers of that answer are, from response() until pop() or the next response().
  [[nodiscard]] answered_buffers buffers_of(std::size_t behind_front) noexcept {
    return {flight_behind_front(behind_front).buffers, inbox_};
  }

  /// The task in that slot, which ends, or runs, otherwise than by this worker's answer. Who attends it is woken.
  [[nodiscard]] detail::core_ptr<detail::core> take_task(std::size_t behind_front) noexcept;
  /// Who attends it, if anybody, attends it no more, and is woken.
  void dismiss_attendant() noexcept;
  /// Takes back the task in that slot, into `tasks`, if the worker has not taken it. The worker passes the slot
  /// without running it.
  bool recall(std::size_t behind_front, task_list& tasks) noexcept;
  /// The same for all slots from that one on, the last one first: so the worker cannot take one whose predecessor has
  /// been taken back. They keep their order, in front of what is in `tasks`.
  void recall_from(std::size_t behind_front, task_list& tasks) noexcept;

  /// The same for all slots with a task of a lower rank.
  void recall_less_urgent(priority than, task_list& tasks) noexcept;

  /// Sends the signal without the fork server, for when that cannot be told. To the worker alone: its group is killed
  /// when the server finds it dead. False if it cannot be.
  bool signal_directly(int signal) noexcept;

  /// No handle to that buffer is left, or (0) forget all that are not on their way. True if it is to be woken.
  [[nodiscard]] bool forget_buffer(std::uint64_t buffer) noexcept {
    return buffers_.forget(buffer, ring_.head());
  }

  /// Kills it, where there is a handle to do it with, and waits until it is dead: its ring stands still then.
  void make_sure_it_is_dead() noexcept;

  const std::uint32_t id;
  const std::uint64_t started_in;  // recruitment::round()
  int pid = 0;                     // 0: not reported yet
  posix::unique_fd pidfd;          // likewise empty
  std::size_t reserved = 0;        // slots promised to tasks that are being encoded
  bool has_new = false;            // within place(): it has got a task. Else false
  std::size_t large_requests = 0;  // slots with a request in a slab: each holds a descriptor
  int placed = 0;                  // tasks put into the ring and not recalled: for max_tasks_per_worker
  std::atomic<bool> served{
      false};  // written by the manager, when it has seen it serve: what the ring says may be overwritten
  std::optional<detail::time_point> must_serve_by;  // the manager's own
  bool is_late = false;                             // it did not, and is killed for that
  bool retiring = false;                            // gets no more tasks
  bool dismissed = false;           // retiring because it is one too many: its end is nothing to be counted
  const void* attendant = nullptr;  // the thread that fetches the front slot's answer in the manager's place
  bool is_being_read = false;       // it reads that answer now, without the mutex
  bool gone = false;  // dead, and being buried: a thread that still holds it must look elsewhere
  std::optional<detail::time_point> deadline;  // of the front task
  std::optional<detail::time_point>
      seen_in_front;  // when the manager first saw others wait behind the front task
  std::optional<detail::time_point> idle_since;  // if there is an idle_timeout: by the manager, until put()
  bool slow_front = false;                       // it takes so long that nothing may wait behind it
  execution killing;

 private:
  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_.load(std::memory_order_relaxed); }
  void send_mail(payload& of, const slab& large, const shared_buffers& buffers);

  ring ring_;
  posix::unique_fd socket_;
  slab_sender slabs_;
  buffer_sender buffers_;
  memfd_inbox inbox_;       // the manager's
  slab_receiver answers_;   // likewise
  std::uint64_t head_ = 0;  // sequence number of the next slot to fill
  // Of the oldest slot that is not collected. Written under the mutex by whoever collects, and read without it by the manager.
  std::atomic<std::uint64_t> tail_{0};
  std::array<flight, slot_count> flights_;
};

}  // namespace tandem::process

#endif
