// What map() is made of: how large chunks get, how inputs are kept, where results are put.
#include <tandem/detail/chunking.hpp>
#include <tandem/detail/imap.hpp>
#include <tandem/detail/map_inputs.hpp>
#include <tandem/detail/map_slab.hpp>

#include <chrono>
#include <forward_list>
#include <list>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using tandem::detail::chunk_sizer;
using tandem::detail::map_slab;

TEST(ChunkSizer, KeepsTheSizeThatWasAskedFor) {
  chunk_sizer sizer(7, 50us, 4);
  EXPECT_EQ(sizer.next(1000), 7U);
  sizer.measured(7, 1s);
  EXPECT_EQ(sizer.next(1000), 7U);
  EXPECT_EQ(sizer.next(3), 7U) << "cutting it to what is left is the caller's";
}

TEST(ChunkSizer, BeginsWithOneItem) { EXPECT_EQ(chunk_sizer(0, 50us, 4).next(1'000'000), 1U); }

TEST(ChunkSizer, GrowsToTheTargetAtMostEightfoldAtATime) {
  chunk_sizer sizer(0, 50us, 2);
  std::size_t size = sizer.next(10'000'000);
  for (int round = 0; round < 10; ++round) {
    sizer.measured(size, std::chrono::nanoseconds(10 * size));
    const std::size_t grown = sizer.next(10'000'000);
    EXPECT_LE(grown, 8 * size);
    EXPECT_LE(grown, 5000U) << "50 us of 10 ns items";
    size = grown;
  }
  EXPECT_EQ(size, 5000U);
}

TEST(ChunkSizer, ShrinksAtOnceWhenItemsTurnOutToBeSlow) {
  chunk_sizer sizer(0, 50us, 2);
  for (std::size_t size = 1; size < 4000; size = sizer.next(10'000'000))
    sizer.measured(size, std::chrono::nanoseconds(10 * size));
  sizer.measured(4000, 4s);
  EXPECT_EQ(sizer.next(10'000'000), 1U);
}

TEST(ChunkSizer, LeavesWorkForTheOthersAtTheEnd) {
  chunk_sizer sizer(0, 1s, 4);
  for (int round = 0; round < 10; ++round) sizer.measured(sizer.size(), 1ns);
  EXPECT_EQ(sizer.next(80), 10U);
  EXPECT_EQ(sizer.next(7), 1U);
  EXPECT_EQ(sizer.next(1), 1U);
}

TEST(ChunkSizer, TakesMeasurementsOfNoTimeAtAll) {
  chunk_sizer sizer(0, 50us, 1);
  for (int round = 0; round < 30; ++round) sizer.measured(sizer.size(), 0ns);
  EXPECT_GE(sizer.next(1'000'000'000), 1000U);
  EXPECT_LE(sizer.next(1'000'000'000), 200'000U);
}

// Counts copies, so that it shows who makes any.
struct counted {
  counted() = default;
  counted(const counted& other) : copies(other.copies + 1) {}
  counted& operator=(const counted&) = default;
  int copies = 0;
};

template <class Range>
int copies_seen(Range& range) {
  const auto inputs = tandem::detail::make_inputs<Range&>(range);
  EXPECT_EQ(inputs.size(), 3U);
  return inputs.apply([](const counted& c) { return c.copies; }, 1);
}

TEST(MapInputs, ReferToElementsOfRangesThatStay) {
  std::vector<counted> random_access(3);
  std::list<counted> bidirectional(3);
  std::forward_list<counted> forward(3);
  EXPECT_EQ(copies_seen(random_access), 0);
  EXPECT_EQ(copies_seen(bidirectional), 0);
  EXPECT_EQ(copies_seen(forward), 0);
}

TEST(MapInputs, KeepElementsOfRangesThatCanBeReadOnce) {
  std::istringstream text("1 2 3");
  struct stream {
    std::istream_iterator<int> first;
    [[nodiscard]] auto begin() const { return first; }
    [[nodiscard]] static auto end() { return std::istream_iterator<int>(); }
  } range{std::istream_iterator<int>(text)};
  const auto inputs = tandem::detail::make_inputs<stream&>(range);
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs.apply([](int x) { return x; }, 2), 3);
  EXPECT_EQ(inputs.apply([](int x) { return x; }, 0), 1);
}

TEST(MapInputs, EndWithTheShortestRange) {
  std::vector<int> a{1, 2, 3};
  std::vector<int> b{1, 2};
  std::list<int> c{1};
  EXPECT_EQ((tandem::detail::make_inputs<std::vector<int>&, std::vector<int>&>(a, b).size()), 2U);
  EXPECT_EQ((tandem::detail::make_inputs<std::vector<int>&, std::list<int>&>(a, c).size()), 1U);
}

struct no_default {
  explicit no_default(std::shared_ptr<int> p) : token(std::move(p)) {}
  std::shared_ptr<int> token;
};

TEST(MapSlab, GivesResultsWithoutDefaultConstructorInOrder) {
  auto token = std::make_shared<int>(1);
  map_slab<no_default> slab(3);
  for (const std::size_t i : {2U, 0U, 1U}) slab.put(i, [&] { return no_default(token); });
  EXPECT_EQ(slab.take().size(), 3U);
}

TEST(MapSlab, DestroysExactlyWhatWasPut) {
  const auto token = std::make_shared<int>(1);
  {
    map_slab<no_default> slab(5);
    slab.put(1, [&] { return no_default(token); });
    slab.put(4, [&] { return no_default(token); });
    EXPECT_THROW(slab.put(2, []() -> no_default { throw std::out_of_range("far"); }), std::out_of_range);
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
  {
    map_slab<no_default> slab(2);
    for (const std::size_t i : {0U, 1U}) slab.put(i, [&] { return no_default(token); });
    const auto all = slab.take();
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(ChunkSize, OfAReplyMustBeThatOfTheChunk) {
  EXPECT_NO_THROW(tandem::detail::check_chunk_size(3, 3));
  EXPECT_THROW(tandem::detail::check_chunk_size(2, 3), tandem::decode_error);
  EXPECT_THROW(tandem::detail::check_chunk_size(4, 3), tandem::decode_error);
}

}  // namespace
