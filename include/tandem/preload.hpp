// preload(): loads data once, where the workers of process pools are forked from, so that all share it.
#ifndef TANDEM_PRELOAD_HPP
#define TANDEM_PRELOAD_HPP

#include <tandem/config.hpp>
#include <tandem/worker_hook.hpp>

namespace tandem {

/// Has `f` called once in the fork server of each process_pool that this process makes from now on, before its first worker
/// is forked. What `f` puts into global variables is there in all workers, and is in memory once: they share its pages,
/// copy-on-write, until one writes to them. Not called in this process.
///
/// With start_method::fork it is called in the copy of this process that forks the workers; with start_method::spawn,
/// where nothing can be shared, in each worker before its initializer. A fork server that was killed and replaced calls it
/// again. Pools that are made inside of tasks know nothing of it.
///
/// The constructor of the pool waits for `f`, however long it takes, and throws start_error if `f` throws, ends or
/// crashes the server, or leaves threads running: they would not exist in the workers, but locks that they hold would.
///
/// Functions are called in the order of the calls of preload(), each as often as it was given. Thread-safe; does not block.
/// @param f  a function pointer, a lambda without captures, or by_value(...)
/// @throws std::invalid_argument if `f` is empty; std::bad_alloc
TANDEM_API void preload(const worker_hook& f);

}  // namespace tandem

#endif
