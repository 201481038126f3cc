// posix::poll_until, event_fd and the clocks.
#include "posix/clock.hpp"
#include "posix/event_fd.hpp"
#include "posix/poll.hpp"

#include <array>
#include <chrono>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tandem::posix;

TEST(Poll, PastDeadlineLooksOnce) {
  const event_fd flag;
  EXPECT_FALSE(wait_readable(flag.fd(), steady_time::min()));
  flag.raise();
  EXPECT_TRUE(wait_readable(flag.fd(), steady_time::min()));
}

TEST(Poll, TimesOutAtTheDeadlineAndNotBefore) {
  const event_fd flag;
  const steady_time deadline = deadline_after(20ms);
  EXPECT_FALSE(wait_readable(flag.fd(), deadline));
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(Poll, TellsWhichAreReady) {
  const event_fd quiet;
  const event_fd loud;
  loud.raise();
  std::array<pollfd, 3> entries{readable(quiet.fd()), readable(loud.fd()), readable(-1)};
  EXPECT_EQ(poll_until(entries), 1);
  EXPECT_EQ(entries[0].revents, 0);
  EXPECT_EQ(entries[1].revents, POLLIN);
  EXPECT_EQ(entries[2].revents, 0);
}

TEST(Poll, NothingToWaitForWaitsForTheDeadline) { EXPECT_EQ(poll_until({}, deadline_after(1ms)), 0); }

TEST(Poll, EndOfFileIsReadable) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const unique_fd reader(ends[0]);
  unique_fd writer(ends[1]);
  writer.reset();
  EXPECT_TRUE(wait_readable(reader.get()));
}

TEST(Poll, BadDescriptorThrowsInsteadOfWaiting) {
  EXPECT_THROW((void)wait_readable(-1), std::system_error);
  EXPECT_THROW((void)wait_readable(1'000'000), std::system_error);
}

TEST(EventFd, RaisedTwiceIsLoweredOnce) {
  const event_fd flag;
  EXPECT_FALSE(flag.lower());
  flag.raise();
  flag.raise();
  EXPECT_TRUE(flag.lower());
  EXPECT_FALSE(flag.lower());
}

TEST(EventFd, WakesAnotherThreadOutOfPoll) {
  const event_fd flag;
  std::thread waker([&] { flag.raise(); });
  EXPECT_TRUE(wait_readable(flag.fd()));
  waker.join();
}

TEST(Clock, DeadlineTooFarAwayNeverComes) {
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), no_deadline);
  EXPECT_EQ(deadline_after(std::chrono::nanoseconds::max()), no_deadline);
  EXPECT_LT(deadline_after(24h), no_deadline);
  EXPECT_LT(deadline_after(-1s), std::chrono::steady_clock::now());
}

TEST(Clock, TimespecIsNeverNegative) {
  EXPECT_EQ(to_timespec(steady_time::min()).tv_sec, 0);
  EXPECT_EQ(time_left(steady_time::min()).tv_nsec, 0);
  const timespec time = to_timespec(steady_time(1500ms));
  EXPECT_EQ(time.tv_sec, 1);
  EXPECT_EQ(time.tv_nsec, 500'000'000);
}

TEST(Clock, CpuTimeGrowsWithWork) {
  const auto process_before = process_cpu_time();
  const auto thread_before = thread_cpu_time();
  while (thread_cpu_time() - thread_before < 2ms) {}
  EXPECT_GE(process_cpu_time() - process_before, 2ms);
  EXPECT_GE(cpu_time(::getpid()).value(), process_before);
  EXPECT_FALSE(cpu_time(0));
  EXPECT_FALSE(cpu_time(-5));
}

}  // namespace
