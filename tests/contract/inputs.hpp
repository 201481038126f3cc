// Input ranges for the tests of map and imap: read once, endless, broken, or counting how far they were read.
#ifndef TANDEM_TESTS_CONTRACT_INPUTS_HPP
#define TANDEM_TESTS_CONTRACT_INPUTS_HPP

#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace tandem::contract {

/// 0, 1, ..., size - 1.
inline std::vector<int> first_ints(int size) {
  std::vector<int> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// 0, 1, ... up to, and not including, `end`; to be read once. Tells how many were read.
class ints_until {
 public:
  explicit ints_until(int end = std::numeric_limits<int>::max()) : end_(end) {}

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = const int*;
    using reference = int;

    iterator() = default;
    explicit iterator(ints_until& range) : range_(&range) {}
    int operator*() const {
      range_->read_ = range_->next_ + 1;
      return range_->next_;
    }
    iterator& operator++() {
      ++range_->next_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range_->next_ >= range_->end_; }

   private:
    ints_until* range_ = nullptr;
  };

  iterator begin() { return iterator(*this); }
  static std::default_sentinel_t end() { return std::default_sentinel; }
  [[nodiscard]] int read() const { return read_; }

 private:
  int end_;
  int next_ = 0;
  int read_ = 0;
};

/// 0, 1, ..., and at `broken_at` an exception.
class throwing_inputs {
 public:
  explicit throwing_inputs(int broken_at) : broken_at_(broken_at) {}

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = const int*;
    using reference = int;

    iterator() = default;
    explicit iterator(throwing_inputs& range) : range_(&range) {}
    int operator*() const { return range_->next_; }
    iterator& operator++() {
      if (++range_->next_ == range_->broken_at_) throw std::domain_error("broken input");
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return false; }

   private:
    throwing_inputs* range_ = nullptr;
  };

  iterator begin() { return iterator(*this); }
  static std::default_sentinel_t end() { return std::default_sentinel; }

 private:
  int broken_at_;
  int next_ = 0;
};

}  // namespace tandem::contract

#endif
