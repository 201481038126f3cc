// What happens when a worker, or the fork server, is dead: who loses what, who runs again, what is told.
#include "process_pool/pool_state.hpp"

#include "process_pool/death.hpp"

#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <new>
#include <string>
#include <utility>

namespace tandem::detail {

namespace {

// What of its conditions it could not meet, or what its initializer threw.
std::string set_up_failure(process::remote_worker& worker) {
  const std::size_t size =
      std::min<std::size_t>(worker.header().failure_size, sizeof(worker.header().failure));
  if (size == 0) return "its message is too long to tell";
  try {
    reader in(std::span<const std::byte>(worker.header().failure).first(size));
    const std::exception_ptr error = decode_exception(in);
    if (!error)
      return "the worker has overwritten its message";  // null is well-formed, but nobody can have thrown it
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace

process_pool_state::worker_ptr process_pool_state::find(std::uint32_t id) const {
  const auto it =
      std::find_if(workers_.begin(), workers_.end(), [id](const worker_ptr& w) { return w->id == id; });
  return it == workers_.end() ? nullptr : *it;
}

void process_pool_state::worker_started(const process::report& message, posix::unique_fd pidfd) {
  if (const worker_ptr w = find(message.worker)) {
    const lock held(mutex_);
    w->pid = message.pid;
    w->pidfd = std::move(pidfd);
  }
}

void process_pool_state::worker_died(const process::report& death) noexcept {
  const worker_ptr worker = find(death.worker);
  if (!worker) return;
  bury(worker, death);
  if (worker->served) return;
  const auto now = std::chrono::steady_clock::now();
  if (worker->life() == process::life::init_failed) {
    break_pool("a worker could not be set up, or its initializer threw: ",
               [&] { return set_up_failure(*worker); });
  } else if (death.what == process::report::kind::start_failed) {
    recruiting_.refused(worker->started_in, now);
    give_up_if_hopeless(*worker, death);
  } else if (!worker->killing.decided() || worker->is_late) {
    recruiting_.died_early(worker->started_in, now);
    give_up_if_hopeless(*worker, death);
  }
}

// The worker is dead, so its ring stands still. What it answered is delivered; the task that it had taken is lost, or
// tried again; what it had not taken goes to others.
void process_pool_state::bury(const worker_ptr& worker, const process::report& death) noexcept {
  {
    lock held(mutex_);
    read_over_.wait(held, [&] { return !worker->is_being_read; });
    worker->gone = true;
    worker->dismiss_attendant();  // it waits on for its task, if that is not done, as others do
  }
  while (collect(*worker)) {}
  note_if_serving(*worker);
  process::task_list unharmed;
  process::task_list lost;
  process::last_moments last;
  {
    const lock held(mutex_);
    last = process::last_moments_of(*worker);
    worker->recall_from(0, unharmed);  // by CAS: what it has taken, it may have begun
    for (std::size_t i = 0; i < worker->in_ring(); ++i) {
      core_ptr<core> victim = worker->take_task(i);
      if (!victim) continue;
      last.task = victim;
      last.attempt = victim->attempt();
      if (try_again(victim, unharmed, held)) continue;
      const task_options* options = victim->options();
      last.is_poison = options != nullptr && last.attempt <= options->retries;
      lost.push_back(std::move(victim));
    }
    room_is_made(held);
    workers_.erase(std::find(workers_.begin(), workers_.end(), worker));
    if (!closing_workers_ && !worker->dismissed && death.what == process::report::kind::died) ++restarts_;
  }
  tell_of_death(*worker, death, last, std::move(lost));
  requeue(std::move(unharmed));
}

// Whoever hears of it hears it before the future does: who has waited for that finds it noted.
void process_pool_state::tell_of_death(process::remote_worker& worker, const process::report& death,
                                       const process::last_moments& last, process::task_list lost) noexcept {
  const bool announced = options_.on_worker_death && process::is_unexpected(death, last, worker.life());
  if (lost.empty() && !announced) return;
  std::exception_ptr error;
  try {
    worker_death facts = process::describe(death, last, worker.header().crash);
    if (announced) call_on_worker_death(facts);
    if (!lost.empty()) error = process::make_death_error(death, last, std::move(facts));
  } catch (const std::bad_alloc&) {
    error = std::current_exception();
  }
  settle(std::move(lost), error);
}

void process_pool_state::call_on_worker_death(const worker_death& death) noexcept {
  try {
    options_.on_worker_death(death);
  } catch (...) {
    report_unhandled("on_worker_death of a process_pool", std::current_exception(), this);
  }
}

// The task that a worker has died over: again, if it may; later, if it shall wait.
bool process_pool_state::try_again(core_ptr<core>& victim, process::task_list& at_once,
                                   const lock&) noexcept {
  const task_options* options = victim->options();
  const int deaths = victim->attempt();
  if (options == nullptr || deaths > options->retries || is_poison(deaths)) return false;
  victim->count_attempt();
  ++retried_;
  const std::chrono::nanoseconds delay = process::retry_delay(*options, deaths);
  const bool stopped = broken_ || cancelling_ || (victim->load() & word::stop_requested) != 0;
  if (delay.count() > 0 && !stopped) retries_.put(victim, std::chrono::steady_clock::now() + delay);
  if (victim) at_once.push_front(std::move(victim));
  return true;
}

// It serves, and nobody has noted that yet.
bool process_pool_state::begins_to_serve(process::remote_worker& worker) noexcept {
  if (worker.served) return false;
  const process::life life = worker.life();
  return life >= process::life::serving && life <= process::life::leaving;
}

void process_pool_state::note_if_serving(process::remote_worker& worker) noexcept {
  if (begins_to_serve(worker)) note_that_it_serves(worker);
}

void process_pool_state::note_that_it_serves(process::remote_worker& worker) noexcept {
  if (worker.served) return;
  worker.served = true;
  recruiting_.succeeded();
}

// A pool that has nobody left who works, and has failed to find somebody often enough.
void process_pool_state::give_up_if_hopeless(const process::remote_worker& worker,
                                             const process::report& death) noexcept {
  if (std::any_of(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->served.load(); }))
    return;
  if (recruiting_.none_survives()) {
    break_pool("workers die before they can run a task: the last one ", [&] {
      return worker.is_late ? std::string(process::too_late) : process::cause_of_early(death);
    });
  } else if (recruiting_.none_can_be_started() && workers_.empty()) {
    break_pool("no worker can be started: ", [&] { return death.text; });
  }
}

// All its workers die with it; that they are dead is made sure of before their rings are read.
void process_pool_state::lost_server() noexcept {
  link_.close();
  // A server that dies again and again before any of its workers serves would be started again and again.
  const bool any_served =
      std::any_of(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->served.load(); });
  if (!any_served) recruiting_.refused(recruiting_.round(), std::chrono::steady_clock::now());
  while (!workers_.empty()) {
    const worker_ptr worker = workers_.back();
    worker->make_sure_it_is_dead();
    bury(worker, {.what = process::report::kind::died,
                  .worker = worker->id,
                  .pid = worker->pid,
                  .signal = SIGKILL,
                  .text = process::with_the_server});
    if (!worker->served && worker->life() == process::life::init_failed)
      break_pool("a worker could not be set up, or its initializer threw: ",
                 [&] { return set_up_failure(*worker); });
  }
  if (recruiting_.none_can_be_started())
    break_pool("no worker can be started: ", [] { return std::string("the fork server dies each time"); });
}

// The manager itself has met an error that it has no answer to.
void process_pool_state::abandon(const char* why) noexcept {
  break_pool("its manager failed: ", [why] { return std::string(why); });
  lost_server();
}

// Once: the first cause is the one that is told.
void process_pool_state::break_pool(const char* what, const std::function<std::string()>& why) noexcept {
  std::exception_ptr error = last_resort_;
  try {
    const std::string text = std::string("tandem: the process pool is broken: ") + what + (why ? why() : "") +
                             ". Nothing that was submitted to it can run";
    error = std::make_exception_ptr(broken_pool_error(text));
    if (!broken_) std::fprintf(stderr, "%s\n", text.c_str());
  } catch (const std::exception&) {
    // Out of memory: then that is told.
  }
  process::task_list dispatched;
  process::task_list waiting = [&] {
    const lock held(mutex_);
    if (!broken_) broken_ = error;
    for (const worker_ptr& w : workers_) w->recall_from(0, dispatched);
    retries_.take_all(dispatched);
    return backlog_.extract_all();
  }();
  bound_.wake();
  std::int64_t cancelled = 0;
  while (!waiting.empty()) {
    core_ptr<core> task = waiting.pop_front();
    if (task->try_start()) {
      dispatched.push_back(std::move(task));
    } else {
      ++cancelled;
    }
  }
  settle(std::move(dispatched), broken_);
  forget_cancelled(cancelled);
}

}  // namespace tandem::detail
