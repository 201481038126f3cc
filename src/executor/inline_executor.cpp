// inline_executor: the backend without workers.
#include <tandem/inline_executor.hpp>

#include <tandem/detail/context.hpp>

namespace tandem {

inline_executor::~inline_executor() = default;

void inline_executor::shutdown(shutdown_options) { open_.store(false, std::memory_order_release); }

void inline_executor::enqueue(detail::core_ptr<detail::core> task) {
  if (!open_.load(std::memory_order_acquire)) {
    throw shutdown_error("tandem: submit on an inline_executor after shutdown()");
  }
  if (!task->try_start()) return;
  running_.fetch_add(1, std::memory_order_relaxed);
  detail::execute_in_context(*task);
  running_.fetch_sub(1, std::memory_order_relaxed);
  finished_.fetch_add(1, std::memory_order_relaxed);
  if (detail::word::phase(task->load()) == detail::word::failed)
    failed_.fetch_add(1, std::memory_order_relaxed);
}

executor_stats inline_executor::stats() const {
  executor_stats s;
  s.workers = 1;
  s.running = running_.load(std::memory_order_relaxed);
  s.idle = s.running == 0 ? 1 : 0;
  s.finished = finished_.load(std::memory_order_relaxed);
  s.failed = failed_.load(std::memory_order_relaxed);
  return s;
}

}  // namespace tandem
