// Turns failed system calls into std::system_error, and repeats those that a signal interrupted.
//
// Owns nothing. Every other file of this room uses it; no file outside of the room should need to, because
// outside of the room nobody makes system calls.
#ifndef TANDEM_POSIX_CHECK_HPP
#define TANDEM_POSIX_CHECK_HPP

#include <cerrno>
#include <string>
#include <system_error>

namespace tandem::posix {

/// Throws std::system_error for `error` (an errno value); `what` names the call and, where known, its object.
[[noreturn]] inline void throw_system_error(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

/// Throws std::system_error for the current errno. `what` is not a std::string, so that nothing between the
/// failed call and the reading of errno can allocate and overwrite it.
[[noreturn]] inline void throw_errno(const char* what) {
  const int error = errno;
  throw_system_error(error, what);
}

/// Returns `result`, or throws for errno if it is -1.
template <typename Result>
Result checked(Result result, const char* what) {
  if (result == static_cast<Result>(-1)) throw_errno(what);
  return result;
}

/// Calls `call` again for as long as it returns -1 with EINTR; returns its last result.
/// Not for close(): on Linux the descriptor is gone even when close() says EINTR.
template <typename Call>
auto retry_on_eintr(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_CHECK_HPP
