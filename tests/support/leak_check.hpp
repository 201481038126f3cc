// The leak check: after every test, compares what the kernel says with what it said before the test. A descriptor,
// thread, process or name in /dev/shm that was left behind fails that test.
// It waits, bounded, for what is on its way out (a joined thread or a told worker needs a moment to vanish), and
// kills the processes that it reports, so that they do not disturb the tests that follow.
#ifndef TANDEM_TESTS_SUPPORT_LEAK_CHECK_HPP
#define TANDEM_TESTS_SUPPORT_LEAK_CHECK_HPP

#include <chrono>
#include <string>

namespace tandem::test {

/// Notes what is there now. Called before each test's fixture is set up.
void note_before_test();

/// What is there now and was not at note_before_test(), one line each; empty if nothing.
/// Stops oneTBB's own worker threads first: they are oneTBB's to keep, not ours to leak.
std::string left_behind();

/// How long the running test's leak check waits for what is on its way out; 5 s (times slowness()) by default.
void set_leak_patience(std::chrono::milliseconds longest);

/// Exempts the running test, for one that leaves something on purpose; `why` is printed.
void allow_leaks(const std::string& why);

}  // namespace tandem::test

#endif
