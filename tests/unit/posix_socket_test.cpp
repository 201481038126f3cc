// posix::send_message and recv_message.
#include "posix/socket.hpp"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace tandem::posix;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

struct SocketPair : testing::Test {
  std::pair<unique_fd, unique_fd> ends = make_socket_pair();
  std::array<std::byte, 1024> buffer{};

  int here() const { return ends.first.get(); }
  int there() const { return ends.second.get(); }
  std::string text(const received& message) const {
    return {reinterpret_cast<const char*>(buffer.data()), message.size};
  }
  static bool same_file(int a, int b) {
    struct stat one {};
    struct stat two {};
    return ::fstat(a, &one) == 0 && ::fstat(b, &two) == 0 && one.st_ino == two.st_ino;
  }
};

TEST_F(SocketPair, IsCloseOnExecAndAboveStdio) {
  for (const int fd : {here(), there()}) {
    EXPECT_GT(fd, 2);
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(SocketPair, KeepsMessageBoundariesAndOrder) {
  EXPECT_EQ(send_message(here(), bytes_of("one")), send_status::sent);
  EXPECT_EQ(send_message(here(), bytes_of("second")), send_status::sent);
  received message = recv_message(there(), buffer);
  EXPECT_EQ(message.status, recv_status::message);
  EXPECT_FALSE(message.truncated);
  EXPECT_FALSE(message.descriptors_lost);
  EXPECT_EQ(text(message), "one");
  message = recv_message(there(), buffer);
  EXPECT_EQ(text(message), "second");
}

TEST_F(SocketPair, TellsThatALongMessageWasTruncated) {
  (void)send_message(here(), bytes_of(std::string(2000, 'x')));
  (void)send_message(here(), bytes_of("next"));
  received message = recv_message(there(), buffer);
  EXPECT_TRUE(message.truncated);
  EXPECT_EQ(message.size, buffer.size());
  message = recv_message(there(), buffer);
  EXPECT_FALSE(message.truncated);
  EXPECT_EQ(text(message), "next");
}

TEST_F(SocketPair, ClosedPeerIsEndOfFileAfterWhatItSent) {
  (void)send_message(here(), bytes_of("last words"));
  ends.first.reset();
  EXPECT_EQ(text(recv_message(there(), buffer)), "last words");
  EXPECT_EQ(recv_message(there(), buffer).status, recv_status::end_of_file);
  EXPECT_EQ(recv_message(there(), buffer, 0, blocking::no).status, recv_status::end_of_file);
}

TEST_F(SocketPair, PeerThatClosesWithUnreadMessagesStillDeliversItsOwn) {
  (void)send_message(there(), bytes_of("never read"));
  (void)send_message(here(), bytes_of("result"));
  ends.first.reset();
  const received message = recv_message(there(), buffer);
  EXPECT_EQ(message.status, recv_status::message);
  EXPECT_EQ(text(message), "result");
  EXPECT_EQ(recv_message(there(), buffer).status, recv_status::end_of_file);
}

TEST_F(SocketPair, SendingToAClosedPeerIsToldWithoutASignal) {
  (void)send_message(here(), bytes_of("never read"));
  ends.second.reset();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send_message(here(), bytes_of("x")), send_status::closed);
}

TEST_F(SocketPair, NonBlockingCallsSayWouldBlock) {
  EXPECT_EQ(recv_message(there(), buffer, 0, blocking::no).status, recv_status::would_block);
  int sent = 0;
  while (send_message(here(), bytes_of(std::string(1000, 'x')), {}, blocking::no) == send_status::sent)
    ++sent;
  EXPECT_GT(sent, 0);
  for (; sent > 0; --sent) EXPECT_EQ(recv_message(there(), buffer, 0, blocking::no).size, 1000U);
  EXPECT_EQ(recv_message(there(), buffer, 0, blocking::no).status, recv_status::would_block);
}

TEST_F(SocketPair, BlockingSendWaitsForTheReader) {
  constexpr int count = 5000;
  std::thread sender([&] {
    for (int i = 0; i < count; ++i) EXPECT_EQ(send_message(here(), bytes_of("message")), send_status::sent);
    ends.first.reset();
  });
  int read = 0;
  while (recv_message(there(), buffer).status == recv_status::message) ++read;
  sender.join();
  EXPECT_EQ(read, count);
}

TEST_F(SocketPair, DescriptorsArriveCloseOnExecAndInOrder) {
  const unique_fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const unique_fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const std::array<int, 2> fds{null.get(), zero.get()};
  EXPECT_EQ(send_message(here(), bytes_of("two"), fds), send_status::sent);
  const received message = recv_message(there(), buffer, 2);
  EXPECT_FALSE(message.descriptors_lost);
  ASSERT_EQ(message.fds.size(), 2U);
  EXPECT_TRUE(same_file(message.fds[0].get(), null.get()));
  EXPECT_TRUE(same_file(message.fds[1].get(), zero.get()));
  for (const unique_fd& fd : message.fds) EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(SocketPair, SurplusDescriptorsAreClosedAndTold) {
  const std::array<int, 5> fds{0, 0, 0, 0, 0};
  (void)send_message(here(), bytes_of("five"), fds);
  received message = recv_message(there(), buffer, 2);
  EXPECT_TRUE(message.descriptors_lost);
  EXPECT_EQ(message.fds.size(), 2U);
  (void)send_message(here(), bytes_of("five"), fds);
  message = recv_message(there(), buffer);
  EXPECT_EQ(text(message), "five");
  EXPECT_TRUE(message.descriptors_lost);
  EXPECT_TRUE(message.fds.empty());
  // That none of them leaked is what the leak check finds out.
}

TEST_F(SocketPair, MostDescriptorsFitAndOneMoreIsRefused) {
  std::vector<int> fds(max_descriptors, 0);
  EXPECT_EQ(send_message(here(), bytes_of("all"), fds), send_status::sent);
  EXPECT_EQ(recv_message(there(), buffer, 10'000).fds.size(), max_descriptors);
  fds.push_back(0);
  EXPECT_THROW((void)send_message(here(), bytes_of("too many"), fds), std::invalid_argument);
}

TEST_F(SocketPair, DescriptorsThatDoNotFitTheProcessAreTold) {
  const std::array<int, 4> fds{0, 0, 0, 0};
  (void)send_message(here(), bytes_of("four"), fds);
  const unique_fd highest(::fcntl(0, F_DUPFD_CLOEXEC, 0));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  // Room for one more than there are now, if all below are taken; else for few.
  const rlimit low{static_cast<rlim_t>(highest.get() + 2), limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const received message = recv_message(there(), buffer, 4);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(text(message), "four");
  EXPECT_TRUE(message.descriptors_lost);
  EXPECT_LT(message.fds.size(), 4U);
}

TEST_F(SocketPair, EmptyMessageIsRefused) {
  EXPECT_THROW((void)send_message(here(), {}), std::invalid_argument);
}

TEST_F(SocketPair, EmptyMessageFromAForeignSenderDoesNoHarm) {
  ASSERT_EQ(::send(here(), "", 0, 0), 0);
  EXPECT_EQ(recv_message(there(), buffer).status, recv_status::end_of_file);
}

TEST_F(SocketPair, MessageAboveTheSocketBufferThrows) {
  try {
    (void)send_message(here(), bytes_of(std::string(1'000'000, 'x')));
    FAIL() << "must throw";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), EMSGSIZE);
  }
}

TEST_F(SocketPair, BadDescriptorsThrow) {
  EXPECT_THROW((void)send_message(-1, bytes_of("x")), std::system_error);
  EXPECT_THROW((void)recv_message(-1, buffer), std::system_error);
  const std::array<int, 1> bad{-1};
  EXPECT_THROW((void)send_message(here(), bytes_of("x"), bad), std::system_error);
}

}  // namespace
