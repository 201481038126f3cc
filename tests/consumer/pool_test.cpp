// A user's GoogleTest program: tandem::gtest_main gives it a main in which process pools work.
#include <gtest/gtest.h>
#include <tandem/tandem.hpp>

TEST(Consumer, UsesProcessPoolInTest) {
  tandem::process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit([](int n) { return n + 1; }, 41).get(), 42);
}
