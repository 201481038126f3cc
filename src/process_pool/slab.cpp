// Making slabs, keeping them, letting go of them.
#include "process_pool/slab.hpp"

#include "posix/fork_watch.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <utility>

namespace tandem::process {

namespace {
std::atomic<std::uint64_t> slabs_made{0};
}

slab::slab(std::size_t size)
    : id_(slabs_made.fetch_add(1, std::memory_order_relaxed) + 1),
      fork_generation_(posix::fork_generation()),
      fd_(posix::create_memfd("tandem-slab", std::max(size, slab_bytes))) {
  posix::seal(fd_.get(), posix::seals::shrink | posix::seals::grow | posix::seals::seal);
  memory_ = posix::mapping::shared(fd_.get(), std::max(size, slab_bytes));
}

slab& slab::operator=(slab&& other) noexcept {
  if (this != &other) {
    discard();
    id_ = other.id_;
    fork_generation_ = other.fork_generation_;
    touched_ = other.touched_;
    fd_ = std::move(other.fd_);
    memory_ = std::move(other.memory_);
  }
  return *this;
}

slab::~slab() { discard(); }

void slab::discard() noexcept {
  if (fd_ && is_kept() && fork_generation_ == posix::fork_generation()) posix::discard(fd_.get(), slab_bytes);
}

slab slab_cache::take(std::size_t size) {
  if (size <= slab_bytes) {
    if (slab found = take_free(size)) return found;
  }
  try {
    return slab(size);
  } catch (const std::system_error&) {
    // Those that are kept have descriptors, and memory. A slab that is in use is waited for by the caller.
    drop_all();
    return slab(size);
  }
}

slab slab_cache::take_free(std::size_t size) noexcept {
  const std::lock_guard held(mutex_);
  if (free_.empty()) return {};
  const auto best = std::min_element(free_.begin(), free_.end(), [size](const slab& a, const slab& b) {
    if ((a.touched() >= size) != (b.touched() >= size)) return a.touched() >= size;
    return a.touched() >= size ? a.touched() < b.touched() : a.touched() > b.touched();
  });
  bytes_ -= best->touched();
  slab found = std::move(*best);
  free_.erase(best);
  return found;
}

void slab_cache::give(slab used) noexcept {
  if (!used.is_kept()) return;
  std::vector<slab> dropped;  // freed outside the mutex
  const std::lock_guard held(mutex_);
  try {
    dropped.reserve(most_slabs + 1);
    free_.reserve(most_slabs + 1);
  } catch (const std::bad_alloc&) {
    return;  // then it is freed, and made anew when it is needed
  }
  bytes_ += used.touched();
  free_.push_back(std::move(used));
  // Those that have not been wanted for longest.
  while (bytes_ > most_bytes_ || free_.size() > most_slabs) {
    bytes_ -= free_.front().touched();
    dropped.push_back(std::move(free_.front()));
    free_.erase(free_.begin());
  }
}

void slab_cache::drop_all() noexcept {
  std::vector<slab> dropped;
  const std::lock_guard held(mutex_);
  dropped.swap(free_);
  bytes_ = 0;
}

}  // namespace tandem::process
