// A lock on a std::mutex that is held for well under a microsecond, by threads that need it often: whoever finds it taken looks a
// few times before it sleeps. To sleep, and to be woken, costs both sides more than the mutex is held.
#ifndef TANDEM_POSIX_EAGER_LOCK_HPP
#define TANDEM_POSIX_EAGER_LOCK_HPP

#include "posix/spin.hpp"

#include <mutex>

namespace tandem::posix {

class eager_lock : public std::unique_lock<std::mutex> {
 public:
  explicit eager_lock(std::mutex& mutex) : unique_lock(mutex, std::try_to_lock) {
    for (int i = 0; i < looks && !owns_lock(); ++i) {
      spin_once();
      static_cast<void>(try_lock());
    }
    if (!owns_lock()) lock();
  }

 private:
  static constexpr int looks = 100;  // 1 to 6 us, by CPU
};

}  // namespace tandem::posix

#endif
