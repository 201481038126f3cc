// Fork-join trees of random shape, on pools of all sizes, with other tasks, exceptions, cancellation and resizes among them.
#include <tandem/task_group.hpp>

#include <tandem/parallel_reduce.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/seed.hpp"

namespace {

using tandem::parallel_invoke;
using tandem::task_group;
using tandem::thread_pool;

// The shape of a tree comes from the numbers of its nodes alone, so that it can be walked serially too.
class tree {
 public:
  explicit tree(std::uint64_t seed) : seed_(seed) {}

  [[nodiscard]] std::uint64_t serial(std::uint64_t node, int depth) const {
    std::uint64_t sum = mixed(node);
    for (int i = 0; i < children(node, depth); ++i) sum += serial(child(node, i), depth - 1);
    return sum;
  }

  // Each node forks its children in one of the ways there are.
  [[nodiscard]] std::uint64_t parallel(thread_pool& pool, std::uint64_t node, int depth) const {
    const int n = children(node, depth);
    const auto below = [&, depth](std::uint64_t c) { return parallel(pool, c, depth - 1); };
    std::uint64_t sum = mixed(node);
    switch (mixed(node) % 5) {
      case 0: {  // a group
        std::vector<std::uint64_t> parts(static_cast<std::size_t>(n));
        task_group group;
        for (int i = 0; i < n; ++i)
          group.run([&, i] { parts[static_cast<std::size_t>(i)] = below(child(node, i)); });
        group.wait();
        for (const std::uint64_t part : parts) sum += part;
        break;
      }
      case 1:  // a loop
        sum += tandem::parallel_reduce({.chunk_size = 1}, std::views::iota(0, n), std::uint64_t{0},
                                       std::plus<>(), [&](int i) { return below(child(node, i)); });
        break;
      case 2: {  // futures
        std::vector<tandem::future<std::uint64_t>> parts;
        for (int i = 0; i < n; ++i) parts.push_back(pool.submit([&, i] { return below(child(node, i)); }));
        for (auto& part : parts) sum += part.get();
        break;
      }
      default: {  // pairs
        for (int i = 0; i + 1 < n; i += 2) {
          std::uint64_t a = 0;
          std::uint64_t b = 0;
          parallel_invoke([&] { a = below(child(node, i)); }, [&] { b = below(child(node, i + 1)); });
          sum += a + b;
        }
        if (n % 2 == 1) sum += below(child(node, n - 1));
      }
    }
    return sum;
  }

 private:
  [[nodiscard]] std::uint64_t mixed(
      std::uint64_t node) const {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
    std::uint64_t z = node + seed_ + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  [[nodiscard]] int children(std::uint64_t node, int depth) const {
    return depth == 0 ? 0 : static_cast<int>((mixed(node) >> 20) % 6);
  }
  [[nodiscard]] static std::uint64_t child(std::uint64_t node, int i) {
    return node * 7 + static_cast<std::uint64_t>(i) + 1;
  }

  std::uint64_t seed_;
};

TEST(ForkJoinStress, TreesOfAnyShapeGiveTheSerialSum) {
  const tandem::test::seed_scope scope;
  auto random = scope.generator();
  for (const int workers : {1, 2, 3, 16}) {
    thread_pool pool({.max_workers = workers, .max_spare_workers = workers == 3 ? 0 : 256});
    for (int round = 0; round < 60; ++round) {
      const tree t(random());
      const std::uint64_t expected = t.serial(0, 9);
      ASSERT_EQ(pool.submit([&] { return t.parallel(pool, 0, 9); }).get(), expected) << workers << " workers";
    }
  }
}

TEST(ForkJoinStress, SeveralTreesAtOnceWhileThePoolChangesItsSize) {
  const tandem::test::seed_scope scope;
  thread_pool pool({.max_workers = 4});
  std::atomic<bool> stop{false};
  std::thread resizer([&] {
    auto random = scope.generator(99);
    while (!stop) {
      pool.resize(1 + static_cast<int>(random() % 8));
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> users;
  for (unsigned i = 0; i < 3; ++i) {
    users.emplace_back([&, i] {
      auto random = scope.generator(i);
      for (int round = 0; round < 60; ++round) {
        const tree t(random());
        const std::uint64_t expected = t.serial(0, 8);
        std::uint64_t got = 0;
        parallel_invoke(
            pool, [&] { got = t.parallel(pool, 0, 8); }, [&] { (void)t.parallel(pool, 1, 3); });
        ASSERT_EQ(got, expected);
      }
    });
  }
  for (auto& user : users) user.join();
  stop = true;
  resizer.join();
}

// Wherever one node throws: all that was begun is over when the exception arrives, and it is that one.
TEST(ForkJoinStress, ExceptionsComeOutAndLeaveNothingBehind) {
  const tandem::test::seed_scope scope;
  auto random = scope.generator();
  thread_pool pool({.max_workers = 3});
  struct walker {
    std::atomic<int>& inside;
    int bad;
    void operator()(int node, int depth) const {
      ++inside;
      struct leaver {
        std::atomic<int>& inside;
        ~leaver() { --inside; }
      } const leave{inside};
      if (node == bad) throw std::runtime_error("bad");
      if (depth == 0) return;
      if (node % 2 == 0) {
        parallel_invoke([&] { (*this)(2 * node + 1, depth - 1); }, [&] { (*this)(2 * node + 2, depth - 1); });
      } else {
        task_group group;
        group.run([&] { (*this)(2 * node + 1, depth - 1); });
        group.run([&] { (*this)(2 * node + 2, depth - 1); });
        group.wait();
      }
    }
  };
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> inside{0};
    const int bad = static_cast<int>(random() % 1023);
    auto walk = pool.submit([&] { walker{inside, bad}(0, 9); });
    EXPECT_THROW(walk.get(), std::runtime_error) << bad;
    ASSERT_EQ(inside, 0);
  }
}

}  // namespace
