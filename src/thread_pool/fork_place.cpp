// The slow paths of fork-join: others are called, a taken branch is waited for. src/task_group/README.md tells the protocol.
#include <tandem/detail/fork_place.hpp>

#include <tandem/detail/context.hpp>

#include "posix/futex.hpp"
#include "posix/spin.hpp"
#include "thread_pool/thread_pool_state.hpp"
#include "thread_pool/thread_worker.hpp"

#include <utility>

namespace tandem::detail {

namespace {

// How long a worker waits for others' branches before it sleeps, in turns of some 40 ns in which it has found nothing to
// help with.
constexpr int patience = 200;

// A run of a stolen branch has a number: that of its worker above, that of the run below, which lasts for 35 years of a steal each
// microsecond.
constexpr int worker_shift = 50;
static_assert(dispatch::roster::most_workers < (1 << (64 - worker_shift)));

}  // namespace

thread_local constinit fork_place* this_fork_place = nullptr;

fork_place::fork_place(thread_worker& worker, int index, const void* pool, task_sink& sink) noexcept
    : roster_(worker.pool().roster()),
      worker_(worker),
      pool_(pool),
      sink_(sink),
      last_run_(static_cast<std::uint64_t>(index + 1) << worker_shift) {}

// ORDER call-park: behind the push.
bool fork_place::is_served() const noexcept { return roster_.is_served(roster_.look()); }

void fork_place::call() noexcept { worker_.pool().call_worker(); }

// Takes out what lies above the wanted one and puts it back: it may belong to another join, whose waiter is further up the
// stack, or elsewhere.
template <class Wanted>
branch* fork_place::take_back_first(branch* found, Wanted wanted) noexcept {
  branch* aside = nullptr;
  while (found != nullptr && !wanted(*found)) {
    found->next_ = aside;
    found->tag_ = deque_.tag_of_popped(found);
    aside = found;
    found = deque_.pop();
  }
  while (aside != nullptr) {
    branch* next = aside->next_;            // read first: a thief may run it at once
    (void)deque_.push(aside, aside->tag_);  // there is room: it comes from there
    aside = next;
  }
  return found;
}

bool fork_place::take_back_from_below(branch& b, branch& above) noexcept {
  const bool found = take_back_first(&above, [&](const branch& it) { return &it == &b; }) != nullptr;
  if (!is_served()) call();
  return found;
}

branch* fork_place::take_back_any(join& of) noexcept {
  branch* first = deque_.pop();
  if (first == nullptr || &first->meets() == &of) return first;
  branch* found = take_back_first(first, [&](const branch& it) { return &it.meets() == &of; });
  if (!is_served()) call();
  return found;
}

// As the task in which it was forked.
void fork_place::run_there(branch& b) noexcept {
  const task_context* outer_task = std::exchange(current_task_of_this_thread, b.meets().task());
  const join_scope inside(&b.meets());
  b.run();
  current_task_of_this_thread = outer_task;
}

void fork_place::run(branch& b) noexcept {
  join& meets = b.meets();
  run_there(b);
  meets.take_off_one();
}

void fork_place::run_stolen(branch& b) noexcept {
  join& meets = b.meets();
  const std::uint64_t outer = std::exchange(run_, ++last_run_);
  meets.last_stolen_.store(run_, std::memory_order_relaxed);
  run_there(b);
  run_ = outer;
  meets.come_back();
}

// One that waits here for being run: the newest. Those that had no room get it now, as far as there is some.
branch* fork_place::next_of(join& all, std::uint64_t made_in, branch*& kept) noexcept {
  while (kept != nullptr) {
    branch& newest = *std::exchange(kept, kept->next_);  // read first: a thief may run it at once
    if (!offer(newest, made_in)) return &newest;
  }
  return take_back_any(all);
}

void fork_place::wait_for(join& all, std::uint64_t made_in, branch*& kept) noexcept {
  wait_for_others(all, [&] {
    while (all.own_ > 0) {
      branch* mine = next_of(all, made_in, kept);
      if (mine == nullptr) return;
      run(*mine);
    }
  });
}

void fork_place::wait_for_stolen(join& all, int count) noexcept {
  all.own_ += count;
  wait_for_others(all, [] {});
}

void fork_place::leave_out(join& all, int count) noexcept {
  while (count != 0 && take_back_any(all) != nullptr) --count;
  if (count != 0) wait_for_stolen(all, count);
}

// Whatever user code is called meanwhile may fork more in the join: look_here() runs that.
template <class LookHere>
void fork_place::wait_for_others(join& all, LookHere look_here) noexcept {
  look_here();
  for (int turns = 0; !all.are_back();) {
    if (help(all)) {
      turns = 0;
      look_here();
    } else if (turns++ < patience && worker_.pool().may_spin()) {
      posix::spin_once();
    } else if (run_put_off_callbacks()) {  // others may wait for those
      turns = 0;
      look_here();
    } else {
      block(all);
      break;
    }
  }
  all.forget_stolen();
}

// What the thief has forked in a join that it has made since it took our branch bears that run's number: only that may be run
// here. Anything else that the thief has might want a lock that the waiting task holds.
bool fork_place::help(const join& all) noexcept {
  const std::uint64_t run = all.last_stolen_.load(std::memory_order_relaxed);
  const int thief = static_cast<int>(run >> worker_shift) - 1;
  if (thief < 0 || thief == worker_.index() || !worker_.has_stack_to_help()) return false;
  fork_place& there = worker_.pool().crew().at(thief).forks();
  branch* found = there.deque_.steal_if([run](std::uint64_t tag) { return tag == run; });
  if (found == nullptr) return false;
  run_stolen(*found);
  return true;
}

void fork_place::block(join& all) noexcept {
  worker_.begin_blocking();
  all.sleep();
  worker_.end_blocking();
}

}  // namespace tandem::detail
