// What the pool remembers of the shared buffers that a worker has: no process is started.
#include "process_pool/buffer_link.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <set>
#include <vector>

namespace {

using namespace tandem::process;
namespace detail = tandem::detail;

shared_buffers make(std::size_t count = 1) {
  shared_buffers made;
  for (std::size_t i = 0; i < count; ++i)
    made.push_back(detail::make_shared_memory(
        8, [](void*, std::byte*) {}, nullptr));
  return made;
}

class BufferSender : public testing::Test {
 protected:
  /// Whether anything has to be sent for a task with these.
  bool sends(const shared_buffers& buffers) {
    memfd_mail mail;
    sender_.prepare(buffers, *shared_, mail);
    sender_.sent(buffers);
    return !mail.empty();
  }
  [[nodiscard]] std::set<std::uint64_t> places() const {
    std::set<std::uint64_t> ids;
    for (const auto& id : shared_->buffers) ids.insert(id.load());
    return ids;
  }

  buffer_sender sender_;
  std::unique_ptr<header> shared_ = std::make_unique<header>();
};

TEST_F(BufferSender, SendsOnceWhatTheWorkerSaysItHas) {
  const shared_buffers buffers = make();
  EXPECT_TRUE(sends(buffers));
  sender_.answered(buffers, 1);
  EXPECT_FALSE(sends(buffers));
}

TEST_F(BufferSender, SendsAgainWhatTheWorkerDoesNotSayItHas) {
  const shared_buffers buffers = make(2);
  EXPECT_TRUE(sends(buffers));
  EXPECT_TRUE(sends({buffers[0]}));  // nobody has answered yet
  sender_.answered({buffers[0]}, 0);
  sender_.answered(buffers, 1);
  EXPECT_FALSE(sends({buffers[0]}));
  EXPECT_TRUE(sends({buffers[1]}));
}

TEST_F(BufferSender, GivesNoPlaceAwayThatIsUnderWay) {
  const shared_buffers first = make(kept_buffers);
  EXPECT_TRUE(sends(first));
  const std::set<std::uint64_t> before = places();
  const shared_buffers further = make();
  EXPECT_TRUE(sends(further));
  EXPECT_EQ(places(), before);
  sender_.answered(further, 1);
  EXPECT_TRUE(sends(further));  // it had no place
  sender_.answered(further, 1);
  sender_.answered(first, first.size());
  EXPECT_TRUE(sends(further));
  EXPECT_NE(places(), before);
  sender_.answered(further, 1);
  EXPECT_FALSE(sends(further));
}

TEST_F(BufferSender, TakesAwayWhatIsGoneAndCountsThat) {
  const shared_buffers buffers = make(2);
  const std::uint64_t id = detail::as_sealed(buffers[0])->id();
  EXPECT_TRUE(sends(buffers));
  EXPECT_FALSE(sender_.forget(id, *shared_));  // under way
  sender_.answered(buffers, 2);
  EXPECT_TRUE(sender_.forget(id, *shared_));
  EXPECT_EQ(places().count(id), 0U);
  EXPECT_EQ(shared_->buffers_gone.load(), 1U);
  EXPECT_FALSE(sender_.forget(id, *shared_));
  EXPECT_TRUE(sender_.forget(0, *shared_));  // all that are not under way
  EXPECT_EQ(places(), std::set<std::uint64_t>{0});
}

}  // namespace
