// What the future's templates do not need to be templates for: the errors they throw.
#include <tandem/future.hpp>

#include <string>

namespace tandem::detail {

void throw_no_state(const char* what) {
  throw invalid_state_error(
      std::string("tandem: ") + what +
      "() on a future or promise without a state: it was default-constructed, moved from or shared");
}

void throw_consumed() {
  throw invalid_state_error(
      "tandem: get() was called twice on one future; the first call took the outcome. "
      "Use share() to read it more than once");
}

void throw_wait_timeout(const char* call, std::chrono::nanoseconds waited) {
  const double seconds = std::chrono::duration<double>(waited).count();
  throw timeout_error(std::string("tandem: ") + call + "() gave up after " + std::to_string(seconds) +
                      " s: the task is not done; the future is still usable");
}

void throw_if_failed(const core& done) {
  const std::uint32_t phase = word::phase(done.load());
  if (phase == word::value) return;
  if (phase == word::cancelled) throw cancelled_error();
  std::rethrow_exception(done.error());
}

}  // namespace tandem::detail
