// A program whose pool is forked from it (start_method::fork), with much memory and with text in its buffers.
#include "faults/start_scene.hpp"

#include <tandem/process_pool.hpp>

#include <csignal>
#include <cstdio>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

int parent_of_worker() { return static_cast<int>(getppid()); }
int add_one(int x) { return x + 1; }

int allocate(int megabytes) {
  const std::size_t size = static_cast<std::size_t>(megabytes) << 20U;
  const std::unique_ptr<char[]> block(new char[size]);
  volatile char* touched = block.get();  // or the compiler leaves the allocation out
  for (std::size_t i = 0; i < size; i += 4096) touched[i] = 1;
  return megabytes;
}

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "scene") {
    std::puts(tandem::test::play(tandem::start_method::fork).c_str());
    return 0;
  }
  std::vector<char> much;
  if (what == "memory") much.assign(std::size_t{300} << 20U, 'x');
  std::printf("written once ");
  tandem::process_pool pool({.max_workers = 2,
                             .start = tandem::start_method::fork,
                             .memory_limit = what == "memory" ? std::size_t{64} << 20U : 0});
  try {
    if (what == "memory") {
      pool.submit(allocate, 16).get();
      try {
        pool.submit(allocate, 1000).get();
      } catch (const std::bad_alloc&) {
        std::puts("small fits, large does not");
      }
    } else if (what == "server") {
      kill(pool.submit(parent_of_worker).get(), SIGKILL);
      for (;;) pool.submit(add_one, 1).get();
    } else {
      std::printf("%d done\n", pool.submit(add_one, 1).get());
    }
  } catch (const tandem::broken_pool_error& e) {
    std::puts(e.what());
  } catch (const std::exception& e) {
    std::printf("%s\n", e.what());
  }
}
