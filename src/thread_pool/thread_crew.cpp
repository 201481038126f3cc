// Starting, resting and ending of a pool's threads. README.md has the table of presences.
#include "thread_pool/thread_crew.hpp"

#include "posix/clock.hpp"
#include "posix/futex.hpp"
#include "thread_pool/thread_pool_state.hpp"

#include <boost/date_time/posix_time/posix_time_types.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace tandem::detail {

namespace {

// How long a worker that is not needed stays, in case somebody blocks again: starting a thread costs some 50 us.
constexpr std::chrono::milliseconds rest_time{100};

}  // namespace

thread_crew::thread_crew(thread_pool_state& pool, int most)
    : pool_(pool), available_(most), most_(most), threads_(static_cast<std::size_t>(most)) {
  workers_.reserve(most);
  resting_.reserve(static_cast<std::size_t>(most));  // so that rest() cannot fail
}

thread_crew::~thread_crew() {
  for (int i = 0; i < places(); ++i) delete &at(i);
}

bool thread_crew::has_this_thread() const noexcept {
  const worker_context* current = current_worker();
  for (int i = 0; current != nullptr && i < places(); ++i) {
    if (&at(i) == current) return true;
  }
  return false;
}

std::vector<const thread_worker*> thread_crew::present() const {
  std::vector<const thread_worker*> result;
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < places(); ++i) {
    const presence who = threads_[i].who;
    if (who != presence::absent && who != presence::vacant) result.push_back(&at(i));
  }
  return result;
}

// The mutex keeps the threads from being detached, or given to other workers, meanwhile.
void thread_crew::interrupt(const core& task) noexcept {
  const std::lock_guard lock(mutex_);
  // All of them: a worker may only believe that it is going to run the task (see interruption::claim()).
  for (int i = 0; i < places(); ++i) at(i).interrupt(task);
}

void thread_crew::set_most(int most) {
  const std::lock_guard lock(mutex_);
  if (const auto count = static_cast<std::size_t>(most); count > threads_.size()) {
    pool_.roster().reserve(most);
    workers_.reserve(most);
    resting_.reserve(count);
    threads_.resize(count);
  }
  // ORDER call-park: seq_cst. Whoever calls this looks for work afterwards, for others have seen that none may come.
  available_.fetch_add(most - most_, std::memory_order_seq_cst);
  most_ = most;
}

std::string thread_crew::start(int vacant) noexcept {
  const boost::this_thread::disable_interruption uninterrupted;  // joining would be an interruption point
  std::string error = try_start(vacant);
  join_ended();
  return error;
}

std::string thread_crew::try_start(int vacant) noexcept {
  std::string error;
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    if (!resting_.empty()) {
      if (vacant != nowhere) clear(vacant);
      recall_one();
      return error;
    }
    // Closed and nothing to do: whoever called us was late, and shutdown() may be done with joining.
    late = pool_.roster().look().ending() && !pool_.has_work();
    // No place: a thread is about to give its one up, and calls again when it has.
    const int index = vacant != nowhere ? vacant : free_place();
    if (index != nowhere && !late) {
      try {
        start_thread(index);
        return error;
      } catch (const std::exception& e) {
        error = e.what();
      }
    }
    if (vacant != nowhere) clear(vacant);
    pool_.roster().undo_start();
  }
  note_start();
  // Meanwhile we stood for a searcher, on whom others counted.
  if (late) {
    pool_.call_if_needed();
  } else if (vacant == nowhere && pool_.has_work()) {
    pool_.wake_worker();
  }
  return error;
}

void thread_crew::give_up(int vacant) noexcept {
  {
    const std::lock_guard lock(mutex_);
    clear(vacant);
    pool_.roster().undo_start();
  }
  note_start();
  pool_.call_if_needed();
}

// With mutex_ held. The place of a thread that is gone, or will be before anybody can take it.
void thread_crew::clear(int index) noexcept {
  threads_[index].who = presence::absent;
  available_.fetch_add(1, std::memory_order_seq_cst);
}

// With mutex_ held.
void thread_crew::recall_one() noexcept {
  const int index = resting_.back();
  resting_.pop_back();
  available_.fetch_sub(1, std::memory_order_seq_cst);
  threads_[index].who = presence::on_duty;
  pool_.roster().recall(index);
}

// With mutex_ held. The lowest one.
int thread_crew::free_place() const noexcept {
  if (available_.load(std::memory_order_relaxed) <= 0) return nowhere;
  const auto free = std::find_if(threads_.begin(), threads_.end(),
                                 [](const place& p) { return p.who == presence::absent; });
  return free != threads_.end() ? static_cast<int>(free - threads_.begin()) : nowhere;
}

