// Threads that are no workers of a pool and yet do something of its: run a task within submit(), or resolve what waits,
// with all the callbacks of that. Owns who they are, so that the pool's end waits for them, and not for itself.
#ifndef TANDEM_EXECUTOR_OUTSIDERS_HPP
#define TANDEM_EXECUTOR_OUTSIDERS_HPP

#include <atomic>
#include <cstdint>

namespace tandem::detail {

/// Thread-safe. README.md of this room has the protocol.
class outsiders {
 public:
  outsiders() = default;
  outsiders(const outsiders&) = delete;
  outsiders& operator=(const outsiders&) = delete;

  /// While it lives, the calling thread is one of them. Visits nest.
  class visit {
   public:
    explicit visit(outsiders& whom) noexcept;
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit();

   private:
    friend class outsiders;
    outsiders& whom_;
    const visit* const outer_;
  };

  /// The calling thread is one of them: it must not wait for their end.
  [[nodiscard]] bool is_here() const noexcept;
  /// How many visits there are.
  [[nodiscard]] int count() const noexcept {
    return static_cast<int>(word_.load(std::memory_order_relaxed) / one_visit);
  }
  /// Blocks until there is none. For the end of a pool, when no further ones matter; not while is_here().
  void await_none() noexcept;

 private:
  static constexpr std::uint32_t awaited_bit = 1;
  static constexpr std::uint32_t one_visit = 2;

  // Futex word: twice the visits, and 1 once somebody waits for their end.
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace tandem::detail

#endif
