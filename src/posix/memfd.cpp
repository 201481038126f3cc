#include "posix/memfd.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"

#include <limits>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3; glibc 2.36 does not know it.
#endif

namespace tandem::posix {
namespace {

constexpr int flags_of(seals which) noexcept {
  const auto has = [which](seals one) {
    return (static_cast<unsigned>(which) & static_cast<unsigned>(one)) != 0;
  };
  return (has(seals::shrink) ? F_SEAL_SHRINK : 0) | (has(seals::grow) ? F_SEAL_GROW : 0) |
         (has(seals::write) ? F_SEAL_WRITE : 0) | (has(seals::seal) ? F_SEAL_SEAL : 0);
}

void check_offset(std::uint64_t offset, std::size_t size) {
  constexpr auto end = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  if (offset > end || size > end - offset) throw_system_error(EOVERFLOW, "offset in a file");
}

}  // namespace

unique_fd create_memfd(const char* name, std::size_t size) {
  check_offset(0, size);
  // Which the kernel tells by SIGXFSZ, the end of a program that does not expect that.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur)
    throw_system_error(EFBIG, "setting the size of a memfd");
  // Without an "exec or not" flag, newer kernels log a warning, and hardened ones (vm.memfd_noexec=2) refuse.
  int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  unique_fd file = above_stdio(unique_fd(checked(fd, "memfd_create")));
  checked(retry_on_eintr([&] { return ::ftruncate(file.get(), static_cast<off_t>(size)); }),
          "setting the size of a memfd");
  return file;
}

void seal(int fd, seals which) { checked(::fcntl(fd, F_ADD_SEALS, flags_of(which)), "sealing a memfd"); }

bool has_seals(int fd, seals which) noexcept {
  const int present = ::fcntl(fd, F_GET_SEALS);
  if (present < 0 || (present & flags_of(which)) != flags_of(which)) return false;
  // Not one of huge pages: its holes raise SIGBUS where no such page is free, whatever the seals.
  struct statfs system {};
  return ::fstatfs(fd, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

std::size_t file_size(int fd) {
  struct stat info {};
  checked(::fstat(fd, &info), "fstat");
  return static_cast<std::size_t>(info.st_size);
}

std::size_t allocated_size(int fd) {
  struct stat info {};
  checked(::fstat(fd, &info), "fstat");
  return static_cast<std::size_t>(info.st_blocks) * 512;  // st_blocks has this unit everywhere
}

void allocate(int fd, std::size_t size) {
  check_offset(0, size);
  checked(retry_on_eintr([&] { return ::fallocate(fd, 0, 0, static_cast<off_t>(size)); }),
          "getting memory for a memfd");
}

void discard(int fd, std::size_t size) noexcept {
  const int error = errno;
  static_cast<void>(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)));
  errno = error;
}

mapping::mapping(mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

mapping& mapping::operator=(mapping&& other) noexcept {
  if (this != &other) {
    reset();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

mapping::~mapping() { reset(); }

mapping mapping::map(int fd, std::size_t size, int protection, int flags) {
  if (size > file_size(fd)) throw_system_error(EINVAL, "mapping more than a file has");
  if (size == 0) return {};
  void* const data = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (data == MAP_FAILED) throw_errno("mapping a file");
  return {static_cast<std::byte*>(data), size};
}

mapping mapping::shared(int fd, std::size_t size) {
  return map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

mapping mapping::read_only(int fd, std::size_t size) { return map(fd, size, PROT_READ, MAP_PRIVATE); }

mapping mapping::sealed(int fd) {
  if (!has_seals(fd, seals::shrink | seals::grow | seals::write)) {
    throw_system_error(EPERM, "mapping received memory that is not a fully sealed memfd");
  }
  return read_only(fd, file_size(fd));  // Only now: the size is final because the seals are there.
}

void mapping::reset() noexcept {
  if (data_ != nullptr) {
    const int error = errno;
    ::munmap(data_, size_);
    errno = error;
  }
  data_ = nullptr;
  size_ = 0;
}

void mapping::keep_from_forks() {
  if (data_ != nullptr) checked(::madvise(data_, size_, MADV_DONTFORK), "keeping a mapping from forks");
}

std::size_t pread_all(int fd, std::span<std::byte> into, std::uint64_t offset) {
  check_offset(offset, into.size());
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count = checked(retry_on_eintr([&] {
                                    return ::pread(fd, into.data() + done, into.size() - done,
                                                   static_cast<off_t>(offset + done));
                                  }),
                                  "reading from a memfd");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void pwrite_all(int fd, std::span<const std::byte> from, std::uint64_t offset) {
  check_offset(offset, from.size());
  std::size_t done = 0;
  while (done < from.size()) {
    const ssize_t count = checked(retry_on_eintr([&] {
                                    return ::pwrite(fd, from.data() + done, from.size() - done,
                                                    static_cast<off_t>(offset + done));
                                  }),
                                  "writing to a memfd");
    // A write of more than 0 bytes to a file never gives 0; if it did, this would spin for ever.
    if (count == 0) throw_system_error(EIO, "writing to a memfd");
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace tandem::posix
