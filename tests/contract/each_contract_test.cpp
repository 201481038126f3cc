// The contract of submit_each().
#include <tandem/tandem.hpp>

#include <forward_list>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"
#include "contract/tasks.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class SubmitEach : public fixture<Backend> {};
TYPED_TEST_SUITE(SubmitEach, backends, backend_names);

TYPED_TEST(SubmitEach, GivesAFutureForEachItemInOrder) {
  auto pool = TypeParam::make(2);
  std::vector<int> xs(1000);
  std::iota(xs.begin(), xs.end(), 0);
  std::vector<future<long long>> fs = pool->submit_each(square, xs);
  ASSERT_EQ(fs.size(), xs.size());
  for (std::size_t i = 0; i < fs.size(); ++i) EXPECT_EQ(fs[i].get(), square(xs[i]));
  executor& any = *pool;
  EXPECT_EQ(any.submit_each(add_one, std::forward_list<int>{4, 5}).at(1).get(), 6);
  EXPECT_EQ(pool->submit_each({.name = "each"}, add_one, std::vector<int>{7}).at(0).get(), 8);
}

TYPED_TEST(SubmitEach, OfNothingIsNothing) {
  auto pool = TypeParam::make(1);
  EXPECT_TRUE(pool->submit_each(add_one, std::vector<int>()).empty());
}

TYPED_TEST(SubmitEach, ExceptionsAreThoseOfTheirItems) {
  auto pool = TypeParam::make(2);
  auto fs = pool->submit_each(fail_at_three, std::vector<int>{1, 2, 3, 4});
  EXPECT_EQ(fs[1].get(), 20);
  EXPECT_THROW(fs[2].get(), std::out_of_range);
  EXPECT_EQ(fs[3].get(), 40);
}

TYPED_TEST(SubmitEach, ItemsAreMovedOutOfARangeThatIsGivenAway) {
  auto pool = TypeParam::make(1);
  std::vector<std::unique_ptr<int>> xs;
  for (int i = 0; i < 3; ++i) xs.push_back(std::make_unique<int>(i));
  auto fs = pool->submit_each([](std::unique_ptr<int> x) { return *x; }, std::move(xs));
  EXPECT_EQ(fs[2].get(), 2);
}

TYPED_TEST(SubmitEach, AfterShutdownIsAShutdownError) {
  auto pool = TypeParam::make(1);
  pool->shutdown();
  EXPECT_THROW((void)pool->submit_each(add_one, std::vector<int>{1, 2}), shutdown_error);
  EXPECT_THROW((void)pool->submit_each({.retries = -1}, add_one, std::vector<int>{1}), std::invalid_argument);
}

TYPED_TEST(SubmitEach, InputsThatThrowCancelWhatWaits) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  future<int> blocker;
  if (TypeParam::concurrent) {
    blocker = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(1);
  }
  const std::string ran = this->path("ran");
  std::vector<int> many(600);
  std::iota(many.begin(), many.end(), 0);
  const auto failing = many | std::views::transform([&](int i) {
                         if (i == 500) throw std::out_of_range("the inputs end badly");
                         return ran;
                       });
  EXPECT_THROW((void)pool->submit_each(count, failing), std::out_of_range);
  gate.open();
  pool->shutdown();
  // Without workers beside us what was handed over has run.
  EXPECT_EQ(this->counter("ran").value(), TypeParam::concurrent ? 0 : 256);
}

TYPED_TEST(SubmitEach, StopTokenIsLinkedToEachTask) {
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    auto blocker = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(1);
    std::stop_source stop;
    auto fs = pool->submit_each({.stop_token = stop.get_token()}, add_one, std::vector<int>{1, 2, 3});
    stop.request_stop();
    for (auto& f : fs) EXPECT_TRUE(f.cancelled());
  } else {
    auto pool = TypeParam::make(1);
    std::stop_source stop;
    stop.request_stop();
    auto fs = pool->submit_each({.stop_token = stop.get_token()}, add_one, std::vector<int>{1, 2, 3});
    for (auto& f : fs) EXPECT_TRUE(f.cancelled());
  }
}

}  // namespace
}  // namespace tandem::contract
