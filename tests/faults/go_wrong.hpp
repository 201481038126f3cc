// Every way in which code can go wrong, for the fault matrix: what a task, a codec or a hook does instead of returning.
#ifndef TANDEM_TESTS_FAULTS_GO_WRONG_HPP
#define TANDEM_TESTS_FAULTS_GO_WRONG_HPP

#include "faults/tasks.hpp"

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace tandem::test {

enum class way { exception, exit_, quick_exit, abort_, segv, kill_, stack_overflow, memory, stop };

inline constexpr way all_ways[] = {way::exception,      way::exit_,  way::quick_exit,
                                   way::abort_,         way::segv,   way::kill_,
                                   way::stack_overflow, way::memory, way::stop};

inline const char* name_of(way how) {
  constexpr const char* names[] = {"Exception", "Exit",          "QuickExit", "Abort", "Segv",
                                   "Kill",      "StackOverflow", "Memory",    "Stop"};
  return names[static_cast<int>(how)];
}

/// Until there is none left.
inline void use_up_memory() {
  std::vector<std::unique_ptr<char[]>> all;
  for (;;) {
    all.push_back(std::make_unique<char[]>(std::size_t{1} << 20U));
  }
}

/// Returns only from `stop`, when somebody sends SIGCONT.
inline void go_wrong(way how) {
  switch (how) {
    case way::exception:
      throw std::domain_error("trouble");
    case way::exit_:
      std::exit(4);
    case way::quick_exit:
      _exit(5);
    case way::abort_:
      std::abort();
    case way::segv:
      raise(SIGSEGV);
      return;
    case way::kill_:
      raise(SIGKILL);
      return;
    case way::stack_overflow: {
      volatile char first = 0;
      overflow_stack(&first);
      return;
    }
    case way::memory:
      use_up_memory();
      return;
    case way::stop:
      raise(SIGSTOP);
      return;
  }
}

}  // namespace tandem::test

#endif
