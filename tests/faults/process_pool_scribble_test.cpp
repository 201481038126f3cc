// A task that overwrites the memory which its worker shares with the pool. Whatever it writes there: every future
// resolves, no value is made up, and the pool lives.
#include "faults/tasks.hpp"

#include "process_pool/ring.hpp"

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace {

using tandem::process_pool;
namespace process = tandem::process;

/// Where the ring of this worker process lies.
process::slot* slots_of_this_worker() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:tandem-ring") == std::string::npos) continue;
    std::uintptr_t begin = 0;
    std::istringstream(line) >> std::hex >> begin;
    return reinterpret_cast<process::slot*>(begin + 4096);  // behind the header's page
  }
  return nullptr;
}

/// From now on, in a thread of the worker's own: every answer claims to be a `kind`.
int falsify_answers(std::uint32_t kind) {
  process::slot* slots = slots_of_this_worker();
  if (slots == nullptr) return 0;
  std::thread([slots, kind] {
    for (;;) {
      for (std::size_t i = 0; i < process::slot_count; ++i)
        std::atomic_ref<std::uint32_t>(slots[i].answer).store(kind, std::memory_order_relaxed);
    }
  }).detach();
  return 1;
}

int return_zero(int) { return 0; }  // encoded, it looks like a null exception

class FalseAnswers : public testing::TestWithParam<std::uint32_t> {};

TEST_P(FalseAnswers, AreErrorsOfTheirOwnTask) {
  process_pool pool({.max_workers = 1});
  try {
    EXPECT_EQ(pool.submit(falsify_answers, GetParam()).get(), 1);
  } catch (const tandem::decode_error&) {
    // Its own answer may be hit already.
  }
  int refused = 0;
  for (int i = 0; i < 20000 && refused < 20; ++i) {
    try {
      ASSERT_EQ(pool.submit(return_zero, i).get(), 0);
    } catch (const tandem::decode_error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FalseAnswers,
                         testing::Values(static_cast<std::uint32_t>(process::answer::exception),
                                         static_cast<std::uint32_t>(process::answer::skipped), 77U));

}  // namespace
