// What every other header may assume: the version, symbol visibility, and nothing else.
// The only place where macros are defined; they all begin with TANDEM_.
#ifndef TANDEM_CONFIG_HPP
#define TANDEM_CONFIG_HPP

#define TANDEM_VERSION_MAJOR 0
#define TANDEM_VERSION_MINOR 1
#define TANDEM_VERSION_PATCH 0
#define TANDEM_VERSION "0.1.0"

#if !defined(__linux__)
#error "tandem needs Linux: it is built on futexes, memfds and pidfds"
#endif

/// Futures over threads, processes and oneTBB: everything that users need, but for the macros above.
namespace tandem {}

/// Marks what a shared libtandem exports; everything else is hidden.
#define TANDEM_API [[gnu::visibility("default")]]

#endif
