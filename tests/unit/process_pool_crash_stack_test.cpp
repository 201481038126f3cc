// A crash record is hostile input: whatever is in it, reading it is defined.
#include "posix/elf.hpp"
#include "posix/symbols.hpp"

#include "process_pool/crash_stack.hpp"
#include "process_pool/retry_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tandem::posix::crash_record;
using tandem::process::crash_stack;

// A whole page, so that AddressSanitizer sees what is read behind it.
std::unique_ptr<crash_record> empty_record() { return std::make_unique<crash_record>(); }

}  // namespace

// With a name that a symbol table has.
[[gnu::noinline]] int crash_stack_test_function(int x) { return x + 1; }
extern "C" [[gnu::noinline]] int f(int x) { return x + 2; }  // "f" is how C++ writes float

namespace {

std::uint64_t offset_of(int (*function)(int)) {
  return reinterpret_cast<std::uintptr_t>(function) - tandem::posix::loaded_modules().front().base;
}

TEST(CrashRecord, NamesFunctionsOfTheProgram) {
  const auto record = empty_record();
  record->signal = SIGSEGV;
  record->frame_count = 3;
  record->module_count = 1;
  record->frames[0] = {offset_of(crash_stack_test_function), 0};
  record->frames[1] = {offset_of(f), 0};
  record->frames[2] = {0x1234, crash_record::no_module};
  const auto lines = crash_stack(*record, SIGSEGV);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[0].find("#0 crash_stack_test_function(int) ("), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("#1 f ("), std::string::npos) << lines[1];
  EXPECT_EQ(lines[2], "#2 ?? (?+0x1234)");
}

TEST(CrashRecord, OfAnotherSignalIsNotBelieved) {
  const auto record = empty_record();
  record->frame_count = 1;
  EXPECT_TRUE(crash_stack(*record, SIGKILL).empty());
  EXPECT_TRUE(crash_stack(*record, 0).empty());
  record->signal = SIGSEGV;
  EXPECT_TRUE(crash_stack(*record, SIGABRT).empty());
}

TEST(CrashRecord, WithCountsBeyondItsEndIsCut) {
  const auto record = empty_record();
  std::memset(record.get(), 0xff, sizeof *record);
  record->signal = SIGSEGV;
  EXPECT_LE(crash_stack(*record, SIGSEGV).size(), crash_record::most_frames);
}

TEST(CrashRecord, OpensNoFileThatThisProcessHasNotLoaded) {
  const auto record = empty_record();
  record->signal = SIGSEGV;
  record->frame_count = 1;
  record->module_count = 1;
  std::strcpy(record->modules[0].path, "/dev/zero");
  const auto lines = crash_stack(*record, SIGSEGV);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], "#0 ?? (zero+0x0)");
}

TEST(CrashRecord, OfRandomBytesIsReadWithoutHarm) {
  std::mt19937_64 random(20261122);
  const auto record = empty_record();
  for (int round = 0; round < 50; ++round) {
    auto* const bytes = reinterpret_cast<unsigned char*>(record.get());
    for (std::size_t i = 0; i < sizeof *record; ++i) bytes[i] = static_cast<unsigned char>(random());
    record->signal = SIGBUS;
    if (round % 2 == 0) record->modules[0].path[0] = 0;
    for (auto& frame : record->frames) frame.module %= 2 * crash_record::most_modules;
    EXPECT_LE(crash_stack(*record, SIGBUS).size(), crash_record::most_frames);
  }
}

TEST(Symbols, OfAFileThatIsNotTheModuleAnyMoreAreNotTold) {
  auto module = tandem::posix::loaded_modules().front();
  ASSERT_EQ(module.kind, tandem::posix::identity_kind::build_id);
  std::vector<tandem::posix::symbol_query> queries{{.offset = offset_of(crash_stack_test_function)}};
  module.identity[0] ^= std::byte{1};
  tandem::posix::find_symbols(module, queries);
  EXPECT_EQ(queries[0].name, "");
  module.identity[0] ^= std::byte{1};
  tandem::posix::find_symbols(module, queries);
  EXPECT_NE(queries[0].name.find("crash_stack_test_function"), std::string::npos);
}

TEST(RetryDelay, DoublesUpToItsMost) {
  using tandem::process::retry_delay;
  EXPECT_EQ(retry_delay({}, 5), 0ns);
  EXPECT_EQ(retry_delay({.retry_delay = 10ms}, 1), 10ms);
  EXPECT_EQ(retry_delay({.retry_delay = 10ms}, 4), 80ms);
  EXPECT_EQ(retry_delay({.retry_delay = 10ms, .max_retry_delay = 25ms}, 2), 20ms);
  EXPECT_EQ(retry_delay({.retry_delay = 10ms, .max_retry_delay = 25ms}, 1000000), 25ms);
  EXPECT_EQ(retry_delay({.retry_delay = 0ms}, 1000000), 0ms);
  EXPECT_GT(retry_delay({.retry_delay = 1s}, 1000000), 24h * 365);  // and no overflow
  EXPECT_EQ(retry_delay({.retry_delay = 10ms, .max_retry_delay = 5ms}, 1), 5ms);
}

}  // namespace
