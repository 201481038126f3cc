// How a pool's error handler is called.
#ifndef TANDEM_EXECUTOR_UNHANDLED_HPP
#define TANDEM_EXECUTOR_UNHANDLED_HPP

#include <tandem/detail/core.hpp>
#include <tandem/executor.hpp>

#include <exception>

namespace tandem::detail {

/// False if there is no handler. What it throws is reported on stderr, for there is nobody left.
inline bool call_error_handler(const error_handler& handler, const char* where,
                               const std::exception_ptr& error) noexcept {
  if (!handler) return false;
  try {
    handler(error, where);
  } catch (...) {
    report_unhandled("a pool's error handler", std::current_exception());
  }
  return true;
}

}  // namespace tandem::detail

#endif
