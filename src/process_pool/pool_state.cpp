// The threads that use the pool: submitting, cancelling, shutting down, asking.
#include "process_pool/pool_state.hpp"

#include "posix/cpus.hpp"
#include "posix/signals.hpp"

#include "process_pool/init.hpp"
#include "process_pool/worker.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace tandem::detail {

namespace {

// A pool in a worker of a pool in a worker ...: deeper than anybody means to, long before it is a fork bomb.
constexpr int max_depth = 4;

// How long the tasks in one worker's ring shall last: much longer than the manager needs to refill it.
constexpr double ring_nanoseconds = 200e3;

// Which pools live, for cancel(): a future may outlive its pool.
struct registry {
  std::mutex mutex;
  std::unordered_map<const void*, std::weak_ptr<process_pool_state>> pools;
};
registry& live_pools() {
  static auto* const pools = new registry;  // outlives static pools
  return *pools;
}

bool cancel_in_pool(const void* owner, core& task) noexcept {
  std::shared_ptr<process_pool_state> pool;
  {
    registry& live = live_pools();
    const std::lock_guard held(live.mutex);
    const auto it = live.pools.find(owner);
    if (it != live.pools.end()) pool = it->second.lock();
  }
  return pool != nullptr && pool->cancel_running(task);
}

process::hook to_hook(bool set, function_name name, const std::string& call) { return {set, name, call}; }

process_pool_options checked(process_pool_options options) {
  check_not_negative("process_pool_options::max_workers", options.max_workers);
  check_not_negative("process_pool_options::queue_capacity", options.queue_capacity);
  check_not_negative("process_pool_options::max_tasks_per_worker", options.max_tasks_per_worker);
  const auto refuse = [](const char* field) {
    throw std::invalid_argument(std::string("tandem: process_pool_options::") + field +
                                " is not available yet; leave it at its default");
  };
  if (options.queue_capacity != 0) refuse("queue_capacity");
  if (options.idle_timeout.has_value()) refuse("idle_timeout");
  if (options.start == start_method::spawn) refuse("start = spawn");
  if (static_cast<std::uint32_t>(options.max_workers) >= process::max_places) {
    throw std::invalid_argument("tandem: process_pool_options::max_workers is " +
                                std::to_string(options.max_workers) + "; it must be below 65536");
  }
  if (!process::init_was_called()) {
    throw start_error(
        "tandem: process_pool: main has not called tandem::init(argc, argv). Workers are this same "
        "program, started again: without that line as the first one of main they would run main "
        "itself. Add it (a test program can link tandem::gtest_main instead)");
  }
  if (process::pool_depth() >= max_depth) {
    throw start_error(
        "tandem: process_pool: pools are nested " + std::to_string(max_depth) +
        " deep; a task that creates a pool whose tasks create pools ... is most likely a mistake");
  }
  return options;
}

}  // namespace

std::shared_ptr<process_pool_state> process_pool_state::create(process_pool_options options) {
  posix::watch_forks();
  std::shared_ptr<process_pool_state> state(new process_pool_state(checked(std::move(options))));
  state->link_ = process::server_link::start(state->options_.start, state->greeting());
  {
    registry& live = live_pools();
    const std::lock_guard held(live.mutex);
    live.pools.emplace(state.get(), state);
  }
  set_cancel_hook(&cancel_in_pool);
  const posix::block_all_signals quiet;  // the user's handlers run on the user's threads
  state->manager_ = std::thread([state] { state->manage(); });
  return state;
}

process_pool_state::process_pool_state(process_pool_options options)
    : options_(std::move(options)),
      max_workers_(options_.max_workers != 0 ? options_.max_workers : posix::usable_cpus()),
      fork_generation_(posix::fork_generation()),
      ended_(new promised<void>) {}

process_pool_state::~process_pool_state() {
  registry& live = live_pools();
  const std::lock_guard held(live.mutex);
  live.pools.erase(this);
}

process::hello process_pool_state::greeting() const {
  process::hello message;
  writer modules;
  encode_modules(modules);
  const auto bytes = modules.bytes();
  message.modules.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  message.name_prefix = options_.name_prefix;
  const worker_hook& i = options_.initializer;
  const worker_hook& f = options_.finalizer;
  message.initializer = to_hook(i.set_, i.name_, i.call_);
  message.finalizer = to_hook(f.set_, f.name_, f.call_);
  message.memory_limit = options_.memory_limit;
  message.depth = static_cast<std::uint32_t>(process::pool_depth() + 1);
  return message;
}

void process_pool_state::refuse_if_closed(const lock&) const {
  if (broken_) std::rethrow_exception(broken_);
  if (!open_) throw shutdown_error("tandem: submit on a process_pool after shutdown()");
}

