// Slabs and how they are made known to a peer: both ends of the socket are here, no process is started.
#include "posix/memfd.hpp"
#include "posix/socket.hpp"

#include "process_pool/memfd_mail.hpp"
#include "process_pool/payload.hpp"
#include "process_pool/slab.hpp"
#include "process_pool/slab_link.hpp"

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace tandem::process;
namespace posix = tandem::posix;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

slab written(std::size_t size, int byte) {
  slab made(size);
  std::memset(made.bytes().data(), byte, size);
  made.touch(size);
  return made;
}

TEST(Slab, GivesItsMemoryBackThoughAPeerHasItMapped) {
  slab used = written(mebibyte, 1);
  const posix::unique_fd peer(dup(used.fd()));
  const posix::mapping view = posix::mapping::read_only(peer.get(), slab_bytes);
  EXPECT_GE(posix::allocated_size(peer.get()), mebibyte);
  used = {};
  EXPECT_EQ(posix::allocated_size(peer.get()), 0U);
}

TEST(Slab, IsUsedOnceIfItIsVeryLarge) {
  EXPECT_TRUE(slab(slab_bytes).is_kept());
  const slab huge(slab_bytes + 1);
  EXPECT_FALSE(huge.is_kept());
  EXPECT_GE(huge.size(), slab_bytes + 1);
}

TEST(SlabCache, HandsOutTheSlabWithTheLeastMemoryThatSuffices) {
  slab_cache cache(slab_bytes);
  std::vector<std::uint64_t> ids;
  for (const std::size_t mebibytes : {4U, 1U, 2U}) {
    slab used = written(mebibytes * mebibyte, 1);
    ids.push_back(used.id());
    cache.give(std::move(used));
  }
  slab found = cache.take(2 * mebibyte);
  EXPECT_EQ(found.id(), ids[2]);
  found = cache.take(8 * mebibyte);  // none has so much: the one that has most
  EXPECT_EQ(found.id(), ids[0]);
}

TEST(SlabCache, KeepsNoMoreMemoryThanItMay) {
  slab_cache cache(4 * mebibyte);
  std::vector<posix::unique_fd> peers;
  for (int i = 0; i < 10; ++i) {
    slab used = written(mebibyte, i);
    peers.emplace_back(dup(used.fd()));
    cache.give(std::move(used));
  }
  std::size_t kept = 0;
  for (const posix::unique_fd& peer : peers) kept += posix::allocated_size(peer.get());
  EXPECT_EQ(kept, 4 * mebibyte);
  EXPECT_NE(posix::allocated_size(peers.back().get()), 0U);  // what was used last is kept
}

TEST(SlabCache, KeepsNoSlabThatIsUsedOnce) {
  slab_cache cache(4 * slab_bytes);
  slab huge(slab_bytes + 1);
  const std::uint64_t id = huge.id();
  cache.give(std::move(huge));
  EXPECT_NE(cache.take(1).id(), id);
}

TEST(Overflow, GrowsWithinOneSlabAndBeyondIt) {
  slab_cache cache(4 * slab_bytes);
  overflow more(cache);
  std::array<std::byte, 16> first{};
  tandem::writer out(std::span<std::byte>(first), more);
  const std::vector<std::byte> piece(mebibyte, std::byte{7});
  out.write(piece.data(), piece.size());
  const std::byte* const begin = out.bytes().data();
  while (out.size() + piece.size() <= slab_bytes) out.write(piece.data(), piece.size());
  EXPECT_EQ(out.bytes().data(), begin);  // not copied again while it fits
  while (out.size() <= slab_bytes) out.write(piece.data(), piece.size());
  const slab large = more.release(out.size());
  EXPECT_FALSE(large.is_kept());
  EXPECT_TRUE(
      std::all_of(out.bytes().begin(), out.bytes().end(), [](std::byte b) { return b == std::byte{7}; }));
}

