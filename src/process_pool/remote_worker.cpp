// Filling and emptying one worker's ring, the parent's side.
#include "process_pool/remote_worker.hpp"

#include "posix/clock.hpp"
#include "posix/futex.hpp"
#include "posix/pidfd.hpp"
#include "posix/poll.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

namespace tandem::process {

void remote_worker::put(detail::core_ptr<detail::core>& task, priority rank, detail::function_name name,
                        encoded_request& request) {
  const std::uint64_t sequence = head_;
  slot& s = ring_.at(sequence);
  const std::span<const std::byte> bytes = request.out_.bytes();
  const place where = request.more_.where();
  slab large;
  s.request.mail = 0;
  switch (where) {
    case place::in_slot:
      std::memcpy(s.request_bytes, bytes.data(), bytes.size());
      break;
    case place::in_region:
      std::memcpy(ring_.request_region(sequence).data(), bytes.data(), bytes.size());
      break;
    case place::in_memfd:
      large = request.more_.release(bytes.size());
      break;
  }
  if (large || !request.buffers_.all().empty()) send_mail(s.request, large, request.buffers_.all());
  s.stop.store(0, std::memory_order_relaxed);
  s.module = name.module;
  s.offset = name.offset;
  s.attempt = static_cast<std::uint32_t>(task->attempt());
  s.request.size = request.size();
  s.request.where = static_cast<std::uint32_t>(where);
  const task_options* options = task->options();
  const std::size_t length =
      options != nullptr ? std::min(options->name.size(), sizeof(s.task_name) - 1) : std::size_t{0};
  if (length != 0) std::memcpy(s.task_name, options->name.data(), length);
  s.task_name[length] = 0;
  s.phase = detail::remote_phase::decode_arguments;
  flight& f = flights_[sequence % slot_count];
  f.task = std::move(task);
  f.rank = rank;
  if (large) {
    ++large_requests;
    f.request = std::move(large);
  }
  if (!request.buffers_.all().empty()) f.buffers = request.buffers_.release();
  ++head_;
  ++placed;
  idle_since.reset();
  // ORDER worker-park: seq_cst, before wake() looks at worker_parked. Also publishes the slot's fields.
  s.state.store(static_cast<std::uint32_t>(slot_state::ready), std::memory_order_seq_cst);
}

// What the worker needs beside the slot, and does not have. It is sent without waiting: a worker that is busy reads nothing.
void remote_worker::send_mail(payload& of, const slab& large, const shared_buffers& buffers) {
  memfd_mail mail;
  of.buffers_kept = 0;
  buffers_.prepare(buffers, ring_.head(), mail);
  if (large) slabs_.send(large, of, mail);
  mail.send(socket_.get(), posix::blocking::no);
  of.mail = mail.empty() ? 0 : 1;
  buffers_.sent(buffers);
}

void remote_worker::wake() noexcept {
  auto& parked = ring_.head().worker_parked;
  if (parked.load(std::memory_order_seq_cst) != 0 && parked.exchange(0, std::memory_order_seq_cst) != 0) {
    posix::futex_wake(parked, 1, posix::scope::process_shared);
  }
}

void remote_worker::close() noexcept {
  retiring = true;
  idle_since.reset();
  ring_.head().closing.store(1, std::memory_order_seq_cst);
}

detail::core_ptr<detail::core> remote_worker::take_task(std::size_t behind_front) noexcept {
  detail::core_ptr<detail::core> task = std::move(flight_behind_front(behind_front).task);
  if (behind_front == 0 && attendant != nullptr) ring_.head().bell.call_attendant();
  return task;
}

void remote_worker::dismiss_attendant() noexcept {
  if (attendant == nullptr) return;
  attendant = nullptr;
  ring_.head().bell.call_attendant();
}

bool remote_worker::recall(std::size_t behind_front, task_list& tasks) noexcept {
  if (!flight_behind_front(behind_front).task ||
      !move_state(slot_behind_front(behind_front), slot_state::ready, slot_state::recalled))
    return false;
  --placed;
  if (behind_front == 0) deadline.reset();
  tasks.push_front(take_task(behind_front));
  return true;
}

void remote_worker::recall_from(std::size_t behind_front, task_list& tasks) noexcept {
  for (std::size_t i = in_ring(); i > behind_front; --i) recall(i - 1, tasks);
}

void remote_worker::recall_less_urgent(priority than, task_list& tasks) noexcept {
  for (std::size_t i = in_ring(); i > 0; --i) {
    if (flight_behind_front(i - 1).rank > than) recall(i - 1, tasks);
  }
}

bool remote_worker::is_stuck() noexcept {
  if (in_ring() == 0) return false;
  const slot_state state = state_of(slot_behind_front(0));
  return state == slot_state::empty || state > slot_state::recalled;
}

bool remote_worker::signal_directly(int signal) noexcept {
  try {
    return pidfd && posix::pidfd_send_signal(pidfd.get(), signal);
  } catch (const std::system_error&) {
    return false;
  }
}

void remote_worker::make_sure_it_is_dead() noexcept {
  try {
    if (pidfd) {
      posix::pidfd_send_signal(pidfd.get(), SIGKILL);
      static_cast<void>(posix::wait_for_exit(pidfd.get()));
    } else {
      // The fork server did not come to report it, or its handle found no free descriptor. The worker holds the other
      // end of its socket as long as it lives; so may a process that its task has forked, hence not for ever.
      static_cast<void>(posix::wait_hung_up(socket_.get(), posix::deadline_after(std::chrono::seconds(5))));
    }
  } catch (const std::system_error&) {
    // It dies with the server all the same, and what it may have begun is told from the ring by compare-exchange.
  }
}

std::size_t remote_worker::answered(std::size_t most) noexcept {
  std::size_t count = 0;
  while (count < std::min(most, in_ring()) && state_of(slot_behind_front(count)) == slot_state::done) ++count;
  return count;
}

void remote_worker::pop(std::size_t count, slab_cache& cache) noexcept {
  deadline.reset();
  seen_in_front.reset();
  slow_front = false;
  inbox_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    slot& s = slot_behind_front(0);
    flight& f = flight_behind_front(0);
    f.task = {};
    if (f.request) {
      --large_requests;
      slabs_.answered(f.request, read_once(s.request.kept));
      cache.give(std::move(f.request));
    }
    if (!f.buffers.empty()) {
      buffers_.answered(f.buffers, read_once(s.request.buffers_kept));
      f.buffers = {};
    }
    s.state.store(static_cast<std::uint32_t>(slot_state::empty), std::memory_order_seq_cst);
    tail_.store(tail() + 1, std::memory_order_relaxed);
  }
}

std::span<const std::byte> remote_worker::response(std::size_t behind_front, slab_receiver::memory& large) {
  const std::uint64_t sequence = tail() + behind_front;
  slot& s = ring_.at(sequence);
  // The worker can still write here if it has gone wrong.
  const payload answer = read_once(s.response);
  const auto where = static_cast<place>(answer.where);
  inbox_.clear();
  if (answer.mail != 0) inbox_.receive(socket_.get());
  if (where == place::in_slot && answer.size <= slot_bytes)
    return std::span<const std::byte>(s.response_bytes).first(answer.size);
  if (where == place::in_region && answer.size <= region_bytes)
    return ring_.response_region(sequence).first(answer.size);
  if (where != place::in_memfd) {
    throw decode_error("tandem: an answer from worker process " + std::to_string(pid) +
                       " is out of bounds: a task has overwritten memory of the worker");
  }
  large = answers_.take(inbox_, answer, s.response.kept);
  return large->bytes().first(answer.size);
}

}  // namespace tandem::process
