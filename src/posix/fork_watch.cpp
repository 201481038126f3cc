#include "posix/fork_watch.hpp"

#include <new>

#include <pthread.h>

namespace tandem::posix {

namespace detail {
constinit std::atomic<std::uint32_t> forks{0};
}

void watch_forks() {
  static const int failed =
      ::pthread_atfork(nullptr, nullptr, [] { detail::forks.fetch_add(1, std::memory_order_relaxed); });
  if (failed != 0) throw std::bad_alloc();
}

}  // namespace tandem::posix
