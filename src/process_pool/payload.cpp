// From a small buffer to a region to a memfd, and back.
#include "process_pool/payload.hpp"

#include "posix/socket.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tandem::process {

namespace {
constexpr auto payload_seals =
    posix::seals::shrink | posix::seals::grow | posix::seals::write | posix::seals::seal;
}

std::span<std::byte> overflow::grow(std::span<const std::byte> written, std::size_t needed) {
  if (place_ == place::in_slot && needed <= region_bytes) {
    if (region_.empty()) {
      own_region_ = std::make_unique_for_overwrite<std::byte[]>(region_bytes);
      region_ = {own_region_.get(), region_bytes};
    }
    std::memcpy(region_.data(), written.data(), written.size());
    place_ = place::in_region;
    return region_;
  }
  // A message that is written piece by piece doubles; one large string or vector asks for all it needs at once.
  const std::size_t size =
      std::max({needed, place_ == place::in_memfd ? 2 * memory_.size() : needed, 2 * region_bytes});
  posix::unique_fd fd = posix::create_memfd("tandem-payload", size);
  posix::mapping memory = posix::mapping::shared(fd.get(), size);
  std::memcpy(memory.data(), written.data(), written.size());
  memfd_ = std::move(fd);
  memory_ = std::move(memory);
  place_ = place::in_memfd;
  return memory_.bytes();
}

posix::unique_fd overflow::seal() {
  memory_.reset();  // F_SEAL_WRITE is refused while a writable mapping exists
  posix::seal(memfd_.get(), payload_seals);
  return std::move(memfd_);
}

bool send_memfd(int socket, std::uint64_t sequence, posix::unique_fd memfd) {
  std::array<std::byte, sizeof(sequence)> tag{};
  std::memcpy(tag.data(), &sequence, sizeof(sequence));
  const int fd = memfd.get();
  return posix::send_message(socket, tag, std::span(&fd, 1)) == posix::send_status::sent;
}

posix::mapping memfd_inbox::take(int socket, std::uint64_t sequence, std::uint64_t size) {
  auto it = waiting_.find(sequence);
  while (it == waiting_.end()) {
    std::array<std::byte, sizeof(sequence)> tag{};
    // It was sent before the slot's state said so: nothing to wait for.
    posix::received got = posix::recv_message(socket, tag, 1, posix::blocking::no);
    if (got.status != posix::recv_status::message || got.size != tag.size() || got.fds.size() != 1) {
      throw decode_error(
          "tandem: a large payload did not arrive with its message: the peer died or is out of order");
    }
    std::uint64_t found = 0;
    std::memcpy(&found, tag.data(), sizeof(found));
    waiting_.insert_or_assign(found, std::move(got.fds.front()));
    it = waiting_.find(sequence);
  }
  const posix::unique_fd fd = std::move(it->second);
  waiting_.erase(it);
  posix::mapping memory = posix::mapping::sealed(fd.get());
  if (size > memory.size()) {
    throw decode_error("tandem: a large payload is shorter than its message says: the peer is out of order");
  }
  return memory;
}

}  // namespace tandem::process
