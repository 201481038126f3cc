// init(): what a program must call first in main, so that it can serve as the worker of its own pools.
#ifndef TANDEM_INIT_HPP
#define TANDEM_INIT_HPP

#include <tandem/config.hpp>

namespace tandem {

/// Lets this program serve as a pool worker. Must be the first line of `main`, before threads are started,
/// files opened or arguments parsed.
///
/// The workers of a process_pool are this same program: its first pool starts it once more, and that second
/// process ends up here. In it, init() does not return: it serves until the pool is gone, and main goes no
/// further. In the program that the user started, init() only takes a note and returns. Static initializers
/// run in both.
///
/// Without it, constructing a process_pool throws start_error. Calling it again does nothing.
/// @param argc, argv  as main got them; not changed
TANDEM_API void init(int argc, const char* const* argv);

/// The same for main's own types.
inline void init(int argc, char** argv) { init(argc, const_cast<const char* const*>(argv)); }

}  // namespace tandem

#endif
