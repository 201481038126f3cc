// Whom the pool calls when there is work, whom it starts, and on whom it counts instead. src/dispatch/README.md has the rules and
// the proof.
#include "thread_pool/thread_pool_state.hpp"

#include <cstdio>
#include <string>

namespace tandem::detail {

namespace {

using reply = dispatch::roster::call::outcome;

}  // namespace

bool thread_pool_state::has_work() const noexcept { return !lanes_.empty() || has_batches() || has_forks(); }

bool thread_pool_state::has_batches() const noexcept {
  for (int i = 0; i < crew_.places(); ++i) {
    if (!crew_.at(i).waiting().empty()) return true;
  }
  return false;
}

bool thread_pool_state::has_forks() const noexcept {
  for (int i = 0; i < crew_.places(); ++i) {
    if (forks_for_others(i) != 0) return true;
  }
  return false;
}

// What an initializer forks in a pool that ends is no work for others: a thread that was started for it would fork in its own
// initializer, and so on for ever. Who has forked it runs it.
std::size_t thread_pool_state::forks_for_others(int place) const noexcept {
  thread_worker& worker = crew_.at(place);
  const std::size_t forks = worker.forks().size();
  return forks != 0 && worker.is_initializing() && roster_.look().ending() ? 0 : forks;
}

void thread_pool_state::call_worker() noexcept {
  if (in_forked_child()) return;
  for (;;) {
    const dispatch::roster::call call = roster_.wake_one();
    if (has_answered(call)) return;
    // A thread is wanted. None is started while a worker is on its way anyhow.
    if (call.what == reply::asked && (someone_is_coming() || !has_work() || wake_worker())) return;
    const dispatch::roster::view v = roster_.look();
    if (roster_.is_served(v) || v.broken()) return;  // broken: tasks are failed, not run
    if (v.top() != 0) continue;
    // More threads are wanted. None is started while a worker is on its way anyhow.
    if (!crew_.may_grow() || someone_is_coming()) return;
    if (!roster_.begin_start()) continue;
    // Only now: what is still there was not taken by somebody on whom we could have counted a moment ago. So whoever submits one
    // task after the other gets by with one worker, even if that takes the task before we have looked for it.
    if (!has_work()) {
      roster_.undo_start();
      crew_.note_start();
      if (!has_work()) return;  // rule 2: others may have counted on the one that we have not started
      continue;
    }
    if (const std::string error = crew_.start(); !error.empty()) start_failed(error);
    return;
  }
}

bool thread_pool_state::wake_worker() noexcept {
  for (;;) {
    const dispatch::roster::call call = roster_.fill_one();
    if (has_answered(call)) return true;
    // If it could not be started, there may be one further down that has a thread.
    if (call.what != reply::vacant) return false;
  }
}

// True if somebody comes, for whom a thread is started if need be.
bool thread_pool_state::has_answered(dispatch::roster::call call) noexcept {
  if (call.passed) crew_.note_start();
  if (call.what != reply::vacant) return call.what == reply::woken;
  const std::string error = crew_.start_at(call.index);
  if (!error.empty()) start_failed(error);
  return error.empty();
}

// ORDER call-park: seq_cst loads behind the publication of the work. A worker that we count on here looks for work
// behind the seq_cst store (or exchange) that takes back what we have seen.
bool thread_pool_state::someone_is_coming() const noexcept {
  const int initializing = initializing_.load(std::memory_order_seq_cst);
  if (initializing > 0) {  // each takes one
    std::size_t waiting = lanes_.size();
    for (int i = 0; i < crew_.places(); ++i) waiting += forks_for_others(i);
    if (waiting <= static_cast<std::size_t>(initializing)) return true;
  }
  for (int i = 0; i < crew_.places(); ++i) {
    if (crew_.at(i).ledger().finishing.load(std::memory_order_seq_cst)) return true;
  }
  return false;
}

void thread_pool_state::start_failed(const std::string& error) noexcept {
  if (roster_.look().active() == 0) {
    break_down("could not start a thread: " + error);
  } else {
    std::fprintf(stderr, "tandem: thread_pool goes on with fewer workers: could not start a thread: %s\n",
                 error.c_str());
  }
}

void thread_pool_state::begin_initializer() noexcept {
  initializing_.fetch_add(1, std::memory_order_seq_cst);
  roster_.end_search();
  call_if_needed();
}

void thread_pool_state::end_initializer() noexcept {
  roster_.begin_search();  // first this: meanwhile we are counted twice rather than not at all
  initializing_.fetch_sub(1, std::memory_order_seq_cst);
}

// Nobody sleeps any more, and nobody can lie down.
void thread_pool_state::wake_all() noexcept {
  while (wake_any()) {}
}

// Takes one sleeper out of bed; there he is not needed any more. False if nobody sleeps.
bool thread_pool_state::wake_any() noexcept {
  const dispatch::roster::call call = roster_.fill_any();
  if (call.passed) crew_.note_start();
  if (call.what == reply::vacant) crew_.give_up(call.index);
  return call.what != reply::nobody;
}

// Who is awake sees it after its task, and perhaps goes first: then those who were woken stay.
void thread_pool_state::wake_surplus() noexcept {
  for (int surplus = roster_.look().active() - roster_.most_active(); surplus > 0 && wake_any(); --surplus) {}
}

}  // namespace tandem::detail
