// submit_each() on an executor that counts how tasks are handed to it: in batches, so that it can look for workers once
// for each of them.
#include <tandem/executor.hpp>

#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace tandem;

// Runs what it gets at once.
class batch_executor final : public executor {
 public:
  [[nodiscard]] int max_workers() const noexcept override { return 1; }
  void shutdown(shutdown_options = {}) override {}
  [[nodiscard]] executor_stats stats() const override { return {}; }
  void enqueue(detail::core_ptr<detail::core> task) override {
    ++single;
    run(*task);
  }
  void enqueue_all(std::span<detail::core_ptr<detail::core>> tasks) override {
    batches.push_back(tasks.size());
    for (auto& task : tasks) {
      if (accepts == 0) throw shutdown_error("no more");
      --accepts;
      run(*std::exchange(task, {}));
    }
  }

  int single = 0;
  std::size_t accepts = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> batches;

 private:
  static void run(detail::core& task) {
    if (task.try_start()) task.execute();
  }
};

int add_one(int x) { return x + 1; }

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(SubmitEachBatches, ManyTasksAreHandedOverInAFewBatches) {
  batch_executor pool;
  auto fs = pool.submit_each(add_one, numbers(1000));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_EQ(pool.single, 0);
  EXPECT_LE(pool.batches.size(), 8U);
  EXPECT_EQ(std::accumulate(pool.batches.begin(), pool.batches.end(), std::size_t{0}), 1000U);
}

TEST(SubmitEachBatches, OptionsGoWithEachTask) {
  batch_executor pool;
  auto fs = pool.submit_each({.name = "page"}, add_one, numbers(10));
  for (auto& f : fs) EXPECT_TRUE(f.is_ready());
  EXPECT_EQ(pool.single, 0);
  EXPECT_EQ(pool.batches, std::vector<std::size_t>{10});
}

TEST(SubmitEachBatches, RefusalInTheMiddleReachesTheCaller) {
  batch_executor pool;
  pool.accepts = 300;
  int ran = 0;
  const auto count = [&ran](int) { ++ran; };
  EXPECT_THROW((void)pool.submit_each(count, numbers(1000)), shutdown_error);
  EXPECT_EQ(ran, 300);
  EXPECT_EQ(pool.batches.size(), 2U) << "nothing is tried behind a refusal";
}

}  // namespace
