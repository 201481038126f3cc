// Memory for tasks: blocks that a thread keeps when a task is over and gives to the next one. A block is the heap's own, so it
// may be freed by whoever has it, and what is kept is bounded.
#ifndef TANDEM_DETAIL_BLOCK_CACHE_HPP
#define TANDEM_DETAIL_BLOCK_CACHE_HPP

#include <tandem/config.hpp>

#include <array>
#include <cstddef>
#include <new>

namespace tandem::detail {

/// What one thread keeps. A thread that frees more than it takes hands blocks over to others, in chains, through a depot; one
/// that takes more gets them from there. When the thread ends, what it has kept goes back to the heap.
class TANDEM_API block_cache {
 public:
  static constexpr std::size_t step = 64;    // bytes: block sizes are multiples
  static constexpr std::size_t classes = 8;  // larger blocks are not kept

  /// A block of at least `bytes`, aligned as operator new does. Throws std::bad_alloc.
  [[nodiscard]] void* take(std::size_t bytes) {
    const std::size_t size_class = class_of(bytes);
    if (size_class < classes) {
      kept& k = kept_[size_class];
      if (block* found = k.first) [[likely]] {
        k.first = found->next;
        --k.count;
        return found;
      }
    }
    return take_slowly(size_class, bytes);
  }

  /// Takes the block back that take(bytes) has given, on whatever thread.
  void give(void* memory, std::size_t bytes) noexcept {
    const std::size_t size_class = class_of(bytes);
    if (size_class < classes) {
      kept& k = kept_[size_class];
      if (k.count < k.most) [[likely]] {
        k.first = ::new (memory) block{k.first};
        ++k.count;
        return;
      }
    }
    give_slowly(size_class, memory);
  }

 private:
  friend struct block_cache_exit;
  friend class block_depot;

  struct block {
    block* next;
  };
  struct kept {
    block* first;
    int count;
    int most;  // 0 before the thread's first block, and when the thread ends
  };

  static constexpr std::size_t class_of(std::size_t bytes) noexcept { return (bytes - 1) / step; }

  void* take_slowly(std::size_t size_class, std::size_t bytes);
  void give_slowly(std::size_t size_class, void* memory) noexcept;
  void open() noexcept;
  void close() noexcept;

  std::array<kept, classes> kept_{};
  bool closed_ = false;
};

/// See block_cache_of_this_thread().
TANDEM_API extern thread_local constinit block_cache this_block_cache;

/// The calling thread's.
[[nodiscard]] inline block_cache& block_cache_of_this_thread() noexcept {
  block_cache* address = &this_block_cache;
  // Through a register. GCC 12 has UBSan compare the address with null by the flags of the addition that makes it, which ld
  // replaces by an instruction that sets none.
  asm("" : "+r"(address));
  return *address;
}

}  // namespace tandem::detail

#endif
