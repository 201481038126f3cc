// The shared state's transitions, and waiting. Its callbacks are in callbacks.cpp. README.md beside this file has the state table and
// the pairs of memory orders that the comments name.
#include <tandem/detail/core.hpp>

#include <tandem/detail/context.hpp>
#include <tandem/error.hpp>
#include <tandem/task_options.hpp>

#include "future/task_owner.hpp"
#include "posix/cpus.hpp"
#include "posix/futex.hpp"
#include "posix/spin.hpp"

#include <cstdio>
#include <memory>
#include <mutex>

#if !defined(__SANITIZE_THREAD__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1  // What gcc calls it.
#endif
#endif

namespace tandem::detail {

namespace {

thread_local constinit posix::spin_budget waiting;

std::atomic<std::uint64_t> pending_cancels_{0};

// The lowest bit of a link that is a stop source.
constexpr std::uintptr_t stop_source_mark = 1;
static_assert(alignof(std::stop_source) > stop_source_mark);

bool is_stop_source(void* link) noexcept {
  return (reinterpret_cast<std::uintptr_t>(link) & stop_source_mark) != 0;
}

// libstdc++, which is not compiled with ThreadSanitizer, counts the references to an exception. With a mutex it sees in which order
// the cores that have the same one let go of it, and that what was done with it before that comes before its end.
void let_go([[maybe_unused]] std::exception_ptr& error) noexcept {
#ifdef __SANITIZE_THREAD__
  if (!error) return;
  static std::recursive_mutex one_by_one;  // an exception may have futures of its own
  const std::lock_guard held(one_by_one);
  error = nullptr;
#endif
}

}  // namespace

// ORDER cancels: acquire; who sees that one was counted finds its task done.
std::uint64_t pending_cancels() noexcept { return pending_cancels_.load(std::memory_order_acquire); }

core::~core() {
  let_go(error_);
  if (is_stop_source(link_.load(std::memory_order_relaxed))) delete &stop_source();
}

void core::set_options(std::unique_ptr<task_options> options) noexcept { options_ = std::move(options); }

void core::release() noexcept {
  // The last holder needs no RMW: nobody else can hold a reference to raise the count again.
  // ORDER release: acquire pairs with the other holders' release decrements.
  if (refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete this;
}

future_state core::state() const noexcept {
  switch (word::phase(load())) {
    case word::pending:
      return future_state::pending;
    case word::running:
      return future_state::running;
    case word::cancelled:
      return future_state::cancelled;
    default:
      return future_state::finished;
  }
}

bool core::release_unless_last() noexcept {
  std::int32_t refs = refs_.load(std::memory_order_acquire);
  while (refs != 1) {
    if (refs_.compare_exchange_weak(refs, refs - 1, std::memory_order_acq_rel, std::memory_order_acquire))
      return true;
  }
  return false;
}

bool core::try_start() noexcept {
  std::uint32_t w = state_.load(std::memory_order_relaxed);
  while (word::phase(w) == word::pending && (w & word::settling) == 0) {
    // ORDER start: acquire pairs with return_to_pending(), so that a second attempt sees what the first one left.
    // ORDER interrupt: release publishes the worker's claim to whoever finds the task running and asks it to stop.
    if (state_.compare_exchange_weak(w, w | word::running, std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool core::cancel_pending() noexcept {
  std::uint32_t w = state_.load(std::memory_order_acquire);
  while (word::phase(w) == word::pending && (w & word::settling) == 0) {
    // The same CAS as try_start(): one of the two wins, and the payload is the winner's.
    if (!state_.compare_exchange_weak(w, word::cancelled, std::memory_order_acq_rel)) continue;
    pending_cancels_.fetch_add(1, std::memory_order_release);  // ORDER cancels: behind the task's state
    drop_payload();
    notify(w);
    return true;
  }
  return word::phase(w) == word::cancelled;
}

bool core::cancel() noexcept {
  std::uint32_t w;
  for (;;) {
    if (cancel_pending()) return true;
    w = load();
    if (word::done(w)) return word::phase(w) == word::cancelled;
    // Pending again, by return_to_pending(): a stop request there would be for an attempt that has not begun.
    if (word::phase(w) == word::pending && (w & word::settling) == 0) continue;
    // ORDER stop: see stop_token().
    if (state_.compare_exchange_weak(w, w | word::stop_requested, std::memory_order_acq_rel)) break;
  }
  return ask_to_stop(w);
}

// Behind the stop request; `w` is the word before it. The pool first: callbacks of the stop token may take their time.
bool core::ask_to_stop(std::uint32_t w) noexcept {
  const std::shared_ptr<task_owner> pool = find_task_owner(owner());
  const bool is_cancelled = pool != nullptr && pool->stop_running(*this);
  if ((w & word::has_stop_source) != 0) stop_source().request_stop();
  return is_cancelled;
}

// By the thread that runs the task, and by those that run branches of it. One of them makes the source.
std::stop_token core::stop_token() {
  if ((state_.load(std::memory_order_acquire) & word::has_stop_source) != 0) return stop_source().get_token();
  void* link = link_.load(std::memory_order_acquire);
  if (!is_stop_source(link)) {
    auto made = std::make_unique<std::stop_source>();
    void* const marked =
        reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(made.get()) | stop_source_mark);
    if (link_.compare_exchange_strong(link, marked, std::memory_order_acq_rel))
      static_cast<void>(made.release());
  }
  // ORDER stop: release publishes the source to whoever requests a stop; both are read-modify-writes of the word, so
  // either that one sees the flag, or we see the request.
  const std::uint32_t old = state_.fetch_or(word::has_stop_source, std::memory_order_acq_rel);
  if ((old & word::stop_requested) != 0) stop_source().request_stop();
  return stop_source().get_token();
}

bool core::was_asked_to_stop() noexcept {
  return (state_.fetch_or(0, std::memory_order_acq_rel) & word::stop_requested) != 0;
}

std::stop_source& core::stop_source() const noexcept {
  const auto link = reinterpret_cast<std::uintptr_t>(link_.load(std::memory_order_relaxed));
  return *reinterpret_cast<std::stop_source*>(link & ~stop_source_mark);
}

// Who may store the outcome of a contested task: the first to ask. Of others, whoever runs it.
bool core::may_complete() noexcept {
  return (state_.load(std::memory_order_relaxed) & word::contested) == 0 || try_settle();
}

bool core::complete_error(std::exception_ptr error) noexcept {
  if (!may_complete()) return ended_too_late();
  if ((state_.load(std::memory_order_relaxed) & word::detached) != 0)
    report_unhandled("a posted task", error, reports_to());
  error_ = std::move(error);
  conclude(word::failed);
  return true;
}

bool core::expire(std::exception_ptr error) noexcept {
  std::uint32_t w = load();
  do {
    if (word::phase(w) != word::running || (w & word::settling) != 0) return false;
  } while (!state_.compare_exchange_weak(w, w | word::settling | word::stop_requested,
                                         std::memory_order_acq_rel, std::memory_order_acquire));
  if ((w & word::detached) != 0) report_unhandled("a posted task", error, reports_to());
  error_ = std::move(error);
  // Two flags stay in the word for the function, which still runs: that it shall stop, and that it has lost the contest.
  const std::uint32_t old =
      state_.exchange(word::failed | word::stop_requested | word::contested, std::memory_order_acq_rel);
  wake_waiters(old);
  (void)ask_to_stop(w);  // before the callbacks: one of them may wait for the function's end, by a shutdown()
  if ((old & word::has_callback) != 0) fire_callbacks();
  return true;
}

bool core::return_to_pending() noexcept {
  std::uint32_t w = state_.load(std::memory_order_relaxed);
  while ((w & word::stop_requested) == 0) {
    const std::uint32_t pending = w & ~word::phase_mask;
    // ORDER start: release pairs with the acquire of the next try_start().
    if (state_.compare_exchange_weak(w, pending, std::memory_order_release, std::memory_order_relaxed))
      return true;
  }
  return false;
}

bool core::try_settle() noexcept {
  std::uint32_t w = state_.load(std::memory_order_acquire);
  while (!word::done(w) && (w & word::settling) == 0) {
    if (state_.compare_exchange_weak(w, w | word::settling, std::memory_order_acq_rel)) return true;
  }
  return false;
}

bool core::finish(std::uint32_t phase) noexcept {
  if (!may_complete()) return ended_too_late();
  conclude(phase);
  return true;
}

// The time limit was over before: all that is left to do is to count.
bool core::ended_too_late() const noexcept {
  const task_context* context = current_task();
  if (context == nullptr || context->task != this) return false;
  if (worker_context* worker = current_worker(); worker != nullptr) worker->task_left(*this);
  if (context->ledger != nullptr) {
    add_one(context->ledger->finished);
    add_one(context->ledger->failed);
  }
  return false;
}

void core::conclude(std::uint32_t phase) noexcept {
  const task_context* context = current_task();
  if (context != nullptr && context->task != this) context = nullptr;
  task_ledger* ledger = context != nullptr ? context->ledger : nullptr;
  const bool is_free_soon = ledger != nullptr && note_in(*ledger, phase);
  // ORDER finish: release publishes the result to load(); acquire takes over the nodes of callbacks that were pushed
  // before their has_callback flag (try_attach). A callback flagged later finds the phase done and fires itself.
  const std::uint32_t old = state_.exchange(phase, std::memory_order_acq_rel);
  worker_context* worker = current_worker();
  // ORDER interrupt: without the request, nobody has interrupted this worker for the task, nor will.
  if ((old & word::stop_requested) != 0 && context != nullptr && worker != nullptr) worker->task_left(*this);
  if (!is_free_soon || (old & word::has_callback) == 0) return notify(old);
  // A callback was attached since note_in() looked, and may take its time: this worker is not free after all.
  ledger->finishing.store(false, std::memory_order_seq_cst);
  if (worker != nullptr) worker->begin_blocking();
  notify(old);
  if (worker != nullptr) worker->end_blocking();
}

// As conclude(), by somebody who does not run the task.
void core::publish(std::uint32_t end) noexcept { notify(state_.exchange(end, std::memory_order_acq_rel)); }

// Counts the task before anybody can see its result. True if it has said that the worker will be free.
bool core::note_in(task_ledger& ledger, std::uint32_t phase) const noexcept {
  add_one(ledger.finished);
  if (phase == word::failed) add_one(ledger.failed);
  if (!ledger.last_known || (state_.load(std::memory_order_relaxed) & word::has_callback) != 0) return false;
  // ORDER finish: published by the exchange that follows.
  ledger.finishing.store(true, std::memory_order_relaxed);
  return true;
}

void core::wake_waiters(std::uint32_t old) noexcept {
  if ((old & word::has_waiter) != 0)
    posix::futex_wake(state_, posix::wake_all, posix::scope::process_private);
}

// Tells everybody who had put a flag into the word before it became done.
void core::notify(std::uint32_t old) noexcept {
  wake_waiters(old);
  if ((old & word::has_callback) != 0) fire_callbacks();
}

// A task that is about to end costs its waiter less than to sleep and be woken would.
bool core::spin_until_done(std::optional<time_point> deadline) const noexcept {
  static const bool others_run = posix::usable_cpus() > 1;
  if (!others_run) return false;
  return waiting.spend([this]() noexcept { return word::done(state_.load(std::memory_order_relaxed)); },
                       deadline.value_or(posix::no_deadline)) &&
         done();
}

bool core::wait(std::optional<time_point> deadline) const noexcept {
  if (done()) return true;
  auto& self = const_cast<core&>(*this);  // waiting changes flags, not the outcome
  worker_context* worker = current_worker();
  if (worker != nullptr && !deadline && worker->try_run(self)) return true;
  struct blocked {
    worker_context* worker;
    explicit blocked(worker_context* w) : worker(w) {
      if (worker != nullptr) worker->begin_blocking();
    }
    ~blocked() {
      if (worker != nullptr) worker->end_blocking();
    }
  };
  if (deadline && *deadline <= std::chrono::steady_clock::now()) return false;
  while (run_put_off_callbacks()) {
    if (done()) return true;
  }
  if (const std::shared_ptr<task_owner> helper = find_task_owner(attentive_owner())) {
    helper->attend(self, deadline);
    if (done()) return true;
  }
  if (spin_until_done(deadline)) return true;
  const blocked guard(worker);
  for (;;) {
    const std::uint32_t expected = self.announce_waiter();
    if (word::done(expected)) return true;
    if (!deadline) {
      posix::futex_wait(self.state_, expected, posix::scope::process_private);
    } else if (posix::futex_wait(self.state_, expected, posix::scope::process_private, *deadline) ==
               posix::wait_status::timed_out) {
      return done();
    }
  }
}

// Who is about to sleep says so in the word. Returns what that is then; without the flag if it is done.
std::uint32_t core::announce_waiter() noexcept {
  std::uint32_t w = load();
  while (!word::done(w) && (w & word::has_waiter) == 0) {
    if (state_.compare_exchange_weak(w, w | word::has_waiter, std::memory_order_acq_rel))
      return w | word::has_waiter;
  }
  return w;
}

void report_unhandled(const char* where, const std::exception_ptr& error, const void* owner) noexcept {
  if (const auto pool = find_task_owner(owner); pool != nullptr && pool->take_unhandled(where, error)) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tandem: exception in %s, ignored: %s\n", where, e.what());
  } catch (...) {
    std::fprintf(stderr, "tandem: exception in %s, ignored: not a std::exception\n", where);
  }
}

}  // namespace tandem::detail
