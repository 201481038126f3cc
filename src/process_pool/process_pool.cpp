// The handle: forwards to the shared state, which may outlive it.
#include <tandem/process_pool.hpp>

#include "posix/process.hpp"

#include "process_pool/pool_state.hpp"

#include <utility>

namespace tandem {

process_pool::process_pool(process_pool_options options)
    : state_(detail::process_pool_state::create(std::move(options))) {}

// The handle stays whole until the end: callbacks of the last tasks may still ask it.
process_pool::~process_pool() { detail::process_pool_state::close_handle(state_); }

int process_pool::max_workers() const noexcept { return state_->max_workers(); }

void process_pool::resize(int max_workers) { state_->resize(max_workers); }

void process_pool::shutdown(shutdown_options options) { state_->shutdown(options); }

void process_pool::terminate() { state_->end_by_force(detail::process_pool_state::ending::with_grace); }

void process_pool::kill() { state_->end_by_force(detail::process_pool_state::ending::at_once); }

executor_stats process_pool::stats() const { return state_->stats(); }

void process_pool::enqueue(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::by_policy);
}

void process_pool::enqueue_chunk(detail::core_ptr<detail::core> task) {
  state_->enqueue(std::move(task), detail::admission::chunk);
}

void process_pool::enqueue_from_elsewhere(detail::core_ptr<detail::core> task) {
  const auto keep = state_;
  keep->enqueue(std::move(task), detail::admission::always);
}

const void* process_pool::owner() const noexcept { return state_.get(); }

bool process_pool::is_open() const noexcept { return state_->is_open(); }

void process_pool::check(const task_options& options) const {
  task_options rest;  // what it can honour is left out: the delays of retries too
  rest.priority = options.priority;
  rest.timeout = options.timeout;
  rest.retries = options.retries < 0 ? options.retries : 0;
  executor::check(rest);
}

}  // namespace tandem
