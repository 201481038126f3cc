// The ways into the pool and out of it, and the starting of threads. README.md names the actors.
#include "thread_pool/thread_pool_state.hpp"

#include <tandem/error.hpp>

#include "posix/clock.hpp"
#include "posix/cpus.hpp"
#include "posix/fork_watch.hpp"
#include "posix/futex.hpp"

#include <boost/date_time/posix_time/posix_time_types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>

namespace tandem::detail {

namespace {

// How long a worker that is not needed stays, in case somebody blocks again: starting a thread costs some 50 us.
constexpr std::chrono::milliseconds rest_time{100};

int most_threads(const thread_pool_options& options) {
  return std::min(options.max_workers + options.max_spare_workers, dispatch::roster::most_workers);
}

}  // namespace

thread_pool_state::thread_pool_state(thread_pool_options options)
    : options_(std::move(options)),
      most_threads_(most_threads(options_)),
      may_spin_(posix::usable_cpus() > 1),
      generation_(posix::fork_generation()),
      roster_(most_threads_, options_.max_workers),
      workers_(std::make_unique<std::atomic<thread_worker*>[]>(static_cast<std::size_t>(most_threads_))),
      threads_(static_cast<std::size_t>(most_threads_)),
      available_(most_threads_) {}

thread_pool_state::~thread_pool_state() {
  cancel_waiting();  // nothing is there but what a broken pool left
  for (int i = 0; i < places(); ++i) delete &at(i);
}

// --- into the pool -----------------------------------------------------------------------------------------------

void thread_pool_state::enqueue(core_ptr<core> task) {
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: submit on a thread_pool in a forked child: its threads exist in the parent only. "
        "Make a pool of its own in the child");
  }
  task->set_owner(this);
  if (!injector_.push(task.get())) refuse();
  (void)task.detach();  // the queue has it
  if (!roster_.is_served(roster_.look())) call_worker();
}

void thread_pool_state::refuse() const {
  if (!roster_.look().broken()) throw shutdown_error("tandem: submit on a thread_pool after shutdown()");
  const std::lock_guard lock(mutex_);
  throw broken_pool_error("tandem: submit on a broken thread_pool: it " + broken_why_);
}

bool thread_pool_state::has_work() const noexcept {
  if (!injector_.empty()) return true;
  for (int i = 0; i < places(); ++i) {
    if (!workers_[i].load(std::memory_order_acquire)->waiting().empty()) return true;
  }
  return false;
}

void thread_pool_state::call_worker() noexcept {
  for (;;) {
    if (roster_.wake_one()) return;
    const dispatch::roster::view v = roster_.look();
    if (roster_.is_served(v) || v.broken()) return;  // broken: tasks are failed, not run
    if (v.top() != 0) continue;
    // More threads are wanted. None is started while a worker is on its way anyhow.
    if (!may_grow() || someone_is_coming()) return;
    if (!roster_.begin_start()) continue;
    start_worker();
    return;
  }
}

