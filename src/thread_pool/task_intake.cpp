// Where a worker's next task comes from when its ring has none: the queues, other workers. The loop around it is in thread_worker.cpp; who must
// look where, and in which order, is in src/dispatch/README.md.
#include "posix/cache_domain.hpp"
#include "posix/spin.hpp"
#include "thread_pool/thread_pool_state.hpp"
#include "thread_pool/thread_worker.hpp"

#include <algorithm>
#include <cstddef>

namespace tandem::detail {

namespace {

// Taken from the injector at a time, at the most. Enough that its head is no bottleneck; few enough that a thief finds
// the rest soon.
constexpr std::size_t batch_size = 32;
static_assert(batch_size <= thread_worker::ring::capacity);

// Tasks that come in faster than one at a time, but not many: whoever takes each as it comes pulls the producer's cache lines
// away at every step, which costs both of them more than the task. With few in the queue twice in a row, straight after a
// task, the worker lets some gather; that is `rest_turns` of spin_once(), some 400 ns. What comes one at a time does not wait:
// then the queue is empty after the task.
constexpr std::size_t few = 16;
constexpr int few_in_a_row = 2;
constexpr int rest_turns = 16;

}  // namespace

// Tasks from the queue or, for a searcher, from another worker. Not with a ring that has something.
std::size_t thread_worker::gather(core** batch) noexcept {
  if (pool_.lanes().in_use()) [[unlikely]]
    return gather_by_priority(batch);
  if (const std::size_t count = gather_normal(batch); count != 0 || !searching_) return count;
  return steal(batch, batch_size);
}

std::size_t thread_worker::gather_normal(core** batch) noexcept {
  // Half of a fair share, so that all workers end at about the same time.
  const auto shares = static_cast<std::size_t>(pool_.roster().most_active()) * 2;
  if (pool_.has_left_behind()) {
    if (const std::size_t count = take_left_behind(batch); count != 0) return count;
  }
  return pool_.lanes().of(priority::normal).pop(batch, batch_size, shares);
}

// One task of another priority than normal, for the next one may be more urgent; or normal ones, of which one may be in
// our ring.
std::size_t thread_worker::gather_by_priority(core** batch) noexcept {
  dispatch::lanes<core>& lanes = pool_.lanes();
  const auto from = [&](priority which) noexcept -> std::size_t {
    if (which != priority::normal) return lanes.of(which).pop(batch, 1);
    if ((batch[0] = ring_.pop()) != nullptr) return 1;
    if (const std::size_t count = gather_normal(batch)) return count;
    return steal(batch, batch_size);  // also if we do not search: a low one comes after all normal ones
  };
  const priority first =
      turns_.choose(!lanes.of(priority::high).empty(),
                    !ring_.empty() || !lanes.of(priority::normal).empty() || pool_.has_batches(),
                    !lanes.of(priority::low).empty());
  if (const std::size_t count = from(first)) return count;
  for (const priority which : dispatch::lanes<core>::in_order) {  // somebody was quicker
    if (const std::size_t count = from(which)) return count;
  }
  return 0;
}

// The next task; the rest of what came with it goes into the ring.
core* thread_worker::take() noexcept {
  core* batch[batch_size];
  if (found_few_ >= few_in_a_row && !searching_) {
    for (int i = 0; i < rest_turns; ++i) posix::spin_once();
  }
  const std::size_t count = gather(batch);
  found_few_ = count == 0 || count >= few || searching_ ? 0 : std::min(found_few_ + 1, few_in_a_row);
  if (count == 0) return nullptr;
  if (count > 1) ring_.fill(batch + 1, count - 1);
  const dispatch::roster::view now = pool_.roster().look();
  if (now.cancelling()) {
    // ORDER cancel-fill: shutdown() says so and then empties the rings; we fill ours and then look. What it has not
    // found we see here.
    pool_.cancel(batch[0]);
    pool_.cancel_tasks(ring_);
    return nullptr;
  }
  const bool finishing = ledger_.finishing.load(std::memory_order_relaxed);
  const bool was_counted_on = searching_ || finishing;
  if (searching_) pool_.roster().end_search();
  searching_ = false;
  if (finishing) ledger_.finishing.store(false, std::memory_order_seq_cst);
  // ORDER call-park: whoever published work while we searched or were finishing has left the calling to us, wherever
  // the work lies. Otherwise we answer for the queues that we have just touched.
  if (!pool_.roster().is_served(pool_.roster().look()) &&
      (was_counted_on ? pool_.has_work() : !pool_.lanes().empty() || !ring_.empty())) {
    pool_.call_worker();
  }
  return batch[0];
}

// What workers that were too many had not begun: it is older than anything in the injector.
std::size_t thread_worker::take_left_behind(core** batch) noexcept {
  pool_.clear_left_behind();  // first: what is left behind from now on sets it again
  const std::size_t count = steal(batch, batch_size);
  if (count != 0) pool_.leave_behind();  // half of it may be left
  return count;
}

std::size_t thread_worker::steal(core** batch, std::size_t most) noexcept {
  std::size_t count = 0;
  ask_others([&](thread_worker& victim) noexcept { return (count = victim.ring_.steal(batch, most)) != 0; });
  return count;
}

// Runs a branch that another worker has forked.
bool thread_worker::run_stolen() noexcept {
  branch* found = nullptr;
  ask_others([&](thread_worker& victim) noexcept { return (found = victim.forks_.steal()) != nullptr; });
  if (found == nullptr) return false;
  note_found();
  forks_.run_stolen(*found);
  return true;
}

template <class Ask>
void thread_worker::ask_others(Ask ask) noexcept {
  const int here = posix::current_cache_domain();
  if (domain_.load(std::memory_order_relaxed) != here) domain_.store(here, std::memory_order_relaxed);
  thread_crew& crew = pool_.crew();
  static_cast<void>(victims_.find(
      crew.places(), index_, here,
      [&](int i) noexcept { return crew.at(i).domain_.load(std::memory_order_relaxed); },
      [&](int i) noexcept { return ask(crew.at(i)); }));
}

// A searcher has found work: who has published more meanwhile has left the calling to us.
void thread_worker::note_found() noexcept {
  if (!searching_) return;
  pool_.roster().end_search();
  searching_ = false;
  pool_.call_if_needed();
}

}  // namespace tandem::detail
