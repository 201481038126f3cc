// What happens when a worker, or the fork server, is dead: who loses what, who runs again, what is told.
#include "process_pool/pool_state.hpp"

#include "posix/pidfd.hpp"

#include "process_pool/death.hpp"

#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

namespace tandem::detail {

namespace {

// A worker that dies before it can serve, so often in a row, will not do better the next time.
constexpr int most_early_deaths = 5;

std::string initializer_failure(process::remote_worker& worker) {
  const std::size_t size =
      std::min<std::size_t>(worker.header().failure_size, sizeof(worker.header().failure));
  try {
    reader in(std::span<const std::byte>(worker.header().failure).first(size));
    std::rethrow_exception(decode_exception(in));
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

// The worker is dead, so its ring stands still. What it answered is delivered; the task that it had taken is lost, or
// tried again; what it had not taken goes to others.
void process_pool_state::worker_died(const process::report& death) {
  const worker_ptr worker = find(death.worker);
  if (!worker) return;
  while (collect(*worker)) {}
  process::task_list unharmed;
  process::task_list lost;
  process::last_task last;
  const process::life life = worker->life();
  const bool served = life >= process::life::serving && life != process::life::init_failed;
  bool orderly = life == process::life::leaving;
  {
    const lock held(mutex_);
    orderly = orderly || worker->killing.decided();
    worker->recall_from(0, unharmed);  // by CAS: what it has taken, it may have begun
    for (std::size_t i = 0; i < worker->in_ring(); ++i) {
      core_ptr<core> victim = std::move(worker->flight_behind_front(i).task);
      if (!victim) continue;
      const task_options* options = victim->options();
      if (options != nullptr && victim->attempt() <= options->retries) {
        victim->count_attempt();
        ++retried_;
        unharmed.push_front(std::move(victim));
        continue;
      }
      last.phase = worker->slot_behind_front(i).phase;
      lost.push_back(std::move(victim));
    }
    worker->gone = true;
    workers_.erase(std::find(workers_.begin(), workers_.end(), worker));
    if (!orderly && served) ++restarts_;
  }
  if (!lost.empty()) {
    const core& task = lost.front();
    last.attempt = task.attempt();
    if (task.options() != nullptr) last.name = task.options()->name;
    const std::exception_ptr error = process::make_death_error(death, last);
    settle(std::move(lost), error);
  }
  requeue(std::move(unharmed));
  if (life == process::life::init_failed) {
    break_pool("the initializer of a worker threw: " + initializer_failure(*worker));
  } else if (served) {
    start_failures_ = 0;
  } else if (death.what == process::report::kind::start_failed) {
    start_failed(death.text);
  } else if (!orderly && ++start_failures_ >= most_early_deaths) {
    break_pool("workers die before they can run a task: the last one " + process::cause_of(death));
  }
}

// Its workers die with it; that they are dead is made sure of before their rings are read.
void process_pool_state::lost_server() {
  const std::vector<worker_ptr> orphans = workers_;
  for (const worker_ptr& w : orphans) {
    if (w->pidfd) {
      posix::pidfd_send_signal(w->pidfd.get(), SIGKILL);
      static_cast<void>(posix::wait_for_exit(w->pidfd.get()));
    }
    worker_died({.what = process::report::kind::died,
                 .worker = w->id,
                 .pid = w->pid,
                 .signal = SIGKILL,
                 .text = "killed with the fork server"});
  }
  link_.close();
}

void process_pool_state::break_pool(const std::string& why) {
  const std::string text =
      "tandem: the process pool is broken: " + why + ". Nothing that was submitted to it can run";
  const std::exception_ptr error = std::make_exception_ptr(broken_pool_error(text));
  process::task_list dispatched;
  process::task_list waiting = [&] {
    const lock held(mutex_);
    if (!broken_) std::fprintf(stderr, "%s\n", text.c_str());
    broken_ = error;
    for (const worker_ptr& w : workers_) w->recall_from(0, dispatched);
    return std::move(backlog_);
  }();
  std::int64_t cancelled = 0;
  while (!waiting.empty()) {
    core_ptr<core> task = waiting.pop_front();
    if (task->try_start()) {
      dispatched.push_back(std::move(task));
    } else {
      ++cancelled;
    }
  }
  settle(std::move(dispatched), error);
  forget_cancelled(cancelled);
}

}  // namespace tandem::detail
