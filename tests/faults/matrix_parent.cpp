// A program whose codec goes wrong in the program itself, between a pool that is at work and tasks that wait: matrix_parent
// encode|decode HOW, the number of a tandem::test::way.
#include "faults/go_wrong.hpp"

#include <tandem/codec.hpp>
#include <tandem/process_pool.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <thread>

#include <sys/types.h>
#include <unistd.h>

namespace {

struct trouble {
  bool in_encode = false;
  tandem::test::way how{};
  bool is_result = false;
};

void wait_for_ever() {
  for (;;) pause();
}

trouble pass_on(trouble t) {
  t.is_result = true;
  return t;
}

void go_wrong_here(tandem::test::way how) {
  // What a codec that asks for too much gets.
  if (how == tandem::test::way::memory) throw std::bad_alloc();
  // Somebody who is not stopped.
  if (how == tandem::test::way::stop) {
    const pid_t stopped = getpid();
    if (fork() == 0) {
      // The parent is in state T when the kernel says so; nothing else tells it to one who is not its parent.
      char path[64];
      std::snprintf(path, sizeof path, "/proc/%d/stat", stopped);
      for (char state = 0; state != 'T';) {
        FILE* stat = std::fopen(path, "r");
        if (stat == nullptr || std::fscanf(stat, "%*d %*s %c", &state) != 1) _exit(1);
        std::fclose(stat);
      }
      kill(stopped, SIGCONT);
      _exit(0);
    }
  }
  tandem::test::go_wrong(how);
}

}  // namespace

template <>
struct tandem::codec<trouble> {
  static void encode(writer& out, const trouble& t) {
    if (t.in_encode && !t.is_result) go_wrong_here(t.how);
    out.write_value(static_cast<int>(t.in_encode));
    out.write_value(t.how);
    out.write_value(static_cast<int>(t.is_result));
  }
  static trouble decode(reader& in) {
    trouble t;
    t.in_encode = in.read_value<int>() != 0;
    t.how = in.read_value<tandem::test::way>();
    t.is_result = in.read_value<int>() != 0;
    if (!t.in_encode && t.is_result) go_wrong_here(t.how);
    return t;
  }
};

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  if (argc != 3) return 100;
  tandem::process_pool pool({.max_workers = 2});
  pool.post(wait_for_ever);
  const bool in_encode = std::string_view(argv[1]) == "encode";
  try {
    static_cast<void>(
        pool.submit(pass_on, trouble{in_encode, static_cast<tandem::test::way>(std::atoi(argv[2]))}).get());
    std::puts("went on");
  } catch (const std::bad_alloc&) {
    std::puts("bad_alloc");
  }
  std::fflush(stdout);
  _exit(0);  // or the pool would wait for that task
}
