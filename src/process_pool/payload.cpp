// From a small buffer to a region to a memfd, and back.
#include "process_pool/payload.hpp"

#include "posix/socket.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tandem::process {

large_buffer buffer_cache::take(std::size_t size) {
  {
    const std::lock_guard held(mutex_);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->memory.size() >= size && (best == free_.end() || it->memory.size() < best->memory.size()))
        best = it;
    }
    if (best != free_.end()) {
      large_buffer found = std::move(*best);
      free_.erase(best);
      return found;
    }
  }
  posix::unique_fd fd = posix::create_memfd("tandem-payload", size);
  posix::seal(fd.get(), posix::seals::shrink | posix::seals::grow | posix::seals::seal);
  posix::mapping memory = posix::mapping::shared(fd.get(), size);
  return {std::move(fd), std::move(memory)};
}

void buffer_cache::give(large_buffer buffer) noexcept {
  if (buffer.memory.size() > largest_kept) return;
  try {
    const std::lock_guard held(mutex_);
    free_.push_back(std::move(buffer));
    if (free_.size() > most_buffers)
      free_.erase(free_.begin());  // the one that has not been wanted for longest
  } catch (const std::bad_alloc&) {
    // Then it is freed, and made anew when it is needed.
  }
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
  const std::size_t least = place_ == place::in_memfd ? 2 * large_.memory.size() : 2 * region_bytes;
  large_buffer larger;
  try {
    larger = cache_.take(std::max(needed, least));
  } catch (const std::system_error& e) {
    starved_ = is_shortage(e);
    throw;
  }
  std::memcpy(larger.memory.data(), written.data(), written.size());
  if (large_) cache_.give(std::move(large_));
  large_ = std::move(larger);
  place_ = place::in_memfd;
  return large_.memory.bytes();
}

bool is_shortage(const std::system_error& error) noexcept {
  switch (error.code().value()) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ETOOMANYREFS:
      return true;
    default:
      return false;
  }
}

bool send_memfd(int socket, std::uint64_t sequence, int memfd) {
  std::array<std::byte, sizeof(sequence)> tag{};
  std::memcpy(tag.data(), &sequence, sizeof(sequence));
  return posix::send_message(socket, tag, std::span(&memfd, 1)) == posix::send_status::sent;
}

posix::mapping memfd_inbox::take(int socket, std::uint64_t sequence, std::uint64_t size) {
  auto it = waiting_.find(sequence);
  while (it == waiting_.end()) {
    std::array<std::byte, sizeof(sequence)> tag{};
    // It was sent before the slot's state said so: nothing to wait for.
    posix::received got = posix::recv_message(socket, tag, 1, posix::blocking::no);
    const bool whole = got.status == posix::recv_status::message && got.size == tag.size();
    if (!whole || (got.fds.size() != 1 && !got.descriptors_lost)) {
      throw decode_error(
          "tandem: a large payload did not arrive with its message: the peer died or is out of order");
    }
    std::uint64_t found = 0;
    std::memcpy(&found, tag.data(), sizeof(found));
    waiting_.insert_or_assign(found, got.fds.empty() ? posix::unique_fd() : std::move(got.fds.front()));
    it = waiting_.find(sequence);
  }
  const posix::unique_fd fd = std::move(it->second);
  waiting_.erase(it);
  if (!fd) {
    throw std::system_error(EMFILE, std::generic_category(),
                            "tandem: a large payload arrived and was lost, because this process may not open "
                            "another descriptor (ulimit -n)");
  }
  // A file that could still shrink would be a SIGBUS for whoever reads it. That it can be written is no matter: a
  // reader looks at each byte once.
  if (!posix::has_seals(fd.get(), posix::seals::shrink)) {
    throw decode_error(
        "tandem: a large payload came in a memory object that is not sealed: the peer is out of order");
  }
  posix::mapping memory = posix::mapping::read_only(fd.get(), posix::file_size(fd.get()));
  if (size > memory.size()) {
    throw decode_error("tandem: a large payload is shorter than its message says: the peer is out of order");
  }
  return memory;
}

}  // namespace tandem::process
