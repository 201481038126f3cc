// How encoded bytes leave a process: in the slot, in its region, or in a slab. Owns the way from small to large while a
// writer is at work. Knows nothing of what they mean.
#ifndef TANDEM_PROCESS_POOL_PAYLOAD_HPP
#define TANDEM_PROCESS_POOL_PAYLOAD_HPP

#include "process_pool/ring.hpp"
#include "process_pool/slab.hpp"

#include <tandem/detail/codec_buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace tandem::process {

/// Where a writer goes on when its first, small buffer is full: to a region (given, or made when needed), then to a
/// slab, then to larger ones.
class overflow final : public writer_overflow {
 public:
  /// The region is made on the heap if it is needed.
  explicit overflow(slab_cache& cache) noexcept : cache_(cache) {}
  /// The region is given.
  overflow(slab_cache& cache, std::span<std::byte> region) noexcept : cache_(cache), region_(region) {}
  overflow(const overflow&) = delete;
  overflow& operator=(const overflow&) = delete;
  ~overflow() {
    if (large_) cache_.give(std::move(large_));
  }

  std::span<std::byte> grow(std::span<const std::byte> written, std::size_t needed) override;

  [[nodiscard]] place where() const noexcept { return place_; }
  /// It has thrown because there is no descriptor or no memory to be had at the moment.
  [[nodiscard]] bool starved() const noexcept { return starved_; }
  /// The slab with `size` bytes in it, to be kept until the peer has read it; only if where() is in_memfd.
  [[nodiscard]] slab release(std::size_t size) noexcept {
    large_.touch(size);
    return std::move(large_);
  }

 private:
  slab_cache& cache_;
  place place_ = place::in_slot;
  bool starved_ = false;
  std::unique_ptr<std::byte[]> own_region_;
  std::span<std::byte> region_;
  slab large_;
};

}  // namespace tandem::process

#endif
