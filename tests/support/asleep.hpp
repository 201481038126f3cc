// Waits until another thread of this process sleeps in the kernel: for tests that must not go on before somebody has
// begun to wait, where the one that waits cannot tell, for it is in the function under test.
#ifndef TANDEM_TESTS_SUPPORT_ASLEEP_HPP
#define TANDEM_TESTS_SUPPORT_ASLEEP_HPP

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace tandem::test {

/// The kernel's number of the calling thread.
inline int this_thread() { return static_cast<int>(syscall(SYS_gettid)); }

/// Tells whether the thread sleeps now, on whatever it may be.
inline bool is_asleep(int thread) {
  std::ifstream in("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string stat;
  std::getline(in, stat);
  const auto end_of_name = stat.rfind(") ");
  return end_of_name != std::string::npos && stat[end_of_name + 2] == 'S';
}

/// Returns when it sleeps. There is nothing to wait on, hence the loop; it ends when the thread does what it shall.
inline void wait_until_asleep(int thread) {
  while (!is_asleep(thread)) sched_yield();
}

}  // namespace tandem::test

#endif
