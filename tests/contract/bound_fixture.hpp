// What the tests of bounded queues share: how such a pool is made and filled, and a thread that submits and waits.
#ifndef TANDEM_TESTS_CONTRACT_BOUND_FIXTURE_HPP
#define TANDEM_TESTS_CONTRACT_BOUND_FIXTURE_HPP

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/asleep.hpp"

namespace tandem::contract {

using namespace std::chrono_literals;

template <class Backend>
class Bound : public fixture<Backend> {
 protected:
  using pool_type = typename Backend::pool;

  /// Where a task runs within its submit() nothing can wait, and there is no queue to be bounded.
  [[nodiscard]] static std::unique_ptr<pool_type> make([[maybe_unused]] int workers,
                                                       [[maybe_unused]] int capacity,
                                                       [[maybe_unused]] when_full policy) {
    if constexpr (Backend::concurrent) {
      return std::make_unique<pool_type>(
          typename Backend::options{.max_workers = workers, .queue_capacity = capacity, .when_full = policy});
    } else {
      return std::make_unique<pool_type>();
    }
  }

  /// Tasks that wait for the gate, until no more are accepted without waiting.
  [[nodiscard]] std::vector<future<int>> fill(executor& pool, int count, const std::string& gate) const {
    std::vector<future<int>> fs;
    for (int i = 0; i < count; ++i) fs.push_back(pool.submit({.submit_timeout = 0s}, pass, gate));
    return fs;
  }
};
inline std::string what_of_full_queue(executor& pool, task_options options = {}) {
  try {
    (void)pool.submit(std::move(options), add_one, 1);
  } catch (const queue_full_error& e) {
    return e.what();
  }
  return "";
}

// A thread that submits, and may have to wait with it.
class submitter {
 public:
  template <class Submit>
  explicit submitter(Submit submit)
      : thread_([this, submit] {
          id_ = test::this_thread();
          id_.notify_all();
          submit();
        }) {}
  void wait_until_asleep() {
    id_.wait(0);
    test::wait_until_asleep(id_);
  }
  void join() { thread_.join(); }

 private:
  std::atomic<int> id_{0};
  std::thread thread_;
};

}  // namespace tandem::contract

#endif
