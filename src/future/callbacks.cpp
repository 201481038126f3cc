// Callbacks of a shared state: the list of those that wait for it, and the loop that fires them. README.md beside this file has the
// pairs of memory orders that the comments name.
#include <tandem/detail/branch.hpp>
#include <tandem/detail/core.hpp>

#include <thread>
#include <utility>

namespace tandem::detail {

namespace {

// Marks a closed callback list. Never fired, never dropped: only its address is used.
class closed_mark final : public callback {
 public:
  constexpr closed_mark() noexcept : callback(kind::wake) {}
  void fire(core&) noexcept override {}
  void drop() noexcept override {}
};

constinit closed_mark closed_mark_;

}  // namespace

// Fires wakes at once and calls one after the other, never one inside another: a callback that completes a further
// core leaves that core's calls to the loop that is already running on this thread, so chains do not grow the stack.
class callback_runner {
 public:
  // `list` is newest first; each kind is fired in the order of registration.
  static void run(core& target, callback* list) noexcept {
    callback* wakes = nullptr;
    callback* calls = nullptr;
    while (list != nullptr) {
      callback* next = list->next_;
      callback*& head = list->kind_ == callback::kind::wake ? wakes : calls;
      list->next_ = head;
      head = list;
      list = next;
    }
    while (wakes != nullptr) std::exchange(wakes, wakes->next_)->fire(target);
    if (calls == nullptr) return;
    callback_runner& runner = of_this_thread();
    runner.append(target, calls);
    if (runner.active_) return;
    runner.active_ = true;
    runner.drain();
    runner.active_ = false;
  }

  static void run_one(core& target, callback* c) noexcept {
    c->next_ = nullptr;
    run(target, c);
  }

  static bool is_active() noexcept { return of_this_thread().active_; }

  static bool run_put_off() noexcept {
    callback_runner& runner = of_this_thread();
    if (runner.head_ == nullptr) return false;
    runner.drain();  // nested in the loop that put them off; both take from the one list
    return true;
  }

 private:
  static callback_runner& of_this_thread() noexcept {
    thread_local constinit callback_runner runner;
    return runner;
  }

  void append(core& target, callback* list) noexcept {
    (head_ == nullptr ? head_ : last_->next_) = list;
    for (callback* c = list; c != nullptr; c = c->next_) {
      target.add_ref();  // the completer's reference does not outlive its frame
      c->target_ = &target;
      last_ = c;
    }
  }

  void drain() noexcept {
    const join_scope in_no_join(nullptr);  // what the thread has just ended is none of theirs
    while (head_ != nullptr) {
      callback* c = head_;
      head_ = c->next_;
      core* target = c->target_;
      c->fire(*target);
      target->release();
    }
  }

  callback* head_ = nullptr;
  callback* last_ = nullptr;  // only while head_ is not null
  bool active_ = false;
};

void fire_or_put_off(core& done, callback& c) noexcept { callback_runner::run_one(done, &c); }

bool run_put_off_callbacks() noexcept { return callback_runner::run_put_off(); }

bool in_callback() noexcept { return callback_runner::is_active(); }

callback* core::closed() noexcept { return &closed_mark_; }

bool core::try_attach(callback* c) noexcept {
  if (done()) return false;
  callback* head = callbacks_.load(std::memory_order_acquire);
  do {
    if (head == closed()) return false;
    c->next_ = head;
  } while (!callbacks_.compare_exchange_weak(head, c, std::memory_order_release, std::memory_order_acquire));
  // ORDER attach: pairs with finish(). Either finish() sees the flag and fires, or we see that it is done and fire.
  const std::uint32_t old = state_.fetch_or(word::has_callback, std::memory_order_acq_rel);
  if (word::done(old)) fire_callbacks();
  return true;
}

// Takes the list and leaves `leave` (null or closed()) in its place; a closed list stays closed.
callback* core::take_callbacks(callback* leave) noexcept {
  callback* head = callbacks_.load(std::memory_order_acquire);
  while (head != closed()) {
    if (callbacks_.compare_exchange_weak(head, leave, std::memory_order_acq_rel, std::memory_order_acquire))
      return head;
  }
  return nullptr;
}

void core::fire_callbacks() noexcept {
  if (callback* list = take_callbacks(closed()); list != nullptr) callback_runner::run(*this, list);
}

// ORDER list: its compare-exchange and that of the closing take_callbacks() are on one word. If ours comes first, the
// closer takes our list; otherwise we find it closed. So there is no need to look whether the core is done.
void core::give_back(callback* list) noexcept {
  callback* head = callbacks_.load(std::memory_order_acquire);
  while (head != closed()) {
    if (!callbacks_.compare_exchange_weak(head, head == nullptr ? list : nullptr, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      continue;
    }
    if (head == nullptr) return;
    // Attached meanwhile, so newer than ours: they stay in front, to be fired behind them.
    callback* last = head;
    while (last->next_ != nullptr) last = last->next_;
    last->next_ = std::exchange(list, head);
    head = nullptr;
  }
  callback_runner::run(*this, list);  // it completed while we held the list: these are ours to fire
}

// A core that becomes done loses the flag with all others; then the list is closed, and who looks finds nothing.
void core::begin_detach() noexcept {
  while ((state_.fetch_or(word::detaching, std::memory_order_acquire) & word::detaching) != 0)
    std::this_thread::yield();
}

void core::end_detach() noexcept { state_.fetch_and(~word::detaching, std::memory_order_release); }

}  // namespace tandem::detail
