#include "timer/timer.hpp"

#include "posix/futex.hpp"
#include "posix/per_process.hpp"
#include "posix/process.hpp"
#include "posix/signals.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace tandem::timer {

namespace {

// How long the thread stays when nothing waits any more: starting one costs some 50 us.
constexpr std::chrono::milliseconds linger{100};

struct entry {
  std::unique_ptr<alarm> what;
  const void* owner;
  at_end then;
};

class clockwork {
 public:
  handle set(posix::steady_time when, std::unique_ptr<alarm> what, const void* owner, at_end then) {
    bool too_late = false;
    handle made;
    {
      const std::lock_guard held(mutex_);
      made = {when, ++last_number_};
      const auto at = waiting_.emplace(std::pair(when, made.number), entry{nullptr, owner, then}).first;
      try {
        if (!has_thread_) start_thread();
      } catch (...) {
        waiting_.erase(at);
        throw;
      }
      at->second.what = std::move(what);  // nothing can fail any more
      too_late = shorten_sleep(when);
    }
    if (too_late) wake_thread();
    return made;
  }

  bool stop(const handle& which) noexcept {
    std::unique_ptr<alarm> stopped;  // destroyed behind the lock: its destructor may be the user's
    bool may_go = false;
    {
      const std::lock_guard held(mutex_);
      const auto found = waiting_.find({which.when, which.number});
      if (found == waiting_.end()) return false;
      stopped = std::move(found->second.what);
      waiting_.erase(found);
      may_go = let_thread_go();
    }
    if (may_go) wake_thread();
    return true;
  }

  handle move(const handle& which, posix::steady_time when) noexcept {
    bool too_late = false;
    {
      const std::lock_guard held(mutex_);
      auto node = waiting_.extract({which.when, which.number});
      if (node.empty()) return {};
      node.key().first = when;
      waiting_.insert(std::move(node));
      too_late = shorten_sleep(when);
    }
    if (too_late) wake_thread();
    return {when, which.number};
  }

  void stop_all(const void* owner, bool and_await) noexcept {
    std::unique_lock held(mutex_);
    drop_those_of(owner, held);
    if (!and_await) return;
    while (is_busy_elsewhere(owner)) {
      // ORDER rung: read under the mutex under which the count goes up, behind what it tells of.
      const std::uint32_t rung = rung_.load(std::memory_order_relaxed);
      held.unlock();
      posix::futex_wait(rung_, rung, posix::scope::process_private);
      held.lock();
    }
  }

 private:
  using table = std::map<std::pair<posix::steady_time, std::uint64_t>, entry>;

  // A thread that drops alarms which it has taken out of the table.
  struct dropper {
    const void* owner;
    std::thread::id thread;
    dropper* next;
  };

  void wake_thread() noexcept { posix::futex_wake(changes_, 1, posix::scope::process_private); }

