// A producer, consumers, and a bound on what lies between them - without a queue, a mutex or a condition variable.
//
// The producer is a range that makes one record after the other, without end. The consumers are the pool's workers.
// imap_unordered() takes records only `window` ahead of the loop that reads the results: a slow consumer slows the
// producer down, and memory stays flat.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <iterator>
#include <set>
#include <string>

namespace {

// The producer: a single-pass range of "record 1", "record 2", ...
class records {
 public:
  class iterator {
   public:
    using value_type = std::string;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    explicit iterator(records* source) : source_(source) { ++*this; }
    std::string operator*() const { return "record " + std::to_string(source_->produced_); }
    iterator& operator++() {
      ++source_->produced_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::unreachable_sentinel_t) const { return false; }

   private:
    records* source_ = nullptr;
  };

  iterator begin() { return iterator(this); }
  std::unreachable_sentinel_t end() const { return {}; }
  int produced() const { return produced_; }

 private:
  int produced_ = 0;
};

// The consumer: what is to be done with each record.
std::string consume(std::string record) {
  std::reverse(record.begin(), record.end());
  return record;
}

}  // namespace

int main() {
  constexpr int window = 8;
  records source;
  tandem::thread_pool pool({.max_workers = 3});

  int read = 0;
  int furthest = 0;
  std::set<std::string> results;
  for (std::string& result : pool.imap_unordered({.window = window}, consume, source)) {
    furthest = std::max(furthest, source.produced() - read);
    results.insert(std::move(result));
    if (++read == 1000) break;  // leaving the loop cancels what has not started
  }

  std::cout << "read " << read << " results, " << results.size() << " of them different\n";
  std::cout << "the producer was never more than " << window
            << " ahead: " << (furthest <= window ? "true" : "false") << '\n';
  std::cout << "and it has stopped: " << (source.produced() < 1000 + window ? "true" : "false") << '\n';
}
