#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <new>
#include <system_error>
#include <utility>

#include "process_round_trip/workload.hpp"
#include "round_trip/workload.hpp"

// For scale: two processes and two futex words, no library, and nobody spins. See round_trip/futex.cpp.
namespace process_round_trip {
namespace {

using word = std::atomic<std::uint32_t>;
static_assert(sizeof(word) == sizeof(std::uint32_t));

struct alignas(64) line {
  word at{0};
};

void wait_while(line& l, std::uint32_t value) {
  while (l.at.load(std::memory_order_acquire) == value)
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&l.at), FUTEX_WAIT, value, nullptr, nullptr, 0);
}

void set(line& l, std::uint32_t value) {
  l.at.store(value, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&l.at), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

struct table {
  line there;
  line back;
};

[[noreturn]] void answer_all(table& shared) {
  for (std::uint32_t turn = 0;; ++turn) {
    wait_while(shared.there, turn);
    set(shared.back, turn + 1);
  }
}

}  // namespace

figures run_futex(const bench::conditions& c) {
  void* const memory =
      mmap(nullptr, sizeof(table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  table& shared = *new (memory) table;
  const pid_t other = fork();
  if (other < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (other == 0) answer_all(shared);
  std::uint32_t turn = 0;
  figures all = round_trip::measure_trips(c, [&] {
    set(shared.there, turn + 1);
    wait_while(shared.back, turn);
    ++turn;
  });
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  munmap(memory, sizeof(table));
  return without_the_rarest(std::move(all));
}

}  // namespace process_round_trip
