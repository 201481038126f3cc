// When further workers may be started, after starts that failed, and when there is no hope left. Owns the two counts
// and the back-off; starts nothing. The manager's own.
//
// What counts are rounds: whatever goes wrong with the workers that were started in one go counts once, for it has one
// cause (no memory, no process to be had, the server killed), and the next round comes only after a pause.
#ifndef TANDEM_PROCESS_POOL_RECRUITMENT_HPP
#define TANDEM_PROCESS_POOL_RECRUITMENT_HPP

#include <tandem/detail/core.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace tandem::process {

class recruitment {
 public:
  /// The round in which a worker is started now; to be told when it fails.
  [[nodiscard]] std::uint64_t round() const noexcept { return round_; }
  /// Not before that moment may one be started; nothing: at once.
  [[nodiscard]] std::optional<detail::time_point> not_before() const noexcept { return not_before_; }
  [[nodiscard]] bool must_wait(detail::time_point now) const noexcept {
    return not_before_ && now < *not_before_;
  }

  /// It could not be started.
  void refused(std::uint64_t round, detail::time_point now) noexcept { count(refusals_, round, now); }
  /// It was started, and died before it could serve.
  void died_early(std::uint64_t round, detail::time_point now) noexcept { count(early_deaths_, round, now); }
  /// One serves: what was wrong is over.
  void succeeded() noexcept {
    refusals_ = 0;
    early_deaths_ = 0;
    not_before_.reset();
  }

  /// So many rounds in a row failed that the next one will not do better.
  [[nodiscard]] bool none_can_be_started() const noexcept { return refusals_ >= most_refusals; }
  [[nodiscard]] bool none_survives() const noexcept { return early_deaths_ >= most_early_deaths; }

 private:
  static constexpr int most_refusals = 8;
  static constexpr int most_early_deaths = 5;
  static constexpr std::chrono::milliseconds first_pause{10};
  static constexpr std::chrono::milliseconds longest_pause{1000};

  void count(int& failures, std::uint64_t round, detail::time_point now) noexcept {
    if (round != round_) return;  // one of that round has been counted
    ++round_;
    ++failures;
    not_before_ = now + std::min(longest_pause, first_pause * (1 << std::min(failures, 10)));
  }

  std::uint64_t round_ = 0;
  int refusals_ = 0;  // rounds in a row
  int early_deaths_ = 0;
  std::optional<detail::time_point> not_before_;
};

}  // namespace tandem::process

#endif
