// tandem::gtest_main: a main for GoogleTest programs whose tests use process pools.
// Owns nothing but the order: tandem::init first, since a pool worker is this same program started again and
// must never reach the tests.
#include <gtest/gtest.h>
#include <tandem/init.hpp>

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