void process_pool_state::enqueue(core_ptr<core> task) {
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: submit on a process_pool in a forked child: its workers belong to the parent. "
        "Make a pool of its own in the child");
  }
  if (task->remote() == nullptr) return fail_unsendable(*task);
  worker_ptr worker;
  bool more_workers = false;
  {
    const lock held(mutex_);
    refuse_if_closed(held);
    task->set_owner(this);
    ++outstanding_;
    if (backlog_.empty()) worker = reserve_worker(held);
    if (!worker) {
      const auto demand = static_cast<std::size_t>(std::min<std::int64_t>(outstanding_, max_workers_));
      more_workers = demand > wanted_;
      wanted_ = std::max(wanted_, demand);
      backlog_.push_back(std::exchange(task, {}));
    }
  }
  if (more_workers) bell_.raise();
  if (worker) dispatch(std::move(task), worker);
}

// Through executor& the types are not looked at before: the future tells.
void process_pool_state::fail_unsendable(core& task) {
  {
    const lock held(mutex_);
    refuse_if_closed(held);
    ++failed_;
    ++finished_;
  }
  if (!task.try_start()) return;
  const std::string why =
      std::string("tandem: this task cannot be sent to a worker process: ") + task.why_not_remote();
  task.drop_payload();
  task.complete_error(std::make_exception_ptr(not_portable_error(why)));
}

std::size_t process_pool_state::depth(const lock&) const noexcept {
  if (average_nanoseconds_ <= 0) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(ring_nanoseconds / average_nanoseconds_), 1,
                                 process::slot_count);
}

// The worker with the least to do, with a slot promised; null if the task has to wait. While there are fewer workers
// than there may be, a task waits for one of its own rather than behind another task.
process_pool_state::worker_ptr process_pool_state::reserve_worker(const lock& held) {
  const bool all_there = workers_.size() >= static_cast<std::size_t>(max_workers_);
  const worker_ptr* best = nullptr;
  std::size_t least = all_there ? depth(held) : 1;
  for (const worker_ptr& w : workers_) {
    if (w->retiring || !w->has_room()) continue;
    if (options_.max_tasks_per_worker != 0 &&
        w->placed + static_cast<int>(w->reserved) >= options_.max_tasks_per_worker) {
      continue;
    }
    if (w->load() < least) {
      least = w->load();
      best = &w;
    }
  }
  if (best == nullptr) return nullptr;
  ++(*best)->reserved;
  return *best;
}

// Encodes outside the mutex: that is the user's code.
void process_pool_state::dispatch(core_ptr<core> task, const worker_ptr& worker) {
  if (!task->try_start()) {  // cancelled while it waited
    settle_undispatched(task, worker, nullptr);
    return;
  }
  task->set_owner_cancels();
  process::encoded_request request(buffers_);
  std::vector<process::remote_worker::flight> homeless;
  bool timed = false;
  try {
    const remote_ops* ops = task->remote();
    const function_name name = ops->name();
    ops->encode(*task, request.out());
    const task_options* options = task->options();
    timed = options != nullptr && options->timeout.has_value();
    const lock held(mutex_);
    int attempt = 1;
    if (!attempts_.empty()) {
      if (const auto it = attempts_.find(task.get()); it != attempts_.end()) attempt = it->second;
    }
    if (worker->gone || worker->retiring) {
      --worker->reserved;
      homeless.push_back({std::move(task), attempt, {}});
    } else {
      // A copy: if placing throws, the task is still ours.
      worker->put({task, attempt, {}}, name,
                  options != nullptr ? std::string_view(options->name) : std::string_view(), request);
      --worker->reserved;
      bytes_sent_ += static_cast<std::int64_t>(request.size());
      if (options_.max_tasks_per_worker != 0 && worker->placed >= options_.max_tasks_per_worker)
        worker->close();
    }
  } catch (...) {
    settle_undispatched(task, worker, std::current_exception());
    return;
  }
  if (!homeless.empty()) {
    requeue(std::move(homeless));
    bell_.raise();
    return;
  }
  worker->wake();
  if (timed) bell_.raise();  // the manager has a deadline to keep
}

// The promised slot stays free; the task is cancelled already, or fails with `error`.
void process_pool_state::settle_undispatched(const core_ptr<core>& task, const worker_ptr& worker,
                                             std::exception_ptr error) noexcept {
  {
    const lock held(mutex_);
    --worker->reserved;
    --outstanding_;
    if (error) {
      ++finished_;
      ++failed_;
    } else {
      ++cancelled_;
    }
    attempts_.erase(task.get());
  }
  bell_.raise();  // others may be waiting for the slot, or the manager for the end
  if (error) {
    task->drop_payload();
    task->complete_error(std::move(error));
  }
}

