// tbb_pool's public face: checks the options and hands everything to tbb_pool_state.
#include <tandem/tbb_pool.hpp>

#include <tandem/error.hpp>

#include "posix/cpus.hpp"
#include "posix/fork_watch.hpp"
#include "tbb_pool/tbb_pool_state.hpp"

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace tandem {

namespace {

// Arenas of oneTBB are not made for more, nor are machines.
constexpr int most_workers = 4096;

[[noreturn]] void refuse(const char* field, int value, const std::string& why) {
  throw std::invalid_argument(std::string("tandem: tbb_pool_options::") + field + " is " +
                              std::to_string(value) + "; " + why);
}

// Refuses what cannot be, and chooses what was left open.
tbb_pool_options settled(tbb_pool_options options) {
  if (options.max_workers < 0) refuse("max_workers", options.max_workers, "it must be 0 or positive");
  if (options.max_workers > most_workers) {
    refuse("max_workers", options.max_workers,
           "there can be " + std::to_string(most_workers) + " at the most");
  }
  if (options.queue_capacity < 0)
    refuse("queue_capacity", options.queue_capacity, "it must be 0 or positive");
  if (options.max_workers == 0) options.max_workers = posix::usable_cpus();
  return options;
}

// oneTBB keeps count of its threads, and a forked child inherits the count: it would wait for threads that are not there.
void refuse_forked_child() {
  static const std::uint32_t first_used_in = posix::fork_generation();
  if (posix::fork_generation() == first_used_in) return;
  throw start_error(
      "tandem: tbb_pool in a forked child of a process that had one: oneTBB's threads are in the parent "
      "only, and it "
      "cannot start any here. Make a thread_pool");
}

std::shared_ptr<detail::tbb_pool_state> make_state(tbb_pool_options options) {
  posix::watch_forks();
  refuse_forked_child();
  auto state = std::make_shared<detail::tbb_pool_state>(settled(std::move(options)));
  detail::add_task_owner(state.get(), state);
  return state;
}

}  // namespace

tbb_pool::tbb_pool(tbb_pool_options options) : state_(make_state(std::move(options))) {}

tbb_pool::~tbb_pool() {
  if (state_->in_forked_child()) {
    // The threads that held the state's mutexes are not here to give them back: the memory is all that can be left
    // alone. Kept findable, so that leak checkers see no leak.
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): out of memory here ends the forked child
    static auto& kept = *new std::vector<std::shared_ptr<detail::tbb_pool_state>>;
    kept.push_back(state_);
  } else if (state_->in_own_task()) {
    std::fputs(
        "tandem: a tbb_pool was destroyed by one of its own tasks, which cannot wait for itself: its "
        "tasks finish without it. Keep the pool alive until they are done\n",
        stderr);
    state_->abandon(state_);
  } else {
    state_->shutdown({});
  }
}

int tbb_pool::max_workers() const noexcept { return state_->options().max_workers; }

void tbb_pool::shutdown(shutdown_options options) { state_->shutdown(options); }

executor_stats tbb_pool::stats() const { return state_->stats(); }

void tbb_pool::enqueue(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::by_policy);
}

void tbb_pool::enqueue_chunk(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::chunk);
}

void tbb_pool::enqueue_from_elsewhere(detail::core_ptr<detail::core> task) {
  const auto keep = state_;
  keep->enqueue(std::move(task), detail::admission::always);
}

const void* tbb_pool::owner() const noexcept { return state_.get(); }

bool tbb_pool::is_open() const noexcept { return state_->is_open(); }

}  // namespace tandem
