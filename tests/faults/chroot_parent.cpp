// A program that loses sight of /proc after it has made its pool, as a daemon does that goes into a directory of its own; then
// a worker crashes. Prints how that is told.
#include "faults/tasks.hpp"

#include <tandem/process_pool.hpp>

#include <csignal>
#include <cstdio>

#include <unistd.h>

namespace {

int crash(int x) {
  raise(SIGSEGV);
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  tandem::process_pool pool({.max_workers = 1});
  pool.submit(tandem::test::add_one, 1).wait();
  if (chroot("/dev") != 0) {
    std::puts("not permitted");
    return 0;
  }
  try {
    pool.submit(crash, 1).get();
  } catch (const tandem::worker_died_error& e) {
    std::printf("signal %d, %zu calls; ", e.signal(), e.death().stack.size());
  }
  std::printf("%d\n", pool.submit(tandem::test::add_one, 1).get());
}
