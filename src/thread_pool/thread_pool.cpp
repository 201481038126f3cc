// thread_pool's public face: checks the options and hands everything to thread_pool_state.
#include <tandem/thread_pool.hpp>

#include "dispatch/roster.hpp"
#include "posix/affinity.hpp"
#include "posix/cpus.hpp"
#include "posix/fork_watch.hpp"
#include "thread_pool/thread_pool_state.hpp"

#include <algorithm>
#include <stdexcept>

namespace tandem {

namespace {

[[noreturn]] void refuse(const std::string& field, const std::string& value, const std::string& why) {
  throw std::invalid_argument("tandem: thread_pool_options::" + field + " is " + value + "; " + why);
}

void check_count(const char* field, int value) {
  if (value < 0) refuse(field, std::to_string(value), "it must be 0 or positive");
}

constexpr int most_workers = dispatch::roster::most_workers;

// What 0 means.
int default_workers(const std::vector<int>& affinity, int usable_cpus) {
  const int cpus = affinity.empty() ? usable_cpus : std::min(usable_cpus, static_cast<int>(affinity.size()));
  return std::min(cpus, most_workers);
}

// Refuses what cannot be, and chooses what was left open.
thread_pool_options settled(thread_pool_options options, int usable_cpus) {
  check_count("max_workers", options.max_workers);
  check_count("max_spare_workers", options.max_spare_workers);
  check_count("queue_capacity", options.queue_capacity);
  if (options.idle_timeout.has_value() && options.idle_timeout.value().count() <= 0) {
    refuse("idle_timeout", "0 or negative",
           "a thread would be started for almost every task; it must be positive, or left out for no limit");
  }
  if (options.max_workers > most_workers) {
    refuse("max_workers", std::to_string(options.max_workers),
           "there can be " + std::to_string(most_workers) + " at the most");
  }
  for (const int cpu : options.affinity) {
    if (!posix::cpu_exists(cpu))
      refuse("affinity", std::to_string(cpu), "this machine has no CPU of that number");
  }
  std::sort(options.affinity.begin(), options.affinity.end());
  options.affinity.erase(std::unique(options.affinity.begin(), options.affinity.end()),
                         options.affinity.end());
  if (options.max_workers == 0) options.max_workers = default_workers(options.affinity, usable_cpus);
  options.max_spare_workers = std::min(options.max_spare_workers, most_workers);
  return options;
}

std::shared_ptr<detail::thread_pool_state> make_state(thread_pool_options options) {
  posix::watch_forks();
  const int usable_cpus = posix::usable_cpus();
  auto state =
      std::make_shared<detail::thread_pool_state>(settled(std::move(options), usable_cpus), usable_cpus);
  detail::add_task_owner(state.get(), state);
  return state;
}

}  // namespace

thread_pool::thread_pool(thread_pool_options options) : state_(make_state(std::move(options))) {}

thread_pool::~thread_pool() {
  if (state_->in_forked_child()) {
    // The threads that held the state's mutexes are not here to give them back: the memory is all that can be left
    // alone. Kept findable, so that leak checkers see no leak.
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): out of memory here ends the forked child
    static auto& kept = *new std::vector<std::shared_ptr<detail::thread_pool_state>>;
    kept.push_back(state_);
    return;
  }
  state_->abandon();
}

int thread_pool::max_workers() const noexcept { return state_->max_workers(); }

void thread_pool::resize(int max_workers) {
  if (max_workers < 0 || max_workers > most_workers) {
    throw std::invalid_argument("tandem: thread_pool::resize: max_workers is " + std::to_string(max_workers) +
                                "; it must be 0 (chosen) to " + std::to_string(most_workers));
  }
  state_->resize(max_workers != 0 ? max_workers
                                  : default_workers(state_->options().affinity, posix::usable_cpus()));
}

void thread_pool::shutdown(shutdown_options options) { state_->shutdown(options); }

executor_stats thread_pool::stats() const { return state_->stats(); }

void thread_pool::enqueue(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::by_policy);
}

void thread_pool::enqueue_chunk(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::chunk);
}

void thread_pool::enqueue_from_elsewhere(detail::core_ptr<detail::core> task) {
  const auto keep = state_;
  keep->enqueue(std::move(task), detail::admission::always);
}

const void* thread_pool::owner() const noexcept { return state_.get(); }

bool thread_pool::is_open() const noexcept { return state_->is_open(); }

void thread_pool::enqueue_all(std::span<detail::core_ptr<detail::core>> tasks) { state_->enqueue_all(tasks); }

}  // namespace tandem
