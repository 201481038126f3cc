// Making, asking and ending a pool. Submitting is in submission.cpp, cancelling in cancellation.cpp.
#include "process_pool/pool_state.hpp"

#include "executor/unhandled.hpp"

#include "posix/signals.hpp"

#include "process_pool/init.hpp"
#include "process_pool/options.hpp"
#include "process_pool/preload.hpp"
#include "process_pool/worker.hpp"

#include <tandem/error.hpp>

#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace tandem::detail {

namespace {

// A pool in a worker of a pool in a worker ...: deeper than anybody means to, long before it is a fork bomb.
constexpr int max_depth = 4;

// As process::checked(); also refuses where no pool can be made.
process_pool_options allowed(process_pool_options options) {
  options = process::checked(std::move(options));
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
  try {
    std::shared_ptr<process_pool_state> state(new process_pool_state(allowed(std::move(options))));
    // Needed only when a worker is started, but there nobody can be told.
    static_cast<void>(process::ring::create());
    state->link_ = process::server_link::start(state->options_.start, state->greeting());
    add_task_owner(state.get(), state);
    const posix::block_signals_from_outside quiet;  // the user's handlers run on the user's threads
    state->manager_ = std::thread([state] { state->manage(); });
    return state;
  } catch (const std::system_error& e) {
    process::throw_start_error(e);
  }
}

process_pool_state::process_pool_state(process_pool_options options)
    : options_(std::move(options)),
      fork_generation_(posix::fork_generation()),
      last_resort_(std::make_exception_ptr(
          broken_pool_error("tandem: the process pool is broken: this process is out of memory"))),
      bound_("process_pool", options_.queue_capacity, options_.when_full),
      max_workers_(options_.max_workers != 0 ? options_.max_workers : process::default_workers(options_)),
      ended_(new promised<void>) {}

process_pool_state::~process_pool_state() {
  gone_buffers_->close();
  remove_task_owner(this);
}

bool process_pool_state::take_unhandled(const char* where, const std::exception_ptr& error) noexcept {
  return call_error_handler(options_.error_handler, where, error);
}

process::hello process_pool_state::greeting() const {
  process::hello message;
  writer modules;
  encode_modules(modules);
  const auto bytes = modules.bytes();
  message.modules.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  message.name_prefix = options_.name_prefix;
  message.initializer = process::to_hook(options_.initializer);
  message.finalizer = process::to_hook(options_.finalizer);
  message.preloads = process::preloads();
  message.spawn = options_.start == start_method::spawn;
  message.rules = process::conditions_in(options_);
  message.depth = static_cast<std::uint32_t>(process::pool_depth() + 1);
  return message;
}

void process_pool_state::resize(int workers) {
  check_not_negative("process_pool::resize: max_workers", workers);
  process::check_below_limit("process_pool::resize: max_workers", workers);
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: resize of a process_pool in a forked child: its workers belong to the parent");
  }
  if (workers == 0) workers = process::default_workers(options_);
  {
    const lock held(mutex_);
    refuse_if_closed(held, "resize");
    max_workers_ = workers;
    wanted_ = std::min(wanted_, static_cast<std::size_t>(workers));
    if (outstanding_ != 0) want_workers(held);
  }
  bound_.wake();  // there may be room for more
  dismiss_surplus_workers();
  bell_.raise();
}

void process_pool_state::shutdown(const shutdown_options& options) {
  if (in_forked_child()) return;
  if (options.wait && must_not_wait()) {
    throw invalid_state_error(
        "tandem: process_pool::shutdown() with wait, called by a callback that the pool itself runs: "
        "it would wait for itself. Pass {.wait = false}, or call it from another thread");
  }
  const auto keep = shared_from_this();  // a callback of what is cancelled may let go of the pool
  {
    const lock held(mutex_);
    open_ = false;
  }
  bound_.wake();
  cancel_not_due();
  if (options.cancel_pending) cancel_waiting();
  bell_.raise();
  if (!options.wait) return;
  await_end();
}

// Not where must_not_wait().
void process_pool_state::await_end() {
  while (run_put_off_callbacks()) {}
  const this_task::blocking_region blocked;  // perhaps a worker of another pool, on whom our tasks may wait
  if (bound_.exists()) bound_.await_callers();
  ended_->wait();
  {
    const std::lock_guard held(join_mutex_);
    if (manager_.joinable()) manager_.join();
  }
  stop_delayed(this);  // callbacks of a task that ran too long, in its submitter, may still be under way
}

bool process_pool_state::is_open() const noexcept {
  if (in_forked_child()) return false;
  const lock held(mutex_);
  return open_ && !broken_;
}

void process_pool_state::close_handle(std::shared_ptr<process_pool_state> state) noexcept {
  if (state->in_forked_child()) {
    // A forked child of the pool's process has no manager thread to wait for, and the workers are not its own.
    // Kept findable, so that leak checkers see no leak.
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): out of memory here ends the forked child
    static auto& kept = *new std::vector<std::shared_ptr<process_pool_state>>;
    kept.push_back(std::move(state));
    return;
  }
  try {
    if (state->must_not_wait()) {
      state->shutdown({.wait = false, .cancel_pending = false});
      stop_delayed(state.get());  // the handle is about to go
      const std::lock_guard held(state->join_mutex_);
      if (state->manager_.joinable())
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
  s.queued = backlog_.size() + retries_.size();
  for (const worker_ptr& w : workers_) {
    worker_stats row;
    row.pid = w->pid != 0 ? w->pid : w->header().pid.load(std::memory_order_relaxed);
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
  bound_.add_to(s);
  return s;
}

}  // namespace tandem::detail
