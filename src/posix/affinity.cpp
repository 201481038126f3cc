#include "posix/affinity.hpp"

#include "posix/check.hpp"

#include <cerrno>
#include <cstddef>

#include <sched.h>
#include <unistd.h>

namespace tandem::posix {
namespace {

// A mask of the length that the machine needs: CPU_SET's fixed one ends at 1024.
class cpu_mask {
 public:
  explicit cpu_mask(std::size_t cpus) : words_((cpus + CPU_SETSIZE - 1) / CPU_SETSIZE) {}

  [[nodiscard]] std::size_t bytes() const noexcept { return words_.size() * sizeof(cpu_set_t); }
  [[nodiscard]] cpu_set_t* data() noexcept { return words_.data(); }
  [[nodiscard]] int cpus() const noexcept { return static_cast<int>(words_.size()) * CPU_SETSIZE; }
  void add(int cpu) noexcept { CPU_SET_S(static_cast<std::size_t>(cpu), bytes(), data()); }
  [[nodiscard]] bool has(int cpu) noexcept {
    return CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes(), data());
  }

 private:
  std::vector<cpu_set_t> words_;
};

}  // namespace

bool cpu_exists(int cpu) noexcept { return cpu >= 0 && cpu < ::sysconf(_SC_NPROCESSORS_CONF); }

std::vector<int> thread_affinity() {
  for (std::size_t size = CPU_SETSIZE;; size *= 2) {
    cpu_mask mask(size);
    if (::sched_getaffinity(0, mask.bytes(), mask.data()) == 0) {
      std::vector<int> result;
      for (int cpu = 0; cpu < mask.cpus(); ++cpu) {
        if (mask.has(cpu)) result.push_back(cpu);
      }
      return result;
    }
    if (errno != EINVAL || size > (std::size_t{1} << 20)) throw_errno("sched_getaffinity");
  }
}

void set_thread_affinity(const std::vector<int>& cpus) {
  int highest = 0;
  for (const int cpu : cpus) highest = cpu > highest ? cpu : highest;
  cpu_mask mask(static_cast<std::size_t>(highest) + 1);
  for (const int cpu : cpus) {
    if (cpu >= 0) mask.add(cpu);
  }
  checked(::sched_setaffinity(0, mask.bytes(), mask.data()), "sched_setaffinity");
}

}  // namespace tandem::posix
