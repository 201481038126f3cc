// The watchdog over the running test: a hang becomes a failure with a diagnosis.
// It lives in a process of its own, so the test program gets no thread, child or timer signal that a test could
// notice, and a program that is stopped or wedged is still diagnosed.
//
// Limit: 60 s a test, TANDEM_TEST_TIMEOUT=<seconds> overrides it, four times as much under a sanitizer.
#ifndef TANDEM_TESTS_SUPPORT_WATCHDOG_HPP
#define TANDEM_TESTS_SUPPORT_WATCHDOG_HPP

#include <chrono>
#include <string>

namespace tandem::test {

/// How much longer things take in this build: 4 under a sanitizer, else 1.
int slowness();

/// Starts the watchdog's process. Once, before the first test.
void start_watchdog();

/// The test `name` began: from now on it has the limit's time.
void watch(const std::string& name);

/// Gives the running test `limit` (times slowness()) from now on, for the few that are long on purpose.
void set_test_timeout(std::chrono::seconds limit);

/// The test has ended.
void unwatch();

}  // namespace tandem::test

#endif
