// posix::create_memfd, seals, mapping, pread_all and pwrite_all.
#include "posix/memfd.hpp"

#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tandem::posix;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

/// Returns the errno of the std::system_error that `call` throws; 0 if it throws none.
template <typename Call>
int error_of(Call call) {
  try {
    call();
    return 0;
  } catch (const std::system_error& e) {
    return e.code().value();
  }
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Memfd, IsZeroedSizedCloseOnExecAndNotExecutable) {
  const unique_fd fd = create_memfd("test", 10'000);
  EXPECT_EQ(file_size(fd.get()), 10'000U);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  const mapping view = mapping::read_only(fd.get(), 10'000);
  EXPECT_EQ(view.bytes()[0], std::byte{0});
  EXPECT_EQ(view.bytes()[9'999], std::byte{0});
}

TEST(Memfd, HasItsLabelButNoNameInAnyDirectory) {
  const unique_fd fd = create_memfd("labelled", 1);
  std::string target(100, '\0');
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  ASSERT_GT(size, 0);
  target.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(target, "/memfd:labelled (deleted)");
  struct stat info {};
  ASSERT_EQ(::fstat(fd.get(), &info), 0);
  EXPECT_EQ(info.st_nlink, 0U);
}

// A hole in one would be a SIGBUS for whoever reads it where no such page is free.
TEST(Memfd, OfHugePagesCountsAsNotSealed) {
  const unique_fd fd(::memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  if (!fd) GTEST_SKIP() << "no huge pages here";
  seal(fd.get(), seals::shrink);
  EXPECT_FALSE(has_seals(fd.get(), seals::shrink));
}

TEST(Memfd, SharedMappingsSeeEachOther) {
  const unique_fd fd = create_memfd("test", 4096);
  mapping one = mapping::shared(fd.get(), 4096);
  const mapping two = mapping::shared(fd.get(), 4096);
  ASSERT_NE(one.data(), two.data());
  one.bytes()[4095] = std::byte{7};
  EXPECT_EQ(two.bytes()[4095], std::byte{7});
}

TEST(Memfd, MappingOutlivesTheDescriptor) {
  unique_fd fd = create_memfd("test", 4096);
  mapping view = mapping::shared(fd.get(), 4096);
  fd.reset();
  view.bytes()[0] = std::byte{1};
  EXPECT_EQ(view.bytes()[0], std::byte{1});
}

TEST(Memfd, MappingMoreThanTheFileHasIsRefused) {
  const unique_fd fd = create_memfd("test", 100);
  EXPECT_EQ(error_of([&] { (void)mapping::shared(fd.get(), 101); }), EINVAL);
}

TEST(Memfd, EmptyMappingIsEmpty) {
  const unique_fd fd = create_memfd("test", 0);
  const mapping view = mapping::shared(fd.get(), 0);
  EXPECT_FALSE(view);
  EXPECT_EQ(view.size(), 0U);
  EXPECT_TRUE(view.bytes().empty());
}

TEST(Memfd, MovedMappingIsUnmappedOnce) {
  const unique_fd fd = create_memfd("test", 4096);
  mapping one = mapping::shared(fd.get(), 4096);
  std::byte* const data = one.data();
  mapping two = std::move(one);
  EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(two.data(), data);
  one = std::move(two);
  mapping& same = one;
  one = std::move(same);
  EXPECT_EQ(one.data(), data);
  one.reset();
  one.reset();
  // mincore() of pages that are not mapped fails.
  unsigned char resident = 0;
  EXPECT_EQ(::mincore(data, 4096, &resident), -1);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(Memfd, SealedSizeCannotChange) {
  const unique_fd fd = create_memfd("test", 4096);
  EXPECT_FALSE(has_seals(fd.get(), seals::shrink));
  seal(fd.get(), seals::shrink | seals::grow);
  EXPECT_TRUE(has_seals(fd.get(), seals::shrink | seals::grow));
  EXPECT_FALSE(has_seals(fd.get(), seals::shrink | seals::write));
  EXPECT_EQ(::ftruncate(fd.get(), 0), -1);
  EXPECT_EQ(::ftruncate(fd.get(), 8192), -1);
  EXPECT_EQ(error_of([&] { pwrite_all(fd.get(), bytes_of("x"), 4096); }), EPERM);
}

TEST(Memfd, WriteSealIsRefusedWhileMappedWritable) {
  const unique_fd fd = create_memfd("test", 4096);
  mapping view = mapping::shared(fd.get(), 4096);
  EXPECT_EQ(error_of([&] { seal(fd.get(), seals::write); }), EBUSY);
  view.reset();
  seal(fd.get(), seals::write);
  EXPECT_EQ(error_of([&] { pwrite_all(fd.get(), bytes_of("x"), 0); }), EPERM);
  EXPECT_EQ(error_of([&] { (void)mapping::shared(fd.get(), 4096); }), EPERM);
}

TEST(Memfd, SealedSealsAreFinal) {
  const unique_fd fd = create_memfd("test", 1);
  seal(fd.get(), seals::seal);
  EXPECT_EQ(error_of([&] { seal(fd.get(), seals::shrink); }), EPERM);
}

TEST(Memfd, OnlyAFullySealedMemfdIsTrusted) {
  const unique_fd fd = create_memfd("test", 5);
  pwrite_all(fd.get(), bytes_of("hello"), 0);
  seal(fd.get(), seals::shrink | seals::grow);
  EXPECT_EQ(error_of([&] { (void)mapping::sealed(fd.get()); }), EPERM);
  seal(fd.get(), seals::write);
  const mapping view = mapping::sealed(fd.get());
  ASSERT_EQ(view.size(), 5U);
  EXPECT_EQ(std::memcmp(view.data(), "hello", 5), 0);
}

TEST(Memfd, OtherKindsOfFileHaveNoSeals) {
  const unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(has_seals(null.get(), seals::shrink));
  EXPECT_FALSE(has_seals(-1, seals::shrink));
  EXPECT_EQ(error_of([&] { (void)mapping::sealed(null.get()); }), EPERM);
  EXPECT_EQ(error_of([&] { seal(null.get(), seals::shrink); }), EINVAL);
}

TEST(Memfd, ReadsAndWritesAtAnOffset) {
  const unique_fd fd = create_memfd("test", 0);
  pwrite_all(fd.get(), bytes_of("abcdef"), 10);
  EXPECT_EQ(file_size(fd.get()), 16U);
  std::vector<std::byte> buffer(6);
  EXPECT_EQ(pread_all(fd.get(), buffer, 10), 6U);
  EXPECT_EQ(std::memcmp(buffer.data(), "abcdef", 6), 0);
}

TEST(Memfd, ReadBeyondTheEndTellsHowMuchThereWas) {
  const unique_fd fd = create_memfd("test", 10);
  std::vector<std::byte> buffer(100);
  EXPECT_EQ(pread_all(fd.get(), buffer, 4), 6U);
  EXPECT_EQ(pread_all(fd.get(), buffer, 10), 0U);
  EXPECT_EQ(pread_all(fd.get(), {}, 0), 0U);
}

TEST(Memfd, BadDescriptorAndOffsetThrow) {
  std::vector<std::byte> buffer(1);
  EXPECT_EQ(error_of([&] { pread_all(-1, buffer, 0); }), EBADF);
  EXPECT_EQ(error_of([&] { pwrite_all(-1, buffer, 0); }), EBADF);
  const unique_fd fd = create_memfd("test", 1);
  EXPECT_EQ(error_of([&] { pread_all(fd.get(), buffer, ~std::uint64_t{0}); }), EOVERFLOW);
  EXPECT_EQ(error_of([&] { (void)create_memfd("test", ~std::size_t{0}); }), EOVERFLOW);
}

/// ThreadSanitizer notes every byte that a system call touches: minutes, and gigabytes of notes.
constexpr bool sanitizes_threads =
#if defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

/// 2.3 GiB of addresses, all backed by the same 2 MiB of memory: large transfers without their memory.
class folded_memory {
 public:
  static constexpr std::size_t fold = 2 * mebibyte;
  static constexpr std::size_t size = 1150 * fold;

  folded_memory() : fd_(create_memfd("folded", fold)) {
    data_ = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (std::size_t at = 0; data_ != MAP_FAILED && at < size; at += fold) {
      if (::mmap(static_cast<char*>(data_) + at, fold, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                 fd_.get(), 0) == MAP_FAILED) {
        ADD_FAILURE() << "mmap: errno " << errno;
      }
    }
  }
  folded_memory(const folded_memory&) = delete;
  folded_memory& operator=(const folded_memory&) = delete;
  ~folded_memory() { ::munmap(data_, size); }

  [[nodiscard]] std::span<std::byte> bytes() { return {static_cast<std::byte*>(data_), size}; }

 private:
  unique_fd fd_;
  void* data_ = nullptr;
};

TEST(Memfd, ReadsMoreThanTwoGibibytes) {
  if (sanitizes_threads) GTEST_SKIP() << "far too slow";
  folded_memory memory;
  const unique_fd fd = create_memfd("sparse", folded_memory::size);
  pwrite_all(fd.get(), bytes_of("the end"), folded_memory::size - 7);
  EXPECT_EQ(pread_all(fd.get(), memory.bytes(), 0), folded_memory::size);
  EXPECT_EQ(std::memcmp(memory.bytes().data() + folded_memory::size - 7, "the end", 7), 0);
}

TEST(Memfd, WritesMoreThanTwoGibibytes) {
  if (sanitizes_threads) GTEST_SKIP() << "far too slow";
  // To a device that takes all and keeps nothing, but like files takes at most 2 GiB - 4 KiB a call.
  folded_memory memory;
  const unique_fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_LT(::pwrite(null.get(), memory.bytes().data(), memory.bytes().size(), 0),
            static_cast<ssize_t>(folded_memory::size));
  pwrite_all(null.get(), memory.bytes(), 0);
}

TEST(Memfd, SizesAboveFourGibibytesWork) {
  constexpr std::size_t size = (std::size_t{9} << 29U) + 3;  // 4.5 GiB, sparse.
  const unique_fd fd = create_memfd("sparse", size);
  mapping view = mapping::shared(fd.get(), size);
  view.bytes()[size - 1] = std::byte{42};
  std::vector<std::byte> last(1);
  EXPECT_EQ(pread_all(fd.get(), last, size - 1), 1U);
  EXPECT_EQ(last[0], std::byte{42});
}

}  // namespace