// ORDER call-park: seq_cst loads behind the publication of the work. A worker that we count on here looks for work
// behind the seq_cst store (or exchange) that takes back what we have seen.
bool thread_pool_state::someone_is_coming() const noexcept {
  const int initializing = initializing_.load(std::memory_order_seq_cst);
  if (initializing > 0 && injector_.size() <= static_cast<std::size_t>(initializing)) return true;
  for (int i = 0; i < places(); ++i) {
    if (workers_[i].load(std::memory_order_acquire)->ledger().finishing.load(std::memory_order_seq_cst))
      return true;
  }
  return false;
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

// --- threads -----------------------------------------------------------------------------------------------------

// Behind begin_start(): recalls a resting worker or starts a thread.
void thread_pool_state::start_worker() noexcept {
  const boost::this_thread::disable_interruption uninterrupted;
  std::string error;
  {
    const std::lock_guard lock(mutex_);
    if (!resting_.empty()) {
      const int index = resting_.back();
      resting_.pop_back();
      available_.fetch_sub(1, std::memory_order_seq_cst);
      threads_[index].who = presence::on_duty;
      roster_.recall(index);
      return;
    }
    const auto free = std::find_if(threads_.begin(), threads_.end(),
                                   [](const place& p) { return p.who == presence::absent; });
    // Closed and nothing to do: whoever called us was late, and shutdown() may be done with joining.
    const bool late = roster_.look().ending() && !has_work();
    // No place: a thread is about to give its one up, and calls again when it has.
    if (free != threads_.end() && !late) {
      try {
        start_thread(static_cast<int>(free - threads_.begin()));
        return;
      } catch (const std::exception& e) {
        error = e.what();
      }
    }
    roster_.undo_start();
    starts_.fetch_add(1, std::memory_order_seq_cst);
  }
  posix::futex_wake(starts_, posix::wake_all, posix::scope::process_private);
  // Meanwhile we stood for a searcher, on whom others counted.
  if (has_work()) roster_.wake_one();
  if (error.empty()) return;
  if (roster_.look().active() == 0) {
    break_down("could not start a thread: " + error);
  } else {
    std::fprintf(stderr, "tandem: thread_pool goes on with fewer workers: could not start a thread: %s\n",
                 error.c_str());
  }
}

// With mutex_ held.
void thread_pool_state::start_thread(int index) {
  place& p = threads_[index];
  put_away(std::move(p.thread));
  if (index >= places()) {
    workers_[index].store(new thread_worker(*this, index), std::memory_order_release);
    places_.store(index + 1, std::memory_order_release);
  }
  boost::thread::attributes attributes;
  if (options_.stack_size != 0) attributes.set_stack_size(options_.stack_size);
  p.who = presence::on_duty;
  available_.fetch_sub(1, std::memory_order_seq_cst);
  try {
    p.thread = boost::thread(attributes, [self = shared_from_this(), index]() mutable {
      const std::shared_ptr<thread_pool_state> keep = std::move(self);
      keep->at(index).run();
      keep->thread_ended(index);
    });
  } catch (...) {
    p.who = presence::absent;
    available_.fetch_add(1, std::memory_order_seq_cst);
    throw;
  }
  if (detached_) p.thread.detach();
  starts_.fetch_add(1, std::memory_order_seq_cst);
  posix::futex_wake(starts_, posix::wake_all, posix::scope::process_private);
}

// With mutex_ held. Joins a thread whose work is over without waiting for it: it may be about to want mutex_.
void thread_pool_state::put_away(boost::thread thread) {
  if (thread.joinable()) leaving_.push_back(std::move(thread));
  std::erase_if(leaving_, [](boost::thread& t) { return t.timed_join(boost::posix_time::seconds(0)); });
}

void thread_pool_state::thread_ended(int index) noexcept {
  {
    const std::lock_guard lock(mutex_);
    threads_[index].who = presence::absent;
    available_.fetch_add(1, std::memory_order_seq_cst);
  }
  // There may be work for which no thread could be started, because we were one.
  if (!roster_.look().broken()) call_if_needed();
}

bool thread_pool_state::rest(thread_worker& worker) noexcept {
  // We have left the roster: what was published counting on us is for others now.
  call_if_needed();
  const int index = worker.index();
  {
    const std::lock_guard lock(mutex_);
    if (roster_.look().ending()) return false;
    roster_.prepare_nap(index);
    threads_[index].who = presence::resting;
    resting_.push_back(index);
    available_.fetch_add(1, std::memory_order_seq_cst);
  }
  const bool woken = roster_.nap(index, posix::deadline_after(rest_time));
  {
    const std::lock_guard lock(mutex_);
    if (threads_[index].who == presence::dismissed) return false;
    const auto mine = std::find(resting_.begin(), resting_.end(), index);
    if (mine != resting_.end()) {
      resting_.erase(mine);
      available_.fetch_sub(1, std::memory_order_seq_cst);
      return false;
    }
  }
  if (!woken) roster_.sleep(index);  // recalled when the time was over: the signal is on its way
  return true;
}

void thread_pool_state::dismiss_resting() noexcept {
  const std::lock_guard lock(mutex_);
  for (const int index : resting_) {
    threads_[index].who = presence::dismissed;
    available_.fetch_sub(1, std::memory_order_seq_cst);
    roster_.recall(index);
  }
  resting_.clear();
}

// --- out of the pool ---------------------------------------------------------------------------------------------

bool thread_pool_state::in_forked_child() const noexcept { return posix::fork_generation() != generation_; }

bool thread_pool_state::on_own_worker() const noexcept {
  const worker_context* current = current_worker();
  for (int i = 0; current != nullptr && i < places(); ++i) {
    if (workers_[i].load(std::memory_order_acquire) == current) return true;
  }
  return false;
}

void thread_pool_state::shutdown(const shutdown_options& options) {
  if (in_forked_child()) return;
  if (options.wait && on_own_worker()) {
    throw invalid_state_error(
        "tandem: thread_pool::shutdown() with .wait on one of its own workers: the worker would wait for "
        "itself. "
        "Call it from another thread, or with .wait = false");
  }
  // In this order: workers end when the roster is closed and no work is left, and from then on none may come.
  injector_.close();
  roster_.close();
  dismiss_resting();
  if (options.cancel_pending) cancel_waiting();
  call_if_needed();
  if (options.wait) join_all();
}

void thread_pool_state::abandon() noexcept {
  if (in_forked_child()) return;
  if (!on_own_worker()) {
    shutdown({});
    return;
  }
  std::fprintf(stderr,
               "tandem: a thread_pool is destroyed on one of its own workers (by a task, or by exit() in a "
               "task), which "
               "cannot wait for itself. Its workers finish what was submitted and end on their own\n");
  shutdown({.wait = false});
  const std::lock_guard lock(mutex_);
  detached_ = true;
  for (place& p : threads_) {
    if (p.thread.joinable()) p.thread.detach();
  }
  for (boost::thread& t : leaving_) t.detach();
}

// Until every thread is gone and nothing is left to do: blocked workers may need spares to the very end.
void thread_pool_state::join_all() {
  const boost::this_thread::disable_interruption uninterrupted;
  const std::lock_guard joining(join_mutex_);
  for (;;) {
    const std::uint32_t starts = starts_.load(std::memory_order_seq_cst);
    boost::thread thread;
    {
      const std::lock_guard lock(mutex_);
      const auto any =
          std::find_if(threads_.begin(), threads_.end(), [](const place& p) { return p.thread.joinable(); });
      if (any != threads_.end()) thread = std::move(any->thread);
    }
    if (thread.joinable()) {
      thread.join();
    } else if (roster_.look().active() != 0) {
      // Somebody is about to start a thread.
      posix::futex_wait(starts_, starts, posix::scope::process_private);
    } else if (has_work()) {
      call_worker();
      std::this_thread::yield();  // broken: somebody is failing the tasks that are left
    } else {
      return;
    }
  }
}

template <class Each>
void thread_pool_state::drain(dispatch::batch_ring<core>& ring, Each each) noexcept {
  core* batch[dispatch::batch_ring<core>::capacity];
  while (const std::size_t count = ring.steal(batch, std::size(batch))) {
    for (std::size_t i = 0; i < count; ++i) each(batch[i]);
  }
}

template <class Each>
void thread_pool_state::drain(Each each) noexcept {
  for (int i = 0; i < places(); ++i) drain(at(i).waiting(), each);
  core* batch[64];
  while (!injector_.empty()) {
    const std::size_t count = injector_.pop(batch, std::size(batch));
    for (std::size_t i = 0; i < count; ++i) each(batch[i]);
  }
}

void thread_pool_state::cancel_waiting() noexcept {
  drain([this](core* task) {
    if (task->cancel_pending()) cancelled_.fetch_add(1, std::memory_order_relaxed);
    task->release();
  });
}

void thread_pool_state::break_down(const std::string& why) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (broken_why_.empty()) broken_why_ = why;
  }
  if (roster_.break_down()) std::fprintf(stderr, "tandem: a thread_pool is broken: it %s\n", why.c_str());
  injector_.close();
  dismiss_resting();
  drain([this](core* task) { fail(task); });
}

