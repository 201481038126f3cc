// Where a thread stops in the middle of something, made certain by an allocation that it makes there: for programs that
// replace operator new and call stop_if_told() in it.
#ifndef TANDEM_TESTS_SUPPORT_STOP_PLACE_HPP
#define TANDEM_TESTS_SUPPORT_STOP_PLACE_HPP

#include <utility>

#include "support/gate.hpp"

namespace tandem::test {

struct stop_place {
  gate reached;
  gate leave;

  /// By the thread that is to stop.
  void stop() {
    reached.open();
    leave.wait();
  }
};

/// The calling thread's next allocation stops there; null: none does.
inline thread_local constinit stop_place* stop_here = nullptr;

/// In operator new.
inline void stop_if_told() {
  if (stop_here == nullptr) return;
  std::exchange(stop_here, nullptr)->stop();
}

}  // namespace tandem::test

#endif
