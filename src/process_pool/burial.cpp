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
  std::vector<process::remote_worker::flight> unharmed;
  process::remote_worker::flight victim;
  process::last_task last;
  const process::life life = worker->life();
  const bool served = life >= process::life::serving && life != process::life::init_failed;
  const bool orderly = life == process::life::leaving || worker->doomed;
  {
    const lock held(mutex_);
    for (std::size_t i = 0; i < worker->in_ring(); ++i) {
      auto& flight = worker->flight_behind_front(i);
      if (!flight.task) continue;
      if (process::state_of(worker->slot_behind_front(i)) == process::slot_state::taken) {
        last = {flight.task->options() != nullptr ? flight.task->options()->name : "", flight.attempt,
                worker->slot_behind_front(i).phase};
        victim = std::move(flight);
      } else {
        unharmed.push_back(std::move(flight));
      }
    }
    worker->gone = true;
    workers_.erase(std::find(workers_.begin(), workers_.end(), worker));
    if (!orderly && served) ++restarts_;
    if (victim.task) {
      const task_options* options = victim.task->options();
      if (options != nullptr && victim.attempt <= options->retries) {
        attempts_[victim.task.get()] = victim.attempt + 1;
        ++retried_;
        unharmed.insert(unharmed.begin(), std::exchange(victim, {}));
      } else {
        attempts_.erase(victim.task.get());
        --outstanding_;
        ++finished_;
        ++failed_;
      }
    }
  }
  if (victim.task) {
    victim.task->drop_payload();
    victim.task->complete_error(process::make_death_error(death, last));
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

void process_pool_state::requeue(std::vector<process::remote_worker::flight> flights) {
  std::vector<core_ptr<core>> refused;
  std::exception_ptr broken;
  {
    const lock held(mutex_);
    broken = broken_;
    for (auto it = flights.rbegin(); it != flights.rend(); ++it) {
      if (!broken && it->task->return_to_pending()) {
        backlog_.push_front(std::move(it->task));
        continue;
      }
      attempts_.erase(it->task.get());
      --outstanding_;
      if (broken) {
        ++finished_;
        ++failed_;
      } else {
        ++cancelled_;
      }
      refused.push_back(std::move(it->task));
    }
    wanted_ =
        std::max(wanted_, static_cast<std::size_t>(std::min<std::int64_t>(
                              static_cast<std::int64_t>(backlog_.empty() ? 0 : outstanding_), max_workers_)));
  }
  for (const auto& task : refused) {
    task->drop_payload();
    if (broken) {
      task->complete_error(broken);
    } else {
      task->complete_cancelled();  // somebody asked it to stop meanwhile
    }
  }
}

void process_pool_state::break_pool(const std::string& why) {
  const std::string text =
      "tandem: the process pool is broken: " + why + ". Nothing that was submitted to it can run";
  const std::exception_ptr error = std::make_exception_ptr(broken_pool_error(text));
  std::vector<process::remote_worker::flight> dispatched;
  process::task_list waiting = [&] {
    const lock held(mutex_);
    if (!broken_) std::fprintf(stderr, "%s\n", text.c_str());
    broken_ = error;
    for (const worker_ptr& w : workers_) {
      for (std::size_t i = 0; i < w->in_ring(); ++i) {
        auto& flight = w->flight_behind_front(i);
        if (flight.task && w->recall(i)) dispatched.push_back(std::move(flight));
      }
    }
    return std::move(backlog_);
  }();
  requeue(std::move(dispatched));  // refuses them all
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  while (!waiting.empty()) {
    const core_ptr<core> task = waiting.pop_front();
    if (!task->try_start()) {
      ++cancelled;
      continue;
    }
    ++failed;
    task->drop_payload();
    task->complete_error(error);
  }
  const lock held(mutex_);
  outstanding_ -= failed + cancelled;
  finished_ += failed;
  failed_ += failed;
  cancelled_ += cancelled;
}

}  // namespace tandem::detail
