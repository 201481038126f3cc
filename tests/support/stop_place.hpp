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
};

/// The calling thread's next allocation stops there; null: none does.
inline thread_local constinit stop_place* stop_here = nullptr;

/// In operator new.
inline void stop_if_told() {
  if (stop_here == nullptr) return;
  stop_place& place = *std::exchange(stop_here, nullptr);
  place.reached.open();
  place.leave.wait();
}

}  // namespace tandem::test

#endif
