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

/// The atomic variables of the protocols that tests drive step by step: those put their own in its place.
#ifndef TANDEM_ATOMIC
#define TANDEM_ATOMIC std::atomic
#define TANDEM_ATOMIC_REF std::atomic_ref
#endif

/// 1 where AddressSanitizer has a hand in the program: it may put variables elsewhere than on the stack.
#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_UNDER_ASAN 1
#endif
#endif
#ifndef TANDEM_UNDER_ASAN
#define TANDEM_UNDER_ASAN 0
#endif

/// Marks what a shared libtandem exports; everything else is hidden.
#define TANDEM_API [[gnu::visibility("default")]]

#endif
