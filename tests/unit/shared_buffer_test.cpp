// shared_buffer within one process: how it is made, what it is, when its memory goes.
#include "posix/memfd.hpp"

#include "codec/sealed_memory.hpp"

#include <tandem/error.hpp>
#include <tandem/inline_executor.hpp>
#include <tandem/shared_buffer.hpp>
#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <numeric>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using tandem::shared_buffer;
namespace detail = tandem::detail;
namespace posix = tandem::posix;

struct pixel {
  std::array<std::uint8_t, 3> colours;
  float depth;
};

template <class T>
std::vector<T> values_of(const shared_buffer<T>& buffer) {
  return {buffer.begin(), buffer.end()};
}

TEST(SharedBuffer, HoldsACopyOfARange) {
  std::vector<int> values{1, 2, 3};
  const shared_buffer buffer(values);
  static_assert(std::is_same_v<decltype(buffer), const shared_buffer<int>>);
  values.assign({7, 7, 7});
  EXPECT_EQ(values_of(buffer), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(buffer.size(), 3U);
  EXPECT_EQ(buffer[1], 2);
  EXPECT_EQ(buffer.span().back(), 3);
}

TEST(SharedBuffer, IsMadeFromWhateverCanBeRead) {
  EXPECT_EQ(values_of(shared_buffer<long>(std::list<short>{1, 2, 3})), (std::vector<long>{1, 2, 3}));
  std::istringstream text("4 5 6");
  const std::ranges::subrange numbers(std::istream_iterator<int>(text), std::istream_iterator<int>{});
  EXPECT_EQ(values_of(shared_buffer<int>(numbers)), (std::vector<int>{4, 5, 6}));
  EXPECT_EQ(shared_buffer<char>(std::string("abc")).span()[2], 'c');
  EXPECT_EQ(shared_buffer<pixel>(std::vector<pixel>(2, {{1, 2, 3}, 4})).span()[1].colours[2], 3);
}

TEST(SharedBuffer, IsFilledInPlaceAndZeroWhereItIsNot) {
  const shared_buffer<int> buffer(1000, [](std::span<int> to) {
    EXPECT_EQ(to.size(), 1000U);
    std::iota(to.begin(), to.begin() + 10, 5);
  });
  EXPECT_EQ(buffer[9], 14);
  EXPECT_EQ(buffer[10], 0);
  EXPECT_EQ(buffer[999], 0);
}

TEST(SharedBuffer, LeavesNothingWhenFillingThrows) {
  const posix::unique_fd before = posix::create_memfd("test", 1);
  for (int i = 0; i < 3; ++i)
    EXPECT_THROW(shared_buffer<int>(100, [](std::span<int>) { throw std::runtime_error("no"); }),
                 std::runtime_error);
  const posix::unique_fd after = posix::create_memfd("test", 1);
  EXPECT_EQ(after.get(), before.get() + 1);
}

TEST(SharedBuffer, HasNoMemoryIfItIsEmpty) {
  const shared_buffer<int> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_EQ(shared_buffer<int>(std::vector<int>{}), none);
  EXPECT_TRUE(shared_buffer<int>(0, [](std::span<int>) { ADD_FAILURE(); }).span().empty());
}

TEST(SharedBuffer, MeansTheSameArrayWhenItIsCopied) {
  const shared_buffer<int> one(std::vector<int>{1, 2});
  const shared_buffer<int> copy = one;
  EXPECT_EQ(copy, one);
  EXPECT_EQ(copy.data(), one.data());
  EXPECT_NE(shared_buffer<int>(one.span()), one);  // another array with the same values
}

TEST(SharedBuffer, CannotBeWrittenByAnybody) {
  const shared_buffer<int> buffer(std::vector<int>{1, 2});
  detail::shared_memory_ptr memory = detail::make_shared_memory(
      8, [](void*, std::byte* to) { std::memset(to, 1, 8); }, nullptr);
  const int memfd = detail::as_sealed(memory)->fd();
  EXPECT_EQ(pwrite(memfd, "x", 1, 0), -1);
  EXPECT_EQ(ftruncate(memfd, 0), -1);
  EXPECT_THROW(static_cast<void>(posix::mapping::shared(memfd, 8)), std::system_error);
}

TEST(SharedBuffer, CanBeSealedThoughAChildWasForkedMeanwhile) {
  pid_t child = -1;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const shared_buffer<int> buffer(1000, [&](std::span<int> to) {
    to[0] = 1;
    child = fork();
    if (child == 0) {
      close(ends[1]);
      char end = 0;
      static_cast<void>(!read(ends[0], &end, 1));  // lives until the parent is through
      _exit(0);
    }
    to[1] = 2;
  });
  EXPECT_EQ(buffer[1], 2);
  close(ends[0]);
  close(ends[1]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
}

TEST(SharedBuffer, IsReadInAForkedChildAndNotSentOn) {
  const detail::shared_memory_ptr memory = detail::make_shared_memory(
      8, [](void*, std::byte* to) { std::memset(to, 7, 8); }, nullptr);
  detail::as_sealed(memory)->check_that_it_can_be_sent();
  const pid_t child = fork();
  if (child == 0) {
    int code = memory->data()[7] == std::byte{7} ? 0 : 1;
    try {
      detail::as_sealed(memory)->check_that_it_can_be_sent();
      code = 2;
    } catch (const tandem::not_portable_error&) {}
    _exit(code);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(SharedBuffer, IsAPlainHandleForTasksOfThisProcess) {
  const shared_buffer<int> numbers(std::vector<int>{1, 2, 3});
  const auto where = [](shared_buffer<int> b) { return b.data(); };
  tandem::thread_pool threads({.max_workers = 1});
  EXPECT_EQ(threads.submit(where, numbers).get(), numbers.data());
  tandem::inline_executor here;
  EXPECT_EQ(here.submit(where, numbers).get(), numbers.data());
}

TEST(SharedBuffer, SaysWhereItCannotGo) {
  tandem::writer out;
  try {
    tandem::encode(out, shared_buffer<int>(std::vector<int>{1}));
    ADD_FAILURE();
  } catch (const tandem::not_portable_error& e) {
    EXPECT_NE(std::string(e.what()).find("pass it to the tasks"), std::string::npos) << e.what();
  }
  tandem::encode(out, shared_buffer<int>{});  // nothing has to go
}

TEST(SharedBuffer, RefusesMemoryThatIsNotWhatItsMessageSays) {
  const auto receive = [](posix::unique_fd memfd, std::size_t size) {
    return detail::sealed_memory::receive(std::move(memfd), size);
  };
  constexpr auto all = posix::seals::shrink | posix::seals::grow | posix::seals::write;
  posix::unique_fd good = posix::create_memfd("test", 4096);
  posix::allocate(good.get(), 4096);
  posix::seal(good.get(), all);
  EXPECT_NE(receive(posix::unique_fd(dup(good.get())), 4096), nullptr);
  EXPECT_THROW(receive(posix::unique_fd(dup(good.get())), 4095), tandem::decode_error);
  EXPECT_THROW(receive(posix::unique_fd(dup(good.get())), 8192), tandem::decode_error);
  posix::unique_fd writable = posix::create_memfd("test", 4096);
  posix::allocate(writable.get(), 4096);
  posix::seal(writable.get(), posix::seals::shrink | posix::seals::grow);
  EXPECT_THROW(receive(std::move(writable), 4096), tandem::decode_error);
  posix::unique_fd sparse = posix::create_memfd("test", std::size_t{1} << 40U);
  posix::seal(sparse.get(), all);
  EXPECT_THROW(receive(std::move(sparse), std::size_t{1} << 40U), tandem::decode_error);
}

/// Notes which are gone.
class note final : public detail::sealed_memory::observer {
 public:
  void memory_is_gone(std::uint64_t id) noexcept override { last = id; }
  std::uint64_t last = 0;
};

TEST(SharedBuffer, TellsThoseWhoWantToKnowThatItIsGone) {
  detail::shared_memory_ptr memory = detail::make_shared_memory(
      8, [](void*, std::byte*) {}, nullptr);
  const std::uint64_t id = detail::as_sealed(memory)->id();
  const auto stays = std::make_shared<note>();
  auto goes = std::make_shared<note>();
  detail::as_sealed(memory)->observe(stays);
  detail::as_sealed(memory)->observe(stays);
  detail::as_sealed(memory)->observe(goes);
  goes.reset();
  const detail::shared_memory_ptr copy = memory;
  memory.reset();
  EXPECT_EQ(stays->last, 0U);
  const_cast<detail::shared_memory_ptr&>(copy).reset();
  EXPECT_EQ(stays->last, id);
}

}  // namespace