/// A sender, a receiver, and the socket between them.
class SlabLink : public testing::Test {
 protected:
  void send(const slab& used, std::size_t size) {
    of_ = {.size = size, .where = static_cast<std::uint32_t>(place::in_memfd)};
    memfd_mail mail;
    sender_.send(used, of_, mail);
    mail.send(ends_.first.get(), posix::blocking::no);
    of_.mail = mail.empty() ? 0 : 1;
  }
  /// What the receiver finds at the front of the slab that was sent last.
  int receive() {
    if (of_.mail != 0) inbox_.receive(ends_.second.get());
    const slab_receiver::memory memory = receiver_.take(inbox_, of_, of_.kept);
    EXPECT_GE(memory->size(), of_.size);
    return static_cast<int>(memory->bytes()[0]);
  }
  void echo(const slab& used, int byte) {
    send(used, mebibyte);
    EXPECT_EQ(receive(), byte);
    sender_.answered(used, of_.kept);
  }
  /// Messages that lie in the socket; takes them out.
  int drain() {
    std::array<std::byte, 64> tag{};
    int count = 0;
    while (posix::recv_message(ends_.second.get(), tag, 1, posix::blocking::no).status ==
           posix::recv_status::message)
      ++count;
    return count;
  }
  void send_raw(std::uint64_t id, int memfd) {
    memfd_mail mail;
    mail.add(memfd_kind::slab, id, memfd);
    mail.send(ends_.first.get(), posix::blocking::no);
    of_.mail = 1;
  }

  std::pair<posix::unique_fd, posix::unique_fd> ends_ = posix::make_socket_pair();
  slab_sender sender_;
  memfd_inbox inbox_;
  slab_receiver receiver_;
  payload of_;
};

TEST_F(SlabLink, SendsAMemfdOnceAndThenOnlySaysItsId) {
  slab used = written(mebibyte, 1);
  echo(used, 1);
  EXPECT_NE(of_.kept, 0U);
  std::memset(used.bytes().data(), 2, mebibyte);
  send(used, mebibyte);
  EXPECT_EQ(drain(), 0);
  EXPECT_EQ(receive(), 2);
}

TEST_F(SlabLink, SendsAgainWhatThePeerHasNotSaidToKeep) {
  const slab used = written(mebibyte, 1);
  send(used, mebibyte);
  EXPECT_EQ(drain(), 1);
  sender_.answered(used, 0);
  send(used, mebibyte);
  EXPECT_EQ(receive(), 1);
  sender_.answered(used, used.id() + 1);  // a lie
  send(used, mebibyte);
  EXPECT_EQ(drain(), 1);
}

TEST_F(SlabLink, KeepsTheSlabsThatWereUsedLast) {
  std::vector<slab> slabs;
  for (std::size_t i = 0; i < kept_slabs + 1; ++i) slabs.push_back(written(mebibyte, static_cast<int>(i)));
  for (std::size_t i = 0; i < slabs.size(); ++i) echo(slabs[i], static_cast<int>(i));
  for (std::size_t i = slabs.size() - 1; i > 0; --i) {
    send(slabs[i], mebibyte);
    EXPECT_EQ(drain(), 0) << i;
    sender_.answered(slabs[i], of_.kept);
  }
  send(slabs[0], mebibyte);
  EXPECT_EQ(receive(), 0);
}

// Slots are looked at in order, also when several lie in the ring whose slabs have the same place.
TEST_F(SlabLink, ServesSlotsWhosePlacesAreTakenByLaterOnes) {
  std::vector<slab> slabs;
  std::vector<payload> slots;
  for (int i = 0; i < 30; ++i) {
    slabs.push_back(written(mebibyte, i));
    send(slabs.back(), mebibyte);
    slots.push_back(of_);
  }
  for (int i = 0; i < 30; ++i) {
    of_ = slots[static_cast<std::size_t>(i)];
    EXPECT_EQ(receive(), i);
  }
}

TEST_F(SlabLink, MapsOfWhatIsUsedOnceWhatTheMessageNeeds) {
  slab huge(4 * slab_bytes);
  std::memset(huge.bytes().data(), 3, slab_bytes + 5);
  send(huge, slab_bytes + 5);
  inbox_.receive(ends_.second.get());
  EXPECT_EQ(receiver_.take(inbox_, of_, of_.kept)->size(), slab_bytes + 5);
  EXPECT_EQ(of_.kept, 0U);
}