bool process_pool_state::cancel_running(core& task) noexcept {
  if (in_forked_child()) return false;
  core_ptr<core> mine;
  worker_ptr worker;
  {
    const lock held(mutex_);
    for (const worker_ptr& w : workers_) {
      for (std::size_t i = 0; i < w->in_ring() && !mine; ++i) {
        auto& flight = w->flight_behind_front(i);
        if (flight.task.get() != &task) continue;
        if (w->recall(i)) {
          --w->placed;
          mine = std::move(flight.task);
        } else if (process::state_of(w->slot_behind_front(i)) == process::slot_state::taken) {
          w->slot_behind_front(i).stop.store(1, std::memory_order_release);
          if (!options_.kill_on_cancel) return false;
          w->doomed = true;
          w->retiring = true;
          mine = std::move(flight.task);
        }
        worker = w;
      }
    }
    if (!mine) return false;
    --outstanding_;
    ++cancelled_;
    attempts_.erase(mine.get());
  }
  bell_.raise();
  mine->drop_payload();
  mine->complete_cancelled();
  return true;
}

// Everything that no worker has begun.
void process_pool_state::cancel_waiting() noexcept {
  std::vector<core_ptr<core>> dispatched;
  process::task_list waiting = [&] {
    const lock held(mutex_);
    for (const worker_ptr& w : workers_) {
      for (std::size_t i = 0; i < w->in_ring(); ++i) {
        auto& flight = w->flight_behind_front(i);
        if (flight.task && w->recall(i)) dispatched.push_back(std::move(flight.task));
      }
    }
    return std::move(backlog_);
  }();
  const std::int64_t count = waiting.size() + static_cast<std::int64_t>(dispatched.size());
  for (const auto& task : dispatched) {
    task->drop_payload();
    task->complete_cancelled();
  }
  while (!waiting.empty()) waiting.pop_front()->cancel_pending();
  const lock held(mutex_);
  outstanding_ -= count;
  cancelled_ += count;
}

void process_pool_state::shutdown(const shutdown_options& options) {
  if (in_forked_child()) return;
  if (options.wait && on_manager()) {
    throw invalid_state_error(
        "tandem: process_pool::shutdown() with wait, called by a callback that the pool itself runs: "
        "it would wait for itself. Pass {.wait = false}, or call it from another thread");
  }
  {
    const lock held(mutex_);
    open_ = false;
  }
  if (options.cancel_pending) cancel_waiting();
  bell_.raise();
  if (!options.wait) return;
  ended_->wait();
  const std::lock_guard held(join_mutex_);
  if (manager_.joinable()) manager_.join();
}

void process_pool_state::close_handle(std::shared_ptr<process_pool_state> state) noexcept {
  if (state->in_forked_child()) {
    // A forked child of the pool's process has no manager thread to wait for, and the workers are not its own.
    static_cast<void>(new (std::nothrow) std::shared_ptr<process_pool_state>(std::move(state)));
    return;
  }
  try {
    if (state->on_manager()) {
      state->shutdown({.wait = false, .cancel_pending = false});
      state->manager_.detach();  // it holds the state, and ends when the accepted tasks are done
    } else {
      state->shutdown({});
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tandem: a process_pool could not be shut down: %s\n", e.what());
  }
}

executor_stats process_pool_state::stats() const {
  executor_stats s;
  if (in_forked_child()) return s;
  const lock held(mutex_);
  s.queued = backlog_.size();
  for (const worker_ptr& w : workers_) {
    worker_stats row;
    row.pid = w->pid;
    row.tasks_done = static_cast<std::int64_t>(w->header().tasks_done.load(std::memory_order_relaxed));
    ++s.workers;
    bool busy = false;
    for (std::size_t i = 0; i < w->in_ring(); ++i) {
      const auto& task = w->flight_behind_front(i).task;
      const process::slot_state state = process::state_of(w->slot_behind_front(i));
      if (state == process::slot_state::taken) {
        busy = true;
        ++s.running;
        if (task && task->options() != nullptr) row.task = task->options()->name;
      } else if (state == process::slot_state::ready) {
        ++s.queued;
      }
    }
    if (!busy) ++s.idle;
    s.per_worker.push_back(std::move(row));
  }
  s.finished = finished_;
  s.failed = failed_;
  s.cancelled = cancelled_;
  s.restarts = restarts_;
  s.retried = retried_;
  s.bytes_sent = bytes_sent_;
  s.bytes_received = bytes_received_;
  return s;
}

}  // namespace tandem::detail
