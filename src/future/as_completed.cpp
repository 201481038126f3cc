// What as_completed does not need to be a template for: the error of its timeout.
#include <tandem/as_completed.hpp>

#include <string>

namespace tandem::detail {

void throw_as_completed_timeout(std::size_t unfinished, std::size_t all) {
  throw timeout_error("tandem: as_completed: " + std::to_string(unfinished) + " of " + std::to_string(all) +
                      " futures unfinished when the timeout was over");
}

}  // namespace tandem::detail