// --- a peer that is out of order ---

TEST_F(SlabLink, RefusesASlabThatNeverCame) {
  of_ = {.size = 1, .slab = 77, .mail = 1};
  EXPECT_THROW(receive(), tandem::decode_error);
  of_ = {.size = 1, .slab = 77};
  EXPECT_THROW(receive(), tandem::decode_error);
  of_ = {};  // an empty place has no slab 0
  EXPECT_THROW(receive(), tandem::decode_error);
}

TEST_F(SlabLink, RefusesMemoryThatCanShrink) {
  const posix::unique_fd memfd = posix::create_memfd("test", slab_bytes);
  of_ = {.size = 0, .slab = 5};
  send_raw(5, memfd.get());
  EXPECT_THROW(receive(), tandem::decode_error);
  EXPECT_EQ(of_.kept, 0U);
}

TEST_F(SlabLink, RefusesASlabOfAnotherSize) {
  for (const std::size_t size : {slab_bytes - 4096, slab_bytes + 4096}) {
    const posix::unique_fd memfd = posix::create_memfd("test", size);
    posix::seal(memfd.get(), posix::seals::shrink);
    of_ = {.size = 0, .slab = 5};
    send_raw(5, memfd.get());
    EXPECT_THROW(receive(), tandem::decode_error);
  }
}

TEST_F(SlabLink, RefusesMoreThanThereIs) {
  const slab used = written(mebibyte, 1);
  for (const std::uint64_t size :
       {std::uint64_t{slab_bytes} + 1, std::numeric_limits<std::uint64_t>::max()}) {
    send(used, mebibyte);
    of_.size = size;
    EXPECT_THROW(receive(), tandem::decode_error);
  }
  echo(used, 1);
  send(used, mebibyte);
  of_.size = std::uint64_t{slab_bytes} + 1;  // of one that is kept, too
  EXPECT_THROW(receive(), tandem::decode_error);
}

TEST_F(SlabLink, RefusesMemoryThatWasNeverWritten) {
  const posix::unique_fd sparse = posix::create_memfd("test", std::size_t{1} << 40U);
  posix::seal(sparse.get(), posix::seals::shrink);
  of_ = {.size = std::uint64_t{1} << 39U, .slab = 5, .slab_place = no_place};
  send_raw(5, sparse.get());
  EXPECT_THROW(receive(), tandem::decode_error);
}

TEST_F(SlabLink, KeepsNoDescriptorsThatNobodyAskedFor) {
  const slab used = written(mebibyte, 1);
  of_ = {.size = 1, .slab = 9999};
  const posix::unique_fd before = posix::create_memfd("test", 1);
  for (std::uint64_t id = 1; id < 1000; ++id) {
    send_raw(id, used.fd());
    EXPECT_THROW(receive(), tandem::decode_error);
  }
  const posix::unique_fd after = posix::create_memfd("test", 1);
  EXPECT_LE(after.get(), before.get() + 20);
}

TEST_F(SlabLink, RefusesAMessageThatIsNone) {
  const std::array<std::byte, 3> odd{};
  posix::send_message(ends_.first.get(), odd);
  EXPECT_THROW(inbox_.receive(ends_.second.get()), tandem::decode_error);
  const std::array<std::byte, 16> no_descriptors{};
  posix::send_message(ends_.first.get(), no_descriptors);
  EXPECT_THROW(inbox_.receive(ends_.second.get()), tandem::decode_error);
  const std::array<std::byte, 4000> long_one{};
  posix::send_message(ends_.first.get(), long_one);
  EXPECT_THROW(inbox_.receive(ends_.second.get()), tandem::decode_error);
}

TEST_F(SlabLink, DoesNotWaitForAPeerThatReadsNothing) {
  const slab used = written(mebibyte, 1);
  int sent = 0;
  try {
    for (; sent < 100000; ++sent) send_raw(1, used.fd());
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_TRUE(is_shortage(e)) << e.what();
  }
  EXPECT_GT(sent, static_cast<int>(slot_count));
}

}  // namespace
