// What the manager encodes at once: quick ones together, but nothing waits for what is slow to encode.
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"

#include <tandem/codec.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

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

TEST(ProcessPoolBatch, EndsBeforeWhatComesFirstHasToWait) {
  const tandem::test::fifo gate;
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
