// Calls at a time: one thread for everything in this process that waits for a moment (time limits of tasks, delayed and
// repeated tasks of all pools), none while nothing does. Knows neither tasks nor pools. README.md has the protocol.
#ifndef TANDEM_TIMER_TIMER_HPP
#define TANDEM_TIMER_TIMER_HPP

#include "posix/clock.hpp"

#include <cstdint>
#include <memory>

namespace tandem::timer {

/// What is to be done at a time. Exactly one of the two is called, once, unless stop() says that neither will be; then
/// it is destroyed.
class alarm {
 public:
  virtual ~alarm() = default;
  /// Its time has come. On the timer thread, which everybody shares: to be short.
  virtual void ring() noexcept = 0;
  /// Its owner has called stop_all(). In that thread.
  virtual void drop() noexcept = 0;
};

/// Names an alarm that was set.
struct handle {
  posix::steady_time when;
  std::uint64_t number = 0;  // 0: none
};

/// What stop_all() and drop_all() do with an alarm that waits.
enum class at_end : bool { dropped, left };

/// Sets an alarm. One whose time has passed rings at once, on the timer thread all the same; among equal times the first
/// set is the first to ring. `owner`: who can stop it together with others, or wait while it rings; may be null.
/// Thread-safe.
/// @throws std::system_error if the thread cannot be started, std::bad_alloc
handle set(posix::steady_time when, std::unique_ptr<alarm> what, const void* owner,
           at_end then = at_end::dropped);

/// True if the alarm was waiting: it is destroyed, and nothing of it is called. False if it rings, or has rung, or was
/// dropped. Never waits. Thread-safe.
bool stop(const handle& which) noexcept;

/// Gives an alarm that waits another time; its handle from now on. Number 0: it does not wait any more. Never waits, needs
/// no memory. Thread-safe.
handle move(const handle& which, posix::steady_time when) noexcept;

/// Drops all alarms of `owner` that wait, but for those that are to be left. If other threads ring or drop some of them
/// just now, it waits for those (on the timer thread not for the one that rings). The owner must see to it that no
/// further ones are set. Thread-safe.
void stop_all(const void* owner) noexcept;
/// The same, but never waits.
void drop_all(const void* owner) noexcept;

}  // namespace tandem::timer

#endif
