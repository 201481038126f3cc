// Large payloads where descriptors are short: they wait, and what cannot be helped is told.
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"
#include "support/watchdog.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using tandem::process_pool;

/// Leaves this process with `n` further descriptors.
class few_descriptors {
 public:
  explicit few_descriptors(int n) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    std::vector<int> free;
    for (int i = 0; i <= n; ++i) free.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    few.rlim_cur =
        static_cast<rlim_t>(free.back());  // the lowest free numbers were taken, one after the other
    for (const int fd : free) close(fd);
    setrlimit(RLIMIT_NOFILE, &few);
  }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;
  ~few_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

int size_of(std::string text) { return static_cast<int>(text.size()); }

void send_many_large(int descriptors) {
  process_pool pool({.max_workers = 2});
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const few_descriptors limit(descriptors);
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(pool.submit(size_of, std::string(200000, 'x')));
  for (auto& task : tasks) EXPECT_EQ(task.get(), 200000);
}

TEST(LargeTasks, WaitForDescriptorsRatherThanFail) {
  if (tandem::test::slowness() > 1)
    GTEST_SKIP() << "sanitizers need descriptors of their own to look at objects";
  send_many_large(2);
}

TEST(LargeTasks, FailWhenThereIsNothingToWaitFor) {
  if (tandem::test::slowness() > 1)
    GTEST_SKIP() << "sanitizers need descriptors of their own to look at objects";
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  const few_descriptors limit(0);
  try {
    pool.submit(size_of, std::string(200000, 'x')).get();
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), EMFILE);
  }
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

std::string make_large(std::string path) {
  tandem::test::shared_counter(path).wait_for(1);
  return std::string(200000, 'x');
}

TEST(LargeResults, SayWhyTheyAreLostWhenThereIsNoDescriptorForThem) {
  if (tandem::test::slowness() > 1)
    GTEST_SKIP() << "sanitizers need descriptors of their own to look at objects";
  process_pool pool({.max_workers = 1});
  const tandem::test::scratch_directory files;
  tandem::test::shared_gate gate(files / "gate");
  auto task = pool.submit(make_large, files / "gate");
  while (pool.stats().running == 0) sched_yield();
  {
    const few_descriptors limit(0);
    gate.open();
    task.wait();
  }
  try {
    task.get();
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), EMFILE);
    EXPECT_NE(std::string(e.what()).find("ulimit -n"), std::string::npos) << e.what();
  }
  EXPECT_EQ(pool.submit(tandem::test::echo, std::string(200000, 'x')).get().size(), 200000U);
}

}  // namespace
