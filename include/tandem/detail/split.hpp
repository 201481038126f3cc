// Loops over indices, halved down to chunks that are worth a look around.
#ifndef TANDEM_DETAIL_SPLIT_HPP
#define TANDEM_DETAIL_SPLIT_HPP

#include <tandem/config.hpp>
#include <tandem/detail/branch.hpp>
#include <tandem/detail/fork_place.hpp>
#include <tandem/detail/invoke.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <utility>

namespace tandem::detail {

/// One loop. A Part does the work of some of it: `chunk(begin, end)`; `Part split_off()` makes the one for the second half;
/// `void add(Part&& second)` puts what that one has together with one's own.
///
/// All that is left of what a worker goes through lies in its deque, the largest piece on top: whoever has nothing
/// to do takes that. So it does not matter how different the items are, or that one takes long. A chunk is small enough that
/// nobody waits long for it and large enough that the halving costs nothing; how many items that are is measured.
///
/// What any part throws is kept in one join around all: so it ends the loop everywhere at once, and the first one is thrown.
template <class Part>
class split_loop {
 public:
  /// `chunk_size`: the user's choice, 0 for none.
  split_loop(fork_place& here, int chunk_size) noexcept
      : all_(&here), fixed_(chunk_size != 0), chunk_(std::max(1, chunk_size)) {}

  void run(std::size_t size, Part& part) {
    {
      const join_scope inside(&all_);
      go(*all_.home(), 0, size, part);
    }
    if (const std::exception_ptr error = all_.take_error()) std::rethrow_exception(error);
  }

 private:
  class half final : public branch {
   public:
    half(split_loop& loop, std::size_t begin, std::size_t end, Part& part, join& meets) noexcept
        : branch(&call, meets), loop_(loop), begin_(begin), end_(end), part_(part) {}

   private:
    static void call(branch& self) noexcept {
      auto& mine = static_cast<half&>(self);
      const join_scope inside(&mine.loop_.all_);
      mine.loop_.go(*this_fork_place, mine.begin_, mine.end_, mine.part_);
    }

    split_loop& loop_;
    const std::size_t begin_;
    const std::size_t end_;
    Part& part_;
  };

  void go(fork_place& here, std::size_t begin, std::size_t end, Part& part) noexcept {
    if (all_.cancelled()) [[unlikely]]
      return leave_out();
    try {
      if (end - begin > chunk_.load(std::memory_order_relaxed)) {
        Part second = part.split_off();
        const std::size_t size = end - begin;
        halve(here, begin, begin + size / 2 + size % 2, end, part, second);
        if (!all_.has_error()) part.add(std::move(second));  // otherwise there may be none
      } else if (fixed_) {
        part.chunk(begin, end);
      } else {
        const auto then = std::chrono::steady_clock::now();
        part.chunk(begin, end);
        measured(end - begin, std::chrono::steady_clock::now() - then);
      }
    } catch (...) {
      all_.fail(std::current_exception());
    }
  }

  void halve(fork_place& here, std::size_t begin, std::size_t middle, std::size_t end, Part& first,
             Part& second) noexcept {
    join both(&here);
    half other(*this, middle, end, second, both);
    const bool forked = here.offer(other, here.run_number());
    go(here, begin, middle, first);
    if (!forked || here.take_back(other)) {
      go(here, middle, end, second);
    } else {
      here.wait_for_stolen(both, 1);
    }
  }

  // Something was thrown, and is on its way to the caller; or it is cancelled from around.
  void leave_out() noexcept {
    if (!all_.has_error()) all_.fail(make_cancelled_error());
  }

  static constexpr std::chrono::microseconds target{10};

  // Whoever comes last decides. Only written when it is far off, for all workers read it. Halving leaves pieces of more
  // than half a chunk, and hardly ever a whole one: such a piece says enough.
  void measured(std::size_t items, std::chrono::nanoseconds elapsed) noexcept {
    const std::size_t now = chunk_.load(std::memory_order_relaxed);
    if (elapsed < target / 2 && 2 * items > now) chunk_.store(2 * now, std::memory_order_relaxed);
    if (elapsed > target * 2 && now > 1) chunk_.store(now / 2, std::memory_order_relaxed);
  }

  join all_;
  const bool fixed_;
  alignas(64) std::atomic<std::size_t> chunk_;
};

/// The whole of a loop, on a worker or, where there is none, in one piece.
template <class Part>
void run_loop(fork_place* here, std::size_t size, int chunk_size, Part& part) {
  if (size == 0) return;
  if (here == nullptr) return part.chunk(0, size);
  split_loop<Part>(*here, chunk_size).run(size, part);
}

}  // namespace tandem::detail

#endif
