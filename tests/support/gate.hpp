// How threads of one test wait for each other: a gate that opens once, and a counter that can be waited for. They
// stand where a sleep would otherwise pretend to be a synchronization. For processes: process_gate.hpp.
#ifndef TANDEM_TESTS_SUPPORT_GATE_HPP
#define TANDEM_TESTS_SUPPORT_GATE_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tandem::test {

/// Closed at first; once open, it stays open.
class gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }
  [[nodiscard]] bool is_open() {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  std::mutex mutex_;  // guards open_
  std::condition_variable changed_;
  bool open_ = false;
};

/// Opens a gate at the end of a scope, so that a failed assertion leaves nobody behind it.
class gate_opener {
 public:
  explicit gate_opener(gate& g) : gate_(g) {}
  gate_opener(const gate_opener&) = delete;
  gate_opener& operator=(const gate_opener&) = delete;
  ~gate_opener() { gate_.open(); }

 private:
  gate& gate_;
};

/// A number that goes up, and whoever waits for it to be reached.
class counter {
 public:
  int add(int n = 1) {
    const std::lock_guard lock(mutex_);
    value_ += n;
    changed_.notify_all();
    return value_;
  }
  void wait_for(int at_least) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return value_ >= at_least; });
  }
  [[nodiscard]] int value() {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;  // guards value_
  std::condition_variable changed_;
  int value_ = 0;
};

}  // namespace tandem::test

#endif
