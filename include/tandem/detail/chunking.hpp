// How many items make one task: measured, so that a task costs much more than sending it, and little enough that
// the workers end together.
#ifndef TANDEM_DETAIL_CHUNKING_HPP
#define TANDEM_DETAIL_CHUNKING_HPP

#include <tandem/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace tandem::detail {

/// Throws std::invalid_argument that names the field and the value if it is negative.
TANDEM_API void check_not_negative(const char* field, int value);

class chunk_sizer {
 public:
  /// `fixed`: the user's choice, 0 for none. `target`: how long a chunk shall take. `workers`: how many share.
  chunk_sizer(int fixed, std::chrono::nanoseconds target, int workers) noexcept
      : fixed_(static_cast<std::size_t>(fixed)),
        workers_(static_cast<std::size_t>(std::max(1, workers))),
        target_(static_cast<double>(target.count())) {}

  /// The size for the next chunk when `remaining` items are left: never so many that other workers go without.
  [[nodiscard]] std::size_t next(std::size_t remaining) const noexcept {
    if (fixed_ != 0) return fixed_;
    return std::clamp<std::size_t>(remaining / (2 * workers_), 1, size_);
  }

  /// A chunk of `items` took `elapsed`. Grows at most eightfold at a time: one lucky item is no measurement.
  void measured(std::size_t items, std::chrono::nanoseconds elapsed) noexcept {
    const double per_item = std::max(0.5, static_cast<double>(elapsed.count()) / static_cast<double>(items));
    size_ =
        std::clamp<std::size_t>(static_cast<std::size_t>(target_ / per_item), 1, 8 * std::max(items, size_));
  }

  [[nodiscard]] std::size_t size() const noexcept { return fixed_ != 0 ? fixed_ : size_; }

 private:
  std::size_t fixed_;
  std::size_t workers_;
  double target_;
  std::size_t size_ = 1;
};

}  // namespace tandem::detail

#endif
