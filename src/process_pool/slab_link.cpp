// Sending and receiving slabs.
#include "process_pool/slab_link.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <utility>

namespace tandem::process {

namespace {

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

// Where it is, or else the place that has not been used for longest.
slab_sender::entry& slab_sender::place_for(std::uint64_t slab) noexcept {
  const auto it =
      std::find_if(places_.begin(), places_.end(), [=](const entry& e) { return e.slab == slab; });
  if (it != places_.end()) return *it;
  return *std::min_element(places_.begin(), places_.end(),
                           [](const entry& a, const entry& b) { return a.used < b.used; });
}

void slab_sender::send(const slab& used, payload& of, memfd_mail& mail) noexcept {
  of.slab = used.id();
  of.kept = 0;
  if (!used.is_kept()) {
    of.slab_place = no_place;
    mail.add(memfd_kind::slab, used.id(), used.fd());
    return;
  }
  entry& there = place_for(used.id());
  of.slab_place = static_cast<std::uint32_t>(&there - places_.data());
  if (there.slab != used.id() || !there.kept) {
    mail.add(memfd_kind::slab, used.id(), used.fd());
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

slab_receiver::memory slab_receiver::take(memfd_inbox& inbox, const payload& of, std::uint64_t& kept) {
  const bool keep = of.slab_place < kept_slabs;
  if (keep && places_[of.slab_place].slab == of.slab && of.size <= slab_bytes && of.slab != 0) {
    kept = of.slab;
    return places_[of.slab_place].mapped;
  }
  const posix::unique_fd fd = inbox.take(memfd_kind::slab, of.slab);
  check(fd.get(), of);
  auto mapped = std::make_shared<const posix::mapping>(
      posix::mapping::read_only(fd.get(), keep ? slab_bytes : static_cast<std::size_t>(of.size)));
  if (keep) {
    places_[of.slab_place] = {of.slab, mapped};
    kept = of.slab;
  }
  return mapped;
}

}  // namespace tandem::process
