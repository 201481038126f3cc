// Sending and receiving slabs.
#include "process_pool/slab_link.hpp"

#include "posix/socket.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tandem::process {

namespace {

// Slabs under way that nobody has asked for: at most one for each slot, unless the peer is out of order.
constexpr std::size_t most_waiting = slot_count;

bool send_memfd(int socket, std::uint64_t id, int memfd) {
  std::array<std::byte, sizeof(id)> tag{};
  std::memcpy(tag.data(), &id, sizeof(id));
  return posix::send_message(socket, tag, std::span(&memfd, 1)) == posix::send_status::sent;
}

// A file that could still shrink would be a SIGBUS for whoever reads it. That it can be written is no matter: a reader
// looks at each byte once.
void check(int memfd, const payload& of) {
  if (!posix::has_seals(memfd, posix::seals::shrink)) {
    throw decode_error(
        "tandem: a large payload came in a memory object that is not sealed: the peer is out of order");
  }
  const std::size_t size = posix::file_size(memfd);
  const bool fits = of.slab_place < kept_slabs ? size == slab_bytes && of.size <= size : of.size <= size;
  if (!fits) {
    throw decode_error("tandem: a large payload is shorter than its message says: the peer is out of order");
  }
  // To read a page that was never written makes it, at our cost.
  if (posix::allocated_size(memfd) < of.size) {
    throw decode_error("tandem: a large payload has not been written: the peer is out of order");
  }
}

}  // namespace

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

// Where it is, or else the place that has not been used for longest.
slab_sender::entry& slab_sender::place_for(std::uint64_t slab) noexcept {
  const auto it =
      std::find_if(places_.begin(), places_.end(), [=](const entry& e) { return e.slab == slab; });
  if (it != places_.end()) return *it;
  return *std::min_element(places_.begin(), places_.end(),
                           [](const entry& a, const entry& b) { return a.used < b.used; });
}

void slab_sender::send(int socket, const slab& used, payload& of) {
  of.slab = used.id();
  of.kept = 0;
  if (!used.is_kept()) {
    of.slab_place = no_place;
    send_memfd(socket, used.id(), used.fd());
    return;
  }
  entry& there = place_for(used.id());
  of.slab_place = static_cast<std::uint32_t>(&there - places_.data());
  if (there.slab != used.id() || !there.kept) {
    send_memfd(socket, used.id(), used.fd());
    there = {.slab = used.id()};
  }
  there.used = ++sends_;
}

void slab_sender::answered(const slab& used, std::uint64_t kept) noexcept {
  if (kept != used.id()) return;
  for (entry& e : places_) {
    if (e.slab == used.id()) e.kept = true;
  }
}

slab_receiver::memory slab_receiver::take(int socket, const payload& of, std::uint64_t& kept) {
  const bool keep = of.slab_place < kept_slabs;
  if (keep && places_[of.slab_place].slab == of.slab && of.size <= slab_bytes && of.slab != 0) {
    kept = of.slab;
    return places_[of.slab_place].mapped;
  }
  const posix::unique_fd fd = receive(socket, of.slab);
  check(fd.get(), of);
  auto mapped = std::make_shared<const posix::mapping>(
      posix::mapping::read_only(fd.get(), keep ? slab_bytes : static_cast<std::size_t>(of.size)));
  if (keep) {
    places_[of.slab_place] = {of.slab, mapped};
    kept = of.slab;
  }
  return mapped;
}

posix::unique_fd slab_receiver::receive(int socket, std::uint64_t slab) {
  auto it = waiting_.find(slab);
  while (it == waiting_.end()) {
    std::array<std::byte, sizeof(slab)> tag{};
    // It was sent before the slot's state said so: nothing to wait for.
    posix::received got = posix::recv_message(socket, tag, 1, posix::blocking::no);
    const bool whole = got.status == posix::recv_status::message && got.size == tag.size();
    if (!whole || (got.fds.size() != 1 && !got.descriptors_lost) || waiting_.size() == most_waiting) {
      throw decode_error(
          "tandem: a large payload did not arrive with its message: the peer died or is out of order");
    }
    std::uint64_t found = 0;
    std::memcpy(&found, tag.data(), sizeof(found));
    waiting_.insert_or_assign(found, got.fds.empty() ? posix::unique_fd() : std::move(got.fds.front()));
    it = waiting_.find(slab);
  }
  posix::unique_fd fd = std::move(it->second);
  waiting_.erase(it);
  if (!fd) {
    throw std::system_error(EMFILE, std::generic_category(),
                            "tandem: a large payload arrived and was lost, because this process may not open "
                            "another descriptor (ulimit -n)");
  }
  return fd;
}

}  // namespace tandem::process
