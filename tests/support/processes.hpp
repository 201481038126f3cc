// What the kernel says about this test program and everything it started: threads, descriptors, processes.
// Read from /proc only, so that it shows what is there and not what the library believes. Changes nothing.
#ifndef TANDEM_TESTS_SUPPORT_PROCESSES_HPP
#define TANDEM_TESTS_SUPPORT_PROCESSES_HPP

#include <map>
#include <string>
#include <vector>

namespace tandem::test {

struct process_info {
  int pid = 0;
  int parent = 0;
  char state = '?';     // as in /proc/<pid>/stat: R, S, D, Z, ...
  std::string command;  // arguments separated by blanks; [comm] where there are none
};

/// Marks this process, through its environment, so that family() also finds what was started by it and is no
/// descendant any more (a fork server is started detached). Call before anything is started.
void mark_family();

/// Every living process that `root` started, directly or not, and the marked ones; not `root` itself. Ascending.
std::vector<process_info> family(int root);

/// Thread id -> name of every thread of this process.
std::map<int, std::string> threads();

/// Descriptor -> what it refers to, for every open descriptor of this process.
std::map<int, std::string> descriptors();

/// The resident memory of a process (0: this one) in KiB; -1 if there is none such.
long resident_kibibytes(int pid = 0);

/// Names in /dev/shm that belong to tandem. It must never leave one.
std::vector<std::string> shared_memory_names();

/// The entries of a directory whose names are numbers, as in /proc: processes, threads, descriptors.
std::vector<int> numbers_in(const std::string& directory);

/// A small file's contents; empty if it cannot be read (a process may vanish at any time).
std::string slurp(const std::string& path);

}  // namespace tandem::test

#endif