  // With the mutex held. True if the thread sleeps for longer than until then, and must be woken.
  [[nodiscard]] bool shorten_sleep(posix::steady_time when) noexcept {
    if (when >= sleeps_until_) return false;
    changes_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  // With the mutex held. Nothing waits any more: the thread need not sleep until a time that has no alarm. Not for a
  // moment's difference, else each task with a time limit would wake it twice.
  [[nodiscard]] bool let_thread_go() noexcept {
    if (!waiting_.empty() || sleeps_until_ <= std::chrono::steady_clock::now() + linger) return false;
    sleeps_until_ = posix::steady_time::min();  // it is awake from now on
    changes_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  // With the mutex held: the new thread waits for it.
  void start_thread() {
    const posix::block_signals_from_outside quiet;  // the user's handlers run on the user's threads
    std::thread thread([this] { run(); });
    thread_id_ = thread.get_id();
    thread.detach();  // it may outlive main; what it uses is never destroyed
    has_thread_ = true;
  }

  void run() noexcept {
    posix::set_name("tandem-timer");
    std::unique_lock held(mutex_);
    for (;;) {
      const posix::steady_time now = std::chrono::steady_clock::now();
      if (!waiting_.empty() && waiting_.begin()->first.first <= now) {
        ring(held, std::move(waiting_.extract(waiting_.begin()).mapped()));
        continue;
      }
      const bool idle = waiting_.empty();
      const posix::steady_time until = idle ? now + linger : waiting_.begin()->first.first;
      sleeps_until_ = until;
      const std::uint32_t seen = changes_.load(std::memory_order_relaxed);
      held.unlock();
      const posix::wait_status why = posix::futex_wait(changes_, seen, posix::scope::process_private, until);
      held.lock();
      sleeps_until_ = posix::steady_time::min();
      // Under the mutex: whoever sets an alarm behind this starts another thread.
      if (idle && waiting_.empty() && why == posix::wait_status::timed_out) {
        has_thread_ = false;
        return;
      }
    }
  }

  void ring(std::unique_lock<std::mutex>& held, entry due) noexcept {
    ringing_ = due.owner;
    held.unlock();
    due.what->ring();
    due.what.reset();
    held.lock();
    ringing_ = nullptr;
    if (due.owner != nullptr) tell_that_one_is_done();
  }

  // With the mutex held, but not while they are dropped: that may call the user's callbacks.
  void drop_those_of(const void* owner, std::unique_lock<std::mutex>& held) noexcept {
    table theirs;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto here = at++;
      if (here->second.owner == owner && here->second.then == at_end::dropped)
        theirs.insert(waiting_.extract(here));
    }
    if (theirs.empty()) return;
    const bool may_go = let_thread_go();
    dropper self{owner, std::this_thread::get_id(), droppers_};
    droppers_ = &self;
    held.unlock();
    if (may_go) wake_thread();
    for (auto& [when, one] : theirs) {
      one.what->drop();
      one.what.reset();
    }
    held.lock();
    dropper** link = &droppers_;
    while (*link != &self) link = &(*link)->next;
    *link = self.next;
    tell_that_one_is_done();
  }

  // With the mutex held: another thread rings or drops an alarm of that owner.
  [[nodiscard]] bool is_busy_elsewhere(const void* owner) const noexcept {
    const std::thread::id self = std::this_thread::get_id();
    if (ringing_ == owner && self != thread_id_) return true;
    const dropper* d = droppers_;
    while (d != nullptr && (d->owner != owner || d->thread == self)) d = d->next;
    return d != nullptr;
  }

  // With the mutex held.
  void tell_that_one_is_done() noexcept {
    rung_.fetch_add(1, std::memory_order_relaxed);
    posix::futex_wake(rung_, posix::wake_all, posix::scope::process_private);
  }

  std::mutex mutex_;  // guards what follows
  table waiting_;     // by time, then in the order in which they were set
  std::uint64_t last_number_ = 0;
  bool has_thread_ = false;
  std::thread::id thread_id_;
  posix::steady_time sleeps_until_ = posix::steady_time::min();  // min: the thread is awake, or there is none
  const void* ringing_ = nullptr;  // owner of the alarm that rings; null: none, or it has no owner
  dropper* droppers_ = nullptr;    // on the stacks of their threads
  // Futex words, changed under the mutex: the thread shall look again; an alarm has rung, or its owner's are dropped.
  std::atomic<std::uint32_t> changes_{0};
  std::atomic<std::uint32_t> rung_{0};
};

constinit posix::per_process<clockwork> of_this_process;

}  // namespace

handle set(posix::steady_time when, std::unique_ptr<alarm> what, const void* owner, at_end then) {
  return of_this_process.get().set(when, std::move(what), owner, then);
}

bool stop(const handle& which) noexcept {
  clockwork* all = which.number == 0 ? nullptr : of_this_process.existing();
  return all != nullptr && all->stop(which);
}

handle move(const handle& which, posix::steady_time when) noexcept {
  clockwork* all = which.number == 0 ? nullptr : of_this_process.existing();
  return all == nullptr ? handle{} : all->move(which, when);
}

void stop_all(const void* owner) noexcept {
  clockwork* all = of_this_process.existing();
  if (all != nullptr) all->stop_all(owner, true);
}

void drop_all(const void* owner) noexcept {
  clockwork* all = of_this_process.existing();
  if (all != nullptr) all->stop_all(owner, false);
}

}  // namespace tandem::timer
