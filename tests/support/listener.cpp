// Puts the watchdog and the leak check around every test. Linked into each test program as an object file: it
// registers itself before main, so that tandem::gtest_main, the main that users get, is the one tested.
#include <gtest/gtest.h>

#include <thread>

#include "support/leak_check.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace tandem::test {
namespace {

class guard : public testing::EmptyTestEventListener {
  void OnTestProgramStart(const testing::UnitTest&) override {
    mark_family();
    start_watchdog();
#if defined(__SANITIZE_THREAD__)
    // ThreadSanitizer starts a thread of its own with the program's first thread, and keeps it: not a test's leak.
    std::thread([] {}).join();
#endif
  }

  void OnTestStart(const testing::TestInfo& info) override {
    watch(std::string(info.test_suite_name()) + "." + info.name());
    note_before_test();
  }

  void OnTestEnd(const testing::TestInfo& info) override {
    // Part of the watched time: a leak check that hangs is diagnosed too.
    const std::string left = info.result()->Skipped() ? std::string() : left_behind();
    if (!left.empty()) ADD_FAILURE() << "the test left behind:\n" << left;
    unwatch();
  }
};

[[maybe_unused]] const bool registered = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new guard);  // GoogleTest owns it
  return true;
}();

}  // namespace
}  // namespace tandem::test
