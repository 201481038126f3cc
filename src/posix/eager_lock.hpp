// A lock on a std::mutex that is mostly held for well under a microsecond, by threads that need it often: whoever finds it taken looks
// a few times before it sleeps. To sleep, and to be woken, costs both sides more.
#ifndef TANDEM_POSIX_EAGER_LOCK_HPP
#define TANDEM_POSIX_EAGER_LOCK_HPP

#include "posix/cpus.hpp"
#include "posix/spin.hpp"

#include <mutex>

namespace tandem::posix {

class eager_lock : public std::unique_lock<std::mutex> {
 public:
  explicit eager_lock(std::mutex& mutex) : unique_lock(mutex, std::try_to_lock) {
    if (!owns_lock()) lock_late();
  }

 private:
  static constexpr int most_turns = 64;  // twice that many in all: 1 to 8 us, by CPU

  void lock_late() {
    static const bool others_run = usable_cpus() > 1;
    // Each look takes the cache line from the owner, so they become rarer.
    for (int turns = 1; others_run && turns <= most_turns; turns *= 2) {
      for (int i = 0; i < turns; ++i) spin_once();
      if (try_lock()) return;
    }
    lock();
  }
};

}  // namespace tandem::posix

#endif
