// The contract of workers: how many there may be can be changed, idle ones end if they are told to, and each has what
// is local to it.
#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Worker : public fixture<Backend> {
 protected:
  // Runs a task on each worker at the same time.
  template <class Pool>
  void use_all(Pool& pool) {
    const std::string round = std::to_string(++rounds_);
    auto gate = this->gate("gate" + round);
    std::vector<future<int>> fs;
    for (int i = 0; i < pool.max_workers(); ++i)
      fs.push_back(pool.submit(arrive_and_pass, this->path("arrivals" + round), gate.path()));
    this->counter("arrivals" + round).wait_for(pool.max_workers());
    gate.open();
    for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  }
  // For the end of a thread or a process, which comes a moment after the last thing that can be waited for.
  template <class Pool>
  static void wait_for_workers(const Pool& pool, int workers) {
    while (pool.stats().workers != workers) std::this_thread::sleep_for(1ms);
  }

 private:
  int rounds_ = 0;
};
TYPED_TEST_SUITE(Worker, backends, backend_names);

template <class Pool>
concept resizable = requires(Pool& pool) {
  pool.resize(2);
};

template <class Backend>
concept idle_workers_end = requires(typename Backend::options options) {
  options.idle_timeout;
};

TYPED_TEST(Worker, TheirNumberMayBeChanged) {
  if constexpr (!resizable<typename TypeParam::pool>) {
    // The caller is one, and a oneTBB arena has the size that it was made with: docs/backends.md.
    auto pool = TypeParam::make(3);
    EXPECT_EQ(pool->max_workers(), TypeParam::takes_max_workers ? 3 : 1);
  } else {
    auto pool = TypeParam::make(2);
    for (const int workers : {4, 1, 3}) {
      pool->resize(workers);
      EXPECT_EQ(pool->max_workers(), workers);
      this->use_all(*pool);
      this->wait_for_workers(*pool, workers);
    }
    EXPECT_THROW(pool->resize(-1), std::invalid_argument);
    pool->resize(0);
    EXPECT_EQ(pool->max_workers(), TypeParam::make()->max_workers());
    pool->shutdown();
    EXPECT_THROW(pool->resize(2), shutdown_error);
  }
}

TYPED_TEST(Worker, EndsWhenIdleForTooLongAndComesAgain) {
  if constexpr (!TypeParam::takes_max_workers) {
    // The caller does not end.
    auto pool = TypeParam::make();
    EXPECT_EQ(pool->stats().workers, 1);
  } else if constexpr (!idle_workers_end<TypeParam>) {
    // oneTBB takes its threads back when it sees fit; tasks find some.
    auto pool = TypeParam::make(2);
    for (int round = 0; round < 3; ++round) this->use_all(*pool);
  } else {
    auto initialized = this->counter("initialized");
    auto finalized = this->counter("finalized");
    {
      typename TypeParam::pool pool({.max_workers = 2,
                                     .initializer = portable_hook(hook(this->path("initialized"))),
                                     .finalizer = portable_hook(hook(this->path("finalized"))),
                                     .idle_timeout = 10ms});
      for (int round = 0; round < 3; ++round) {
        this->use_all(pool);
        finalized.wait_for(initialized.value());
        this->wait_for_workers(pool, 0);
      }
      EXPECT_GE(initialized.value(), 6);
      EXPECT_EQ(pool.max_workers(), 2);
      EXPECT_EQ(pool.stats().restarts, 0);
    }
    EXPECT_EQ(initialized.value(), finalized.value());
    EXPECT_THROW(typename TypeParam::pool({.idle_timeout = 0s}), std::invalid_argument);
  }
}

// Of this process, or of a worker process.
worker_local<int> calls;
int count_call() { return ++calls.local(); }

TYPED_TEST(Worker, HasAValueOfItsOwnInAWorkerLocal) {
  calls.clear();
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 100; ++i) fs.push_back(pool->submit(count_call));
  int most = 0;
  for (auto& f : fs) most = std::max(most, f.get());
  EXPECT_GE(most, 50) << "on one of two";
  pool->shutdown();
  if (TypeParam::in_process) {
    EXPECT_EQ(calls.combine(std::plus<>()), 100);
    EXPECT_EQ(calls.size() == 1, most == 100);
  } else {
    EXPECT_EQ(calls.size(), 0U) << "the workers' are their own";
  }
  calls.clear();
}

}  // namespace
}  // namespace tandem::contract
