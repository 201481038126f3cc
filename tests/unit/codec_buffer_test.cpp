// writer and reader: growth, where the bytes lie, bounds.
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using tandem::byte_buffer;
using tandem::decode_error;
using tandem::reader;
using tandem::writer;

/// Hands out larger and larger vectors, and counts.
class counting_overflow final : public tandem::writer_overflow {
 public:
  std::span<std::byte> grow(std::span<const std::byte> written, std::size_t needed) override {
    ++calls;
    if (refuse) throw std::bad_alloc();
    auto larger = std::make_unique<std::vector<std::byte>>(needed);
    std::copy(written.begin(), written.end(), larger->begin());
    storage = std::move(larger);
    return *storage;
  }

  int calls = 0;
  bool refuse = false;
  std::unique_ptr<std::vector<std::byte>> storage;
};

TEST(Writer, StaysInTheFirstBufferWhileTheMessageFits) {
  std::array<std::byte, 16> slot{};
  writer out(slot);
  out.write_value(std::uint64_t{1});
  out.write_value(std::uint64_t{2});
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(out.bytes().data(), slot.data());
  EXPECT_EQ(out.size(), 16U);
}

TEST(Writer, MovesToTheHeapWithAllBytesWhenTheFirstBufferIsFull) {
  std::array<std::byte, 10> slot{};
  writer out(slot);
  out.write_value(std::uint64_t{7});
  out.write_value(std::uint64_t{8});
  EXPECT_TRUE(out.overflowed());
  reader in(out.bytes());
  EXPECT_EQ(in.read_value<std::uint64_t>(), 7U);
  EXPECT_EQ(in.read_value<std::uint64_t>(), 8U);
}

TEST(Writer, ContinuesWhereTheOverflowSays) {
  std::array<std::byte, 4> slot{};
  counting_overflow overflow;
  writer out(slot, overflow);
  for (int i = 0; i < 1000; ++i) out.write_value(i);
  EXPECT_EQ(out.bytes().data(), overflow.storage->data());
  EXPECT_LT(overflow.calls, 12) << "growth should be geometric";
  reader in(out.bytes());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(in.read_value<int>(), i);
}

TEST(Writer, IsAsBeforeWhenTheOverflowThrows) {
  std::array<std::byte, 8> slot{};
  counting_overflow overflow;
  overflow.refuse = true;
  writer out(slot, overflow);
  out.write_value(std::uint64_t{3});
  EXPECT_THROW(out.write_value('x'), std::bad_alloc);
  EXPECT_EQ(out.size(), 8U);
  EXPECT_EQ(out.bytes().data(), slot.data());
}

TEST(Writer, RefusesASizeThatCannotBe) {
  writer out;
  out.write_value('x');
  EXPECT_THROW(out.reserve(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  EXPECT_EQ(out.size(), 1U);
}

TEST(Writer, TakeHandsOutTheBytesAndLeavesNothing) {
  for (const bool in_slot : {false, true}) {
    std::array<std::byte, 64> slot{};
    writer out(in_slot ? std::span<std::byte>(slot) : std::span<std::byte>());
    tandem::encode(out, std::string("hello"));
    const byte_buffer taken = out.take();
    EXPECT_EQ(out.size(), 0U);
    reader in(taken.bytes());
    EXPECT_EQ(tandem::decode<std::string>(in), "hello");
    tandem::encode(out, 5);
    EXPECT_EQ(out.size(), sizeof(int));
  }
}

TEST(Writer, TruncateForgetsTheEnd) {
  writer out;
  out.write_value(1);
  out.write_value(2);
  out.truncate(sizeof(int));
  out.truncate(100);
  EXPECT_EQ(out.size(), sizeof(int));
}

TEST(Writer, OverwriteStaysWithinWhatIsWritten) {
  writer out;
  out.write_value(std::uint32_t{1});
  const std::uint32_t two = 2;
  out.overwrite(0, &two, sizeof(two));
  out.overwrite(2, &two, sizeof(two));  // would reach beyond the end
  out.overwrite(std::numeric_limits<std::size_t>::max(), &two, sizeof(two));
  reader in(out.bytes());
  EXPECT_EQ(in.read_value<std::uint32_t>(), 2U);
}

TEST(Reader, ThrowsBeforeItReadsBeyondTheEnd) {
  const std::array<std::byte, 3> bytes{};
  reader in(bytes);
  EXPECT_THROW(static_cast<void>(in.read_value<int>()), decode_error);
  EXPECT_EQ(in.remaining(), 3U) << "nothing was consumed";
  EXPECT_THROW(static_cast<void>(in.take(std::numeric_limits<std::size_t>::max())), decode_error);
  EXPECT_EQ(in.take(3).size(), 3U);
  EXPECT_NO_THROW(in.expect_end());
}

TEST(Reader, LeftOverBytesAreAnError) {
  const std::array<std::byte, 3> bytes{};
  reader in(bytes);
  EXPECT_THROW(in.expect_end(), decode_error);
}

TEST(Reader, RefusesCountsThatTheBytesCannotHold) {
  const auto count_in = [](std::uint64_t count, std::size_t item_size, std::size_t rest) {
    writer out;
    out.write_value(count);
    for (std::size_t i = 0; i != rest; ++i) out.write_value('x');
    reader in(out.bytes());
    return in.read_count(item_size);
  };
  EXPECT_EQ(count_in(10, 1, 10), 10U);
  EXPECT_THROW(count_in(11, 1, 10), decode_error);
  EXPECT_EQ(count_in(2, 4, 10), 2U);
  EXPECT_THROW(count_in(3, 4, 10), decode_error);
  // count * size overflows to something small
  EXPECT_THROW(count_in((std::uint64_t{1} << 62) + 1, 4, 10), decode_error);
  EXPECT_EQ(count_in(1000, 0, 0), 1000U);
  EXPECT_THROW(count_in(std::uint64_t{1} << 40, 0, 10), decode_error);
}

TEST(Reader, ReservesNoMoreMemoryThanTheMessageHas) {
  const std::array<std::byte, 100> bytes{};
  const auto reservation = [&](std::size_t count, std::size_t item_size) {
    return reader(bytes).reservation(count, item_size);
  };
  EXPECT_EQ(reservation(100, 1000), 1U);
  EXPECT_EQ(reservation(100, 10), 11U);
  EXPECT_EQ(reservation(3, 1), 3U);
  reader in(bytes);  // many containers, one in the other
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) taken += in.reservation(100, 1);
  EXPECT_LE(taken, 4 * bytes.size() + 100);
}

TEST(Reader, MessagesNameTheLikelyCause) {
  reader in(std::span<const std::byte>{});
  try {
    static_cast<void>(in.read_value<int>());
    FAIL();
  } catch (const decode_error& error) {
    EXPECT_NE(std::string(error.what()).find("cut short"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("rebuilt"), std::string::npos) << error.what();
  }
}

}  // namespace
