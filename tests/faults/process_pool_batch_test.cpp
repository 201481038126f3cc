// What the manager encodes at once: quick ones together, but nothing waits for what is slow to encode.
#include "faults/tasks.hpp"
#include "support/asleep.hpp"
#include "support/process_gate.hpp"

#include <tandem/codec.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace {

/// The number `place` of a row: encoding it takes a while, and ends when the one before it runs.
struct next_in_row {
  int place = 0;
  std::string begun;  // path of a shared_counter: how many have
};

/// Waits, and takes so long that the pool puts nothing behind it.
int pass_slowly(std::string path) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  while (std::chrono::steady_clock::now() < until) {}
  return tandem::test::pass(std::move(path));
}

/// Ends when `others` of them run at the same time.
int meet(std::string path, int others) {
  tandem::test::shared_counter here(path);
  here.add();
  here.wait_for(others);
  return here.value();
}

int count(next_in_row task) { return tandem::test::shared_counter(task.begun).add(); }

}  // namespace

template <>
struct tandem::codec<next_in_row> {
  static void encode(writer& out, const next_in_row& value) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (std::chrono::steady_clock::now() < until) {}
    test::shared_counter(value.begun).wait_for(value.place);
    out.write_value(value.place);
    codec<std::string>::encode(out, value.begun);
  }
  static next_in_row decode(reader& in) {
    const int place = in.read_value<int>();
    return {place, codec<std::string>::decode(in)};
  }
};

namespace {

using tandem::test::add_one;
using tandem::test::fifo;

// Two workers end their tasks while the manager is kept in a callback, and go to sleep; then it has one for each.
TEST(ProcessPoolBatch, WakesEachWorkerThatGetsATask) {
  const fifo first;
  const fifo second;
  const fifo third;
  const fifo fourth;
  const tandem::test::scratch_directory directory;
  tandem::process_pool pool({.max_workers = 3});
  auto one = pool.submit(pass_slowly, first.path());
  auto two = pool.submit(pass_slowly, second.path());
  auto three = pool.submit(pass_slowly, third.path());
  std::atomic<bool> is_kept{false};
  std::atomic<bool> may_go{false};
  three.on_done([&](auto&) {
    is_kept = true;
    is_kept.notify_all();
    may_go.wait(false);
  });
  third.release();
  is_kept.wait(false);
  auto four = pool.submit(pass_slowly, fourth.path());  // at the third worker
  first.release();
  second.release();
  for (const auto& worker : pool.stats().per_worker) {
    const auto has_ended_one = [&] {
      const auto all = pool.stats().per_worker;
      return std::any_of(all.begin(), all.end(),
                         [&](const auto& w) { return w.pid == worker.pid && w.tasks_done == 1; });
    };
    while (!has_ended_one()) sched_yield();
    tandem::test::wait_until_process_asleep(worker.pid);
  }
  auto left = pool.submit(meet, directory / "met", 2);
  auto right = pool.submit(meet, directory / "met", 2);
  EXPECT_EQ(pool.stats().queued, 2) << "neither was taken to a ring without the manager";
  may_go = true;
  may_go.notify_all();
  EXPECT_EQ(left.get(), 2);
  EXPECT_EQ(right.get(), 2);
  fourth.release();
  EXPECT_GT(one.get() + two.get() + three.get() + four.get(), 0);
}

TEST(ProcessPoolBatch, EndsBeforeWhatComesFirstHasToWait) {
  const fifo gate;
  const tandem::test::scratch_directory directory;
  tandem::process_pool pool({.max_workers = 1});
  std::vector<tandem::future<int>> quick;
  for (int i = 0; i < 10'000; ++i) quick.push_back(pool.submit(add_one, i));  // from now on, many at once
  for (auto& future : quick) static_cast<void>(future.get());
  auto held = pool.submit(tandem::test::pass, gate.path());
  for (int i = 0; i < 100; ++i)
    pool.post(add_one, i);  // more than the ring takes: what follows is the manager's to encode
  std::vector<tandem::future<int>> row;
  for (int i = 0; i < 100; ++i) row.push_back(pool.submit(count, next_in_row{i, directory / "begun"}));
  gate.release();
  EXPECT_GT(held.get(), 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(row[static_cast<std::size_t>(i)].get(), i + 1);
}

}  // namespace
