// The order in which a worker asks the others for work.
#include "dispatch/victims.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace {

using tandem::dispatch::victims;

// Whom worker `self` asks, if nobody has anything.
std::vector<int> asked(victims& order, const std::vector<int>& domains, int self) {
  std::vector<int> all;
  EXPECT_FALSE(order.find(
      static_cast<int>(domains.size()), self, domains[static_cast<std::size_t>(self)],
      [&](int i) { return domains[static_cast<std::size_t>(i)]; },
      [&](int i) {
        all.push_back(i);
        return false;
      }));
  return all;
}

TEST(Victims, EachOtherOneIsAskedOnce) {
  victims order;
  EXPECT_EQ(asked(order, {0, 0, 0, 0}, 1), (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(asked(order, {0, 0, 0, 0}, 1), (std::vector<int>{2, 3, 0})) << "another one first";
  EXPECT_EQ(asked(order, {0}, 0), (std::vector<int>{}));
}

TEST(Victims, NearOnesComeFirst) {
  victims order;
  const std::vector<int> domains{0, 1, 0, 1, 0, 1};
  for (int round = 0; round < 6; ++round) {
    std::vector<int> all = asked(order, domains, 2);
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(domains[static_cast<std::size_t>(all[0])], 0);
    EXPECT_EQ(domains[static_cast<std::size_t>(all[1])], 0);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, (std::vector<int>{0, 1, 3, 4, 5}));
  }
}

TEST(Victims, TheFirstThatHasSomethingIsTheLastToBeAsked) {
  victims order;
  int questions = 0;
  EXPECT_TRUE(order.find(
      4, 0, 0, [](int) { return 0; }, [&](int i) { return ++questions > 0 && i == 2; }));
  EXPECT_EQ(questions, 2);
}

}  // namespace
