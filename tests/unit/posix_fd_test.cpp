// posix::unique_fd and the descriptor table.
#include "posix/descriptors.hpp"
#include "posix/unique_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using namespace tandem::posix;

unique_fd open_null() { return unique_fd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, ClosesOnDestruction) {
  int number = -1;
  {
    const unique_fd fd = open_null();
    ASSERT_TRUE(fd);
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, EmptyOwnsNothing) {
  unique_fd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
  fd.reset();
  EXPECT_EQ(fd.release(), -1);
}

TEST(UniqueFd, SecondResetDoesNotCloseANumberReusedMeanwhile) {
  unique_fd first = open_null();
  const int number = first.get();
  first.reset();
  const unique_fd second = open_null();
  ASSERT_EQ(second.get(), number) << "the lowest free number is handed out";
  first.reset();
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, MoveLeavesTheSourceEmpty) {
  unique_fd first = open_null();
  const int number = first.get();
  unique_fd second(std::move(first));
  EXPECT_EQ(second.get(), number);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
  first = std::move(second);
  EXPECT_EQ(first.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, MoveAssignmentClosesTheOldOne) {
  unique_fd first = open_null();
  unique_fd second = open_null();
  const int old = first.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(old));
}

TEST(UniqueFd, SelfMoveKeepsTheDescriptor) {
  unique_fd fd = open_null();
  unique_fd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(fd);
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, ResetToTheSameNumberKeepsItOpen) {
  unique_fd fd = open_null();
  fd.reset(fd.get());
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, ResetLeavesErrnoAlone) {
  unique_fd bad(1'000'000);  // close() says EBADF.
  errno = EAGAIN;
  bad.reset();
  EXPECT_EQ(errno, EAGAIN);
}

TEST(UniqueFd, DuplicateIsCloseOnExecAndAboveStdio) {
  const unique_fd fd = open_null();
  const unique_fd copy = fd.duplicate();
  EXPECT_NE(copy.get(), fd.get());
  EXPECT_GT(copy.get(), 2);
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
}

TEST(UniqueFd, DuplicateOfNoneThrowsBadDescriptor) {
  try {
    (void)unique_fd().duplicate();
    FAIL() << "must throw";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::bad_file_descriptor);
  }
}

TEST(Descriptors, OpenOnesAreListedAscendingWithoutTheListingsOwn) {
  const unique_fd fd = open_null();
  const std::vector<int> open = open_descriptors();
  EXPECT_TRUE(std::is_sorted(open.begin(), open.end()));
  EXPECT_TRUE(std::binary_search(open.begin(), open.end(), fd.get()));
  EXPECT_TRUE(std::all_of(open.begin(), open.end(), is_open));
}

TEST(Descriptors, CloseOnExecIsSetAndCleared) {
  const unique_fd fd = open_null();
  set_close_on_exec(fd.get(), false);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD), 0);
  set_close_on_exec(fd.get(), true);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THROW(set_close_on_exec(-1, true), std::system_error);
}

TEST(Descriptors, AboveStdioKeepsWhatIsAboveAlready) {
  unique_fd fd = open_null();
  const int number = fd.get();
  ASSERT_GT(number, 2);
  EXPECT_EQ(above_stdio(std::move(fd)).get(), number);
  EXPECT_FALSE(above_stdio(unique_fd()));
}

}  // namespace
