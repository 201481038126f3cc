#include "process_pool/stop_watch.hpp"

#include "posix/futex.hpp"
#include "posix/signals.hpp"

namespace tandem::process {

std::stop_token stop_watch::stop_token() {
  if (!thread_.joinable()) {
    if (!source_.stop_possible()) source_ = std::stop_source();
    if ((word_.load(std::memory_order_acquire) & requested) != 0) source_.request_stop();
    if (source_.stop_requested()) return source_.get_token();
    const posix::block_signals_from_outside quiet;  // the user's handlers run on the task's thread
    thread_ = std::thread([this] {
      // The parent may overwrite our bit with its own, which ends the thread as well.
      std::uint32_t seen = 0;
      while ((seen = word_.load(std::memory_order_acquire)) == 0)
        posix::futex_wait(word_, 0, posix::scope::process_shared);
      if ((seen & requested) != 0) source_.request_stop();
    });
  }
  return source_.get_token();
}

stop_watch::~stop_watch() {
  if (!thread_.joinable()) return;
  word_.fetch_or(task_over, std::memory_order_acq_rel);
  posix::futex_wake(word_, posix::wake_all, posix::scope::process_shared);
  thread_.join();
}

}  // namespace tandem::process
