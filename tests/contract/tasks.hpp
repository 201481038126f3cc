// What the contract's tests submit: functions that can be sent to another process, with values in and out. They wait
// for and tell the test by shared counters, whose paths they get.
#ifndef TANDEM_TESTS_CONTRACT_TASKS_HPP
#define TANDEM_TESTS_CONTRACT_TASKS_HPP

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/process_gate.hpp"

namespace tandem::contract {

using test::shared_counter;

inline int add_one(int x) { return x + 1; }
inline long long square(int x) { return static_cast<long long>(x) * x; }
inline int add(int a, int b) { return a + b; }
inline std::string repeat(std::string text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}
inline void nothing() {}

/// Tells that it was here.
inline int count(std::string counter) { return shared_counter(counter).add(); }
/// Waits for the gate.
inline int pass(std::string gate) {
  shared_counter(gate).wait_for(1);
  return 1;
}
/// Tells that it is here, then waits for the gate.
inline int arrive_and_pass(std::string arrivals, std::string gate) {
  shared_counter(arrivals).add();
  shared_counter(gate).wait_for(1);
  return 1;
}
/// Waits for the gate, then throws.
inline int pass_and_throw(std::string gate) {
  shared_counter(gate).wait_for(1);
  throw std::out_of_range("behind the gate");
}

inline int throw_out_of_range() { throw std::out_of_range("too far"); }
inline int throw_number() { throw 0; }
inline int throw_own_timeout() { throw timeout_error("the task's own"); }

/// Fails at 3.
inline int fail_at_three(int x) {
  if (x == 3) throw std::out_of_range("three");
  return x * 10;
}

/// Runs until it is asked to stop. Looks for it all the time: there is nothing to wait on.
inline int run_until_stopped(std::string arrivals) {
  shared_counter(arrivals).add();
  while (!this_task::stop_requested()) sched_yield();
  return 1;
}

/// Who ran it: the kernel's number of the worker, whether it is a thread or a process.
inline int worker_id() { return static_cast<int>(syscall(SYS_gettid)); }

/// As worker_id, behind a value that it does not need.
inline int worker_id_of(int) { return worker_id(); }

/// What the system shows for whoever runs it.
inline std::string worker_name() {
  std::ifstream in("/proc/thread-self/comm");
  std::string name;
  std::getline(in, name);
  return name;
}

struct point {
  int x = 0;
  int y = 0;
  [[nodiscard]] int sum() const { return x + y; }
};

}  // namespace tandem::contract

#endif
