// How one worker is put to death: SIGTERM to its process group, a time of grace, SIGKILL. Owns the steps and their
// times; neither decides (cancellation.cpp) nor sends anything (deadlines.cpp). Guarded by the pool's mutex.
#ifndef TANDEM_PROCESS_POOL_EXECUTION_HPP
#define TANDEM_PROCESS_POOL_EXECUTION_HPP

#include <tandem/detail/core.hpp>

#include <chrono>
#include <csignal>
#include <optional>

namespace tandem::process {

class execution {
 public:
  void decide() noexcept {
    if (next_signal_ == none_yet) next_signal_ = SIGTERM;
  }
  /// At once, if it has not been: without SIGTERM, or without the rest of the grace.
  void hasten() noexcept {
    if (next_signal_ == all_sent) return;
    next_signal_ = SIGKILL;
    not_before_.reset();
  }
  [[nodiscard]] bool decided() const noexcept { return next_signal_ != none_yet; }

  /// The signal to send now; 0 if there is none.
  [[nodiscard]] int due(detail::time_point now) const noexcept {
    return next_signal_ > 0 && (!not_before_ || now >= *not_before_) ? next_signal_ : 0;
  }
  /// What was due has been sent.
  void sent(detail::time_point now) noexcept {
    if (next_signal_ == SIGTERM) {
      next_signal_ = SIGKILL;
      not_before_ = now + grace;
    } else {
      next_signal_ = all_sent;
      not_before_.reset();
    }
  }
  /// What was due could not be sent.
  void postponed(detail::time_point now) noexcept { not_before_ = now + retry; }

  /// When to ask again; nothing if nothing is going to be due.
  [[nodiscard]] std::optional<detail::time_point> next() const noexcept { return not_before_; }

 private:
  static constexpr std::chrono::milliseconds grace{250};  // time to flush a file, not to finish
  static constexpr std::chrono::milliseconds retry{10};   // the kernel was short of memory
  static constexpr int none_yet = 0;
  static constexpr int all_sent = -1;

  int next_signal_ = none_yet;
  std::optional<detail::time_point> not_before_;
};

}  // namespace tandem::process

#endif
