// From a small buffer to a region to a slab.
#include "process_pool/payload.hpp"

#include "process_pool/memfd_mail.hpp"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

namespace tandem::process {

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
  const std::size_t least = place_ == place::in_memfd ? 2 * large_.size() : 2 * region_bytes;
  slab larger;
  try {
    larger = cache_.take(std::max(needed, least));
  } catch (const std::system_error& e) {
    starved_ = is_shortage(e);
    throw;
  }
  std::memcpy(larger.bytes().data(), written.data(), written.size());
  if (large_) {
    large_.touch(written.size());
    cache_.give(std::move(large_));
  }
  large_ = std::move(larger);
  place_ = place::in_memfd;
  return large_.bytes();
}

}  // namespace tandem::process
