// by_value closures: sent as their bytes, refused when a captured word is an address.
#include <tandem/by_value.hpp>
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace {

template <class T>
T round_trip(const T& value) {
  tandem::writer out;
  tandem::encode(out, value);
  tandem::reader in(out.bytes());
  T result = tandem::decode<T>(in);
  EXPECT_EQ(in.remaining(), 0U);
  return result;
}

template <class T>
void expect_refused(const T& closure) {
  tandem::writer out;
  try {
    tandem::encode(out, closure);
    ADD_FAILURE() << "was not refused";
  } catch (const tandem::not_portable_error& error) {
    EXPECT_NE(std::string(error.what()).find("captures by reference"), std::string::npos) << error.what();
  }
}

int global = 0;

TEST(ByValue, CapturesCross) {
  const int factor = 3;
  const double offset = 0.5;
  const std::array<short, 3> table{1, 2, 3};
  const auto copy = round_trip(tandem::by_value([=](int x) { return factor * x + offset + table[1]; }));
  EXPECT_EQ(copy(4), 14.5);
}

TEST(ByValue, MutableLambdasWork) {
  auto copy = round_trip(tandem::by_value([n = 1]() mutable { return ++n; }));
  EXPECT_EQ(copy(), 2);
  EXPECT_EQ(copy(), 3);
}

TEST(ByValue, WithoutCapturesNothingIsSent) {
  tandem::writer out;
  tandem::encode(out, tandem::by_value([](int x) { return x; }));
  EXPECT_EQ(out.size(), 0U);
}

TEST(ByValue, AReferenceToALocalIsRefused) {
  int local = 1;
  expect_refused(tandem::by_value([&local] { return local; }));
  expect_refused(tandem::by_value([a = 1, &local] { return a + local; }));
}

TEST(ByValue, PointersToHeapGlobalsAndCodeAreRefused) {
  const auto heap = std::make_unique<int>(1);
  expect_refused(tandem::by_value([p = heap.get()] { return *p; }));
  expect_refused(tandem::by_value([p = &global] { return *p; }));
  expect_refused(tandem::by_value([f = +[] { return 1; }] { return f(); }));
}

TEST(ByValue, NumbersAreNotTakenForAddresses) {
  EXPECT_NO_THROW(round_trip(tandem::by_value([n = 5'000'000L] { return n; })));
  EXPECT_NO_THROW(round_trip(tandem::by_value([n = std::int64_t{1} << 40] { return n; })));
  EXPECT_NO_THROW(round_trip(tandem::by_value([n = std::numeric_limits<std::int64_t>::max()] { return n; })));
  EXPECT_NO_THROW(round_trip(tandem::by_value([n = std::int64_t{-1}] { return n; })));
  EXPECT_NO_THROW(round_trip(tandem::by_value([d = 3.14159] { return d; })));
  EXPECT_NO_THROW(round_trip(tandem::by_value([p = static_cast<int*>(nullptr)] { return p == nullptr; })));
}

}  // namespace
