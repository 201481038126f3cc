// What a process leaves behind when it crashes: the signal, and the way to there as (module, offset).
//
// Owns the handlers that write it, on a stack of their own. They call nothing that takes a lock or allocates; then the
// signal does what it always did, so that a core file is written and the exit status is the same. Turning offsets
// into names is symbols.hpp's.
#ifndef TANDEM_POSIX_CRASH_HPP
#define TANDEM_POSIX_CRASH_HPP

#include <cstddef>
#include <cstdint>

namespace tandem::posix {

/// Written by the crashed process, in memory that outlives it. All zero: nothing has happened. Whoever reads it must
/// not believe it: the process had gone wrong.
struct crash_record {
  static constexpr std::size_t most_frames = 48;
  static constexpr std::size_t most_modules = 12;
  static constexpr std::uint32_t no_module = 0xffffffffU;

  struct frame {
    std::uint64_t
        offset;  ///< From the module's base, within the instruction; the address if there is no module.
    std::uint32_t module;  ///< Index into modules, or no_module.
  };
  struct module {
    char path[128];  ///< As the loader knows it, empty for the program itself; zero-terminated, cut.
  };

  std::uint32_t signal;
  std::uint32_t frame_count;  ///< Innermost first.
  std::uint32_t module_count;
  frame frames[most_frames];
  module modules[most_modules];
};

/// From now on a crash of this process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT), in whatever thread, is written to
/// `record`; of the calling thread also a stack overflow. Signals that have a handler already, or are ignored, stay as
/// they are, and a handler that is installed later wins. Not inherited by programs that this process starts, and
/// without effect in its forked children. Once in a process. Needs glibc 2.35, without which it does nothing: before
/// that the loader's lock is in the way.
void record_crashes_in(crash_record& record) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_CRASH_HPP
