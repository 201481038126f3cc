// One turn of a loop that waits for another thread for some nanoseconds.
#ifndef TANDEM_DISPATCH_SPIN_HPP
#define TANDEM_DISPATCH_SPIN_HPP

namespace tandem::dispatch {

/// Tells the CPU that we spin: the sibling hardware thread gets its share, and leaving the loop costs less. Never
/// sched_yield: that is a system call, and a loop of it burns a core.
inline void spin_once() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace tandem::dispatch

#endif
