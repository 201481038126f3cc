// In which order a worker that looks for work asks the others: those first that share a cache with it, each time beginning with
// another one. Knows neither what is stolen nor how.
#ifndef TANDEM_DISPATCH_VICTIMS_HPP
#define TANDEM_DISPATCH_VICTIMS_HPP

#include <cstdint>

namespace tandem::dispatch {

/// One worker's; used by its thread only.
class victims {
 public:
  /// Calls `ask(index)` for each of `places` but `self`, until one says true; then true. `domain_of(index)` may be wrong: then a
  /// far one is asked before a near one, or somebody who changes it just now is asked twice or not at all.
  template <class DomainOf, class Ask>
  bool find(int places, int self, int domain, DomainOf domain_of, Ask ask) noexcept {
    const std::uint32_t first = next_++;
    bool all_near = true;
    for (const bool near : {true, false}) {
      for (int i = 0; i < places; ++i) {
        const int index =
            static_cast<int>((first + static_cast<std::uint32_t>(i)) % static_cast<std::uint32_t>(places));
        if (index == self) continue;
        const bool is_near = domain_of(index) == domain;
        if (is_near != near) {
          all_near = false;
          continue;
        }
        if (ask(index)) return true;
      }
      if (all_near) return false;
    }
    return false;
  }

 private:
  std::uint32_t next_ = 0;
};

}  // namespace tandem::dispatch

#endif