void thread_pool_state::fail_tasks(dispatch::batch_ring<core>& ring) noexcept {
  drain(ring, [this](core* task) { fail(task); });
}

void thread_pool_state::fail(core* task) noexcept {
  if (task->try_start()) {
    std::exception_ptr error;
    {
      const std::lock_guard lock(mutex_);
      error = std::make_exception_ptr(
          broken_pool_error("tandem: the thread_pool broke before the task ran: it " + broken_why_));
    }
    task->drop_payload();
    failed_.fetch_add(1, std::memory_order_relaxed);
    task->complete_error(std::move(error));
  }
  task->release();
}

// --- the numbers -------------------------------------------------------------------------------------------------

executor_stats thread_pool_state::stats() const {
  executor_stats s;
  if (in_forked_child()) return s;
  const auto read = [](const std::atomic<std::int64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  std::int64_t started = 0;
  for (int i = 0; i < places(); ++i) {
    const thread_worker& w = *workers_[i].load(std::memory_order_acquire);
    // Finished before started, and both before pushed: a task on its way counts as running or queued, never negative.
    const std::int64_t finished = read(w.ledger().finished);
    s.finished += finished;
    s.failed += read(w.ledger().failed);
    s.cancelled += w.cancelled();
    started += std::max(read(w.ledger().started), finished);
  }
  const std::int64_t never_ran = read(failed_);
  s.running = started - s.finished;
  s.finished += never_ran;
  s.failed += never_ran;
  s.cancelled += read(cancelled_);
  s.queued = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(injector_.pushed()) - started - never_ran - s.cancelled);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i].who == presence::absent) continue;
    const thread_worker& w = *workers_[i].load(std::memory_order_acquire);
    ++s.workers;
    if (read(w.ledger().started) <= read(w.ledger().finished)) ++s.idle;
    s.per_worker.push_back({w.thread_id(), w.task_name(), w.tasks_done()});
  }
  return s;
}

}  // namespace tandem::detail
