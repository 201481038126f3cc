#include "posix/cache_domain.hpp"

#include "posix/file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <new>
#include <optional>
#include <string_view>

#include <sched.h>

namespace tandem::posix {

namespace {

constexpr char cpus[] = "/sys/devices/system/cpu/";
constexpr int most_cpus = 65'536;

// "0-3,8" and a line feed. What is not understood ends it.
std::vector<int> parse_list(std::string_view text) {
  std::vector<int> all;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    int first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc{}) return all;
    int last = first;
    if (parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
      if (parsed.ec != std::errc{}) return all;
    }
    for (int cpu = std::max(first, 0); cpu <= std::min(last, most_cpus); ++cpu) all.push_back(cpu);
    if (parsed.ptr == end || *parsed.ptr != ',') return all;
    at = parsed.ptr + 1;
  }
}

// The CPUs that share the highest level of cache with this one, and it; empty if sysfs does not tell.
std::vector<int> sharers_of(int cpu, const std::string& root) {
  const std::string caches = root + cpus + "cpu" + std::to_string(cpu) + "/cache/index";
  std::vector<int> found;
  for (int index = 0;; ++index) {  // from the first level up
    const std::optional<std::string> list = read_text(caches + std::to_string(index) + "/shared_cpu_list");
    if (!list) return found;
    found = parse_list(*list);
  }
}

// Never destroyed: workers of a static pool look at it until that is, or longer.
const std::vector<int>& known_domains() noexcept {
  alignas(std::vector<int>) static std::byte room[sizeof(std::vector<int>)];
  static const std::vector<int>& all = *[]() noexcept {
    try {
      return new (room) std::vector<int>(cache_domains());
    } catch (const std::bad_alloc&) {
      return new (room) std::vector<int>;
    }
  }();
  return all;
}

}  // namespace

std::vector<int> cache_domains(const std::string& root) {
  const std::vector<int> online = parse_list(read_text(root + cpus + "online").value_or(""));
  std::vector<int> domains(online.empty() ? 1 : static_cast<std::size_t>(online.back()) + 1, -1);
  int next = 0;
  for (const int cpu : online) {
    if (domains[static_cast<std::size_t>(cpu)] >= 0) continue;
    for (const int sharer : sharers_of(cpu, root)) {
      if (static_cast<std::size_t>(sharer) < domains.size()) domains[static_cast<std::size_t>(sharer)] = next;
    }
    if (domains[static_cast<std::size_t>(cpu)] == next) ++next;
  }
  for (int& domain : domains) domain = std::max(domain, 0);
  return domains;
}

int current_cache_domain() noexcept {
  const std::vector<int>& all = known_domains();
  static const bool is_one = std::all_of(all.begin(), all.end(), [](int domain) { return domain == 0; });
  if (is_one) return 0;
  const int cpu = ::sched_getcpu();
  return cpu >= 0 && static_cast<std::size_t>(cpu) < all.size() ? all[static_cast<std::size_t>(cpu)] : 0;
}

}  // namespace tandem::posix
