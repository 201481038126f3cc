// The executor's out-of-line parts: its destructor and the check of options that most backends share.
#include <tandem/executor.hpp>

#include <stdexcept>
#include <string>

namespace tandem {

namespace detail {

task_sink::~task_sink() = default;

}  // namespace detail

executor::~executor() = default;

// What no backend of this process can honour; a backend that can, overrides.
void executor::check(const task_options& options) const {
  const auto refuse = [](const char* field, const char* why) {
    throw std::invalid_argument(std::string("tandem: task_options::") + field + " is set, but " + why);
  };
  if (options.retries < 0) {
    throw std::invalid_argument("tandem: task_options::retries is " + std::to_string(options.retries) +
                                "; it must be 0 (never) or positive");
  }
  if (options.retries != 0) refuse("retries", "only process_pool can try again: a thread does not die alone");
  if (options.retry_delay.has_value()) refuse("retry_delay", "only process_pool tries again");
  if (options.max_retry_delay.has_value()) refuse("max_retry_delay", "only process_pool tries again");
  if (options.timeout.has_value() && options.timeout.value().count() <= 0) {
    throw std::invalid_argument("tandem: task_options::timeout is " +
                                std::to_string(options.timeout.value().count()) +
                                " ns; it must be positive, or left out for no limit");
  }
}

}  // namespace tandem
