// Waits until another thread of this process, or another process, sleeps in the kernel: for tests that must not go on before
// somebody has begun to wait, where the one that waits cannot tell, for it is in the function under test.
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

/// What a file in /proc says: asleep, on whatever it may be.
inline bool tells_of_sleep(const std::string& path) {
  std::ifstream in(path);
  std::string stat;
  std::getline(in, stat);
  const auto end_of_name = stat.rfind(") ");
  return end_of_name != std::string::npos && stat[end_of_name + 2] == 'S';
}

/// Tells whether the thread sleeps now.
inline bool is_asleep(int thread) {
  return tells_of_sleep("/proc/self/task/" + std::to_string(thread) + "/stat");
}

/// Returns when it sleeps. There is nothing to wait on, hence the loop; it ends when the thread does what it shall.
inline void wait_until_asleep(int thread) {
  while (!is_asleep(thread)) sched_yield();
}

/// The same, of the first thread of another process.
inline void wait_until_process_asleep(int pid) {
  while (!tells_of_sleep("/proc/" + std::to_string(pid) + "/stat")) sched_yield();
}

}  // namespace tandem::test

#endif