// With mutex_ held.
void thread_crew::start_thread(int index) {
  place& p = threads_[index];
  if (p.thread != nullptr) leaving_.push_back(std::exchange(p.thread, nullptr));
  if (index >= places()) {
    workers_[index].store(new thread_worker(pool_, index), std::memory_order_release);
    places_.store(index + 1, std::memory_order_release);
  }
  boost::thread::attributes attributes;
  if (pool_.options().stack_size != 0) attributes.set_stack_size(pool_.options().stack_size);
  const presence before = std::exchange(p.who, presence::on_duty);
  if (before == presence::absent) available_.fetch_sub(1, std::memory_order_seq_cst);
  try {
    p.thread =
        std::make_shared<boost::thread>(attributes, [pool = pool_.shared_from_this(), this, index]() mutable {
          const std::shared_ptr<thread_pool_state> keep = std::move(pool);
          const bool idle = at(index).run() == thread_worker::end::idle;
          if (!keep->in_forked_child()) thread_ended(index, idle);
        });
  } catch (...) {
    p.who = before;
    if (before == presence::absent) available_.fetch_add(1, std::memory_order_seq_cst);
    throw;
  }
  at(index).set_thread(p.thread);
  if (detached_) std::exchange(p.thread, nullptr)->detach();
  note_start();
}

// Joins threads whose work is over. Without mutex_: a thread's end may run destructors of the user's, which may take
// their time and may submit. Does not wait for another one that is at it, nor for itself.
void thread_crew::join_ended() noexcept {
  const std::unique_lock joining(joining_mutex_, std::try_to_lock);
  if (!joining) return;
  std::list<thread_ptr> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(leaving_);
  }
  std::erase_if(ended, [](const thread_ptr& t) {
    return t->get_id() != boost::this_thread::get_id() && t->timed_join(boost::posix_time::seconds(0));
  });
  if (ended.empty()) return;
  const std::lock_guard lock(mutex_);
  leaving_.splice(leaving_.end(), ended);
  if (detached_) detach_leaving();
}

// `idle`: still in its bed, where the next one to be called may be sent.
void thread_crew::thread_ended(int index, bool idle) noexcept {
  if (idle) {  // may be the last one to come by for long: a thread that nobody joins keeps its stack
    const boost::this_thread::disable_interruption uninterrupted;
    join_ended();
  }
  {
    const std::lock_guard lock(mutex_);
    if (idle && pool_.roster().vacate(index)) {
      place& p = threads_[index];
      p.who = presence::vacant;
      try {
        if (p.thread != nullptr) {
          leaving_.emplace_back();
          leaving_.back().swap(p.thread);
        }
      } catch (const std::bad_alloc&) {
        // Whoever takes the place, or joins at the end, does it.
      }
      return;  // nobody has counted on it
    }
    clear(index);
  }
  // There may be work for which no thread could be started, because we were one.
  pool_.call_if_needed();
}

void thread_crew::note_start() noexcept {
  starts_.fetch_add(1, std::memory_order_seq_cst);
  posix::futex_wake(starts_, posix::wake_all, posix::scope::process_private);
}

void thread_crew::await_start(std::uint32_t seen) noexcept {
  posix::futex_wait(starts_, seen, posix::scope::process_private);
}

bool thread_crew::rest(int index) noexcept {
  dispatch::roster& roster = pool_.roster();
  {
    const std::lock_guard lock(mutex_);
    if (roster.look().ending()) return false;
    roster.prepare_nap(index);
    threads_[index].who = presence::resting;
    resting_.push_back(index);
    available_.fetch_add(1, std::memory_order_seq_cst);
  }
  pool_
      .call_if_needed();  // whoever saw that nobody was available has called nobody; perhaps it is us whom we call
  const bool woken = roster.nap(index, posix::deadline_after(rest_time));
  {
    const std::lock_guard lock(mutex_);
    if (threads_[index].who == presence::dismissed) return false;
    if (std::erase(resting_, index) != 0) {  // nobody has recalled us
      available_.fetch_sub(1, std::memory_order_seq_cst);
      return false;
    }
  }
  if (!woken) roster.sleep(index);  // recalled when the time was over: the signal is on its way
  return true;
}

void thread_crew::dismiss_resting() noexcept {
  const std::lock_guard lock(mutex_);
  for (const int index : resting_) {
    threads_[index].who = presence::dismissed;
    available_.fetch_sub(1, std::memory_order_seq_cst);
    pool_.roster().recall(index);
  }
  resting_.clear();
}

bool thread_crew::join_one() {
  thread_ptr thread;
  {
    const std::lock_guard joining(joining_mutex_);  // so that leaving_ is whole
    const std::lock_guard lock(mutex_);
    const auto any =
        std::find_if(threads_.begin(), threads_.end(), [](const place& p) { return p.thread != nullptr; });
    if (any != threads_.end()) {
      thread = std::exchange(any->thread, nullptr);
    } else if (!leaving_.empty()) {
      thread = std::move(leaving_.back());
      leaving_.pop_back();
    }
  }
  if (thread == nullptr) return false;
  thread->join();
  return true;
}

void thread_crew::detach_all() noexcept {
  const std::lock_guard lock(mutex_);
  detached_ = true;
  for (place& p : threads_) {
    if (p.thread != nullptr) std::exchange(p.thread, nullptr)->detach();
  }
  detach_leaving();
}

// With mutex_ held.
void thread_crew::detach_leaving() noexcept {
  for (const thread_ptr& t : leaving_) t->detach();
  leaving_.clear();
}

}  // namespace tandem::detail
