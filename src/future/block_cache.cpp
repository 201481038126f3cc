// The rarer ways of a block: between the threads' caches and the heap.
#include <tandem/detail/block_cache.hpp>

#include <atomic>
#include <mutex>
#include <new>
#include <utility>

// AddressSanitizer shall see each task come and go; so shall whoever defines it as 0.
#ifndef TANDEM_KEEPS_BLOCKS
#define TANDEM_KEEPS_BLOCKS (!TANDEM_UNDER_ASAN)
#endif

namespace tandem::detail {

namespace {

constexpr std::size_t block_size(std::size_t size_class) noexcept {
  return (size_class + 1) * block_cache::step;
}

// Bytes that a thread keeps in each class, half of which change hands at a time; and that the depot keeps.
constexpr std::size_t thread_bytes = std::size_t{16} * 1024;
constexpr std::size_t depot_bytes = std::size_t{512} * 1024;

constexpr int most_blocks(std::size_t size_class) noexcept {
  return static_cast<int>(thread_bytes / block_size(size_class));
}

}  // namespace

/// Chains of blocks that threads had too many of. Whoever finds it locked goes to the heap: so a child that was forked while
/// it was locked needs it no more than others do.
class block_depot {
 public:
  using block = block_cache::block;

  static block_depot& instance() noexcept {
    static constinit block_depot depot;
    return depot;
  }

  // A chain of `most_blocks / 2`; null if there is none.
  block* take(std::size_t size_class) noexcept {
    shelf& s = chains_[size_class];
    if (s.count.load(std::memory_order_relaxed) == 0) return nullptr;  // most often, while tasks pile up
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || s.first == nullptr) return nullptr;
    s.count.store(s.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return std::exchange(s.first, link_of(s.first));
  }

  // False if it has enough.
  bool put(std::size_t size_class, block* chain) noexcept {
    shelf& s = chains_[size_class];
    if (s.count.load(std::memory_order_relaxed) >= most_chains) return false;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    link_of(chain) = std::exchange(s.first, chain);
    s.count.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

 private:
  static constexpr int most_chains = depot_bytes / (thread_bytes / 2);

  struct shelf {
    block* first = nullptr;     // of the chain that came last
    std::atomic<int> count{0};  // written under the mutex; a hint for those who do not hold it
  };
  // Of the first block of a chain: the first of the chain below. A block has room for two pointers.
  struct link {
    block own;
    block* below;
  };
  static block*& link_of(block* chain) noexcept { return reinterpret_cast<link*>(chain)->below; }

  std::mutex mutex_;  // guards all
  std::array<shelf, block_cache::classes> chains_{};
};

thread_local constinit block_cache this_block_cache;

/// Made by a thread that begins to keep blocks: empties its cache when it ends.
struct block_cache_exit {
  ~block_cache_exit() { block_cache_of_this_thread().close(); }
};

void block_cache::open() noexcept {
  if (TANDEM_KEEPS_BLOCKS == 0 || closed_ || kept_[0].most != 0) return;
  thread_local const block_cache_exit at_exit;
  static_cast<void>(at_exit);
  for (std::size_t c = 0; c < classes; ++c) kept_[c].most = most_blocks(c);
}

// Whatever is freed from now on goes to the heap: destructors of other thread-locals may still come.
void block_cache::close() noexcept {
  closed_ = true;
  for (kept& k : kept_) {
    k.most = 0;
    k.count = 0;
    while (k.first != nullptr) ::operator delete(std::exchange(k.first, k.first->next));
  }
}

void* block_cache::take_slowly(std::size_t size_class, std::size_t bytes) {
  if (size_class >= classes) return ::operator new(bytes);
  open();
  kept& k = kept_[size_class];
  if (k.most != 0) {
    if (block* chain = block_depot::instance().take(size_class)) {
      k.first = chain->next;
      k.count = most_blocks(size_class) / 2 - 1;
      return chain;
    }
  }
  return ::operator new(block_size(size_class));
}

void block_cache::give_slowly(std::size_t size_class, void* memory) noexcept {
  if (size_class >= classes) return ::operator delete(memory);
  open();
  kept& k = kept_[size_class];
  if (k.count < k.most) {  // it is the first one
    k.first = ::new (memory) block{k.first};
    ++k.count;
    return;
  }
  if (k.most == 0) return ::operator delete(memory);
  // Half of what there is goes, and this one stays.
  block* chain = k.first;
  block* last = chain;
  const int half = k.most / 2;
  for (int i = 1; i < half; ++i) last = last->next;
  block* rest = std::exchange(last->next, nullptr);
  if (!block_depot::instance().put(size_class, chain)) {
    while (chain != nullptr) ::operator delete(std::exchange(chain, chain->next));
  }
  k.first = ::new (memory) block{rest};
  k.count -= half - 1;
}

}  // namespace tandem::detail
