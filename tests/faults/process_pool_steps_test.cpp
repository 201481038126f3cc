// A worker that is killed after every single instruction of a task's life, from the wake-up that brings it to the sleep behind
// the answer. What the table of src/process_pool/README.md says is checked at each: the task is run by another worker if it
// had not been taken, lost - in the phase that the error names - if it had, delivered if it was answered; and the task behind
// it runs, unless the worker had come to it.
//
// Each instruction costs a worker, so a run looks at some of them, others each time: TANDEM_STEP_STRIDE=1 is for all.
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"
#include "support/rounds.hpp"
#include "support/seed.hpp"
#include "support/tracer.hpp"
#include "support/watchdog.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using tandem::process_pool;
using tandem::test::seed_scope;
using tandem::test::shared_counter;

/// Where a task was when its worker was killed, as the test sees it.
enum class fate { never_taken, lost_decoding, lost_running, lost_encoding, answered };
const char* name_of(fate f) {
  switch (f) {
    case fate::never_taken:
      return "never taken";
    case fate::lost_decoding:
      return "lost while decoding";
    case fate::lost_running:
      return "lost while running";
    case fate::lost_encoding:
      return "lost while encoding";
    case fate::answered:
      return "answered";
  }
  return "?";
}

struct answer_of_task {
  int pid = 0;
  std::string text;
};

// Found once in a worker's life, so that it is not in every task's steps.
shared_counter& counter(const std::string& path) {
  static shared_counter one(path);
  return one;
}

answer_of_task count_and_echo(std::string path, std::string text) {
  counter(path).add();
  return {static_cast<int>(getpid()), std::move(text)};
}

class Steps : public testing::Test {
 protected:
  void SetUp() override {
    if (!tandem::test::can_trace()) GTEST_SKIP() << "see above";
    // A string instruction that copies thousands of bytes is a step for each: plain loops are not.
    setenv("GLIBC_TUNABLES",
           "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000", 1);
    pool_.emplace(tandem::process_pool_options{.max_workers = 1});
  }

  // Kills the worker `steps` instructions into a task; false if the task was over before that.
  bool kill_after(long steps, const std::string& text) {
    const int begun = runs_.value();
    const int worker = pool_->submit(count_and_echo, path_, std::string()).get().pid;
    const int before = begun + 1;
    bool whole = true;
    tandem::future<answer_of_task> front;
    tandem::future<int> behind;
    {
      tandem::test::tracer traced(worker);
      front = pool_->submit(count_and_echo, path_, text);
      behind = pool_->submit(tandem::test::add_one, 1);
      for (long i = 0; i < steps && whole; ++i) whole = traced.step();
      traced.kill();
    }
    const fate of_front = fate_of(worker, before, text, front);
    ++fates_[of_front];
    try {
      EXPECT_EQ(behind.get(), 2);
    } catch (const tandem::worker_died_error& e) {
      EXPECT_EQ(of_front, fate::answered) << e.what();
    }
    return whole;
  }

  fate fate_of(int worker, int before, const std::string& text, tandem::future<answer_of_task>& task) {
    try {
      const answer_of_task answer = task.get();
      EXPECT_EQ(answer.text, text);
      EXPECT_EQ(runs_.value(), before + 1);  // once, wherever
      return answer.pid == worker ? fate::answered : fate::never_taken;
    } catch (const tandem::worker_died_error& e) {
      EXPECT_EQ(e.pid(), worker);
      EXPECT_EQ(e.signal(), SIGKILL);
      return fate_by(e.what(), runs_.value() - before);
    }
  }

  static fate fate_by(const std::string& what, int runs) {
    if (what.find("while decoding the arguments of") != std::string::npos) {
      EXPECT_EQ(runs, 0) << what;
      return fate::lost_decoding;
    }
    if (what.find("while running") != std::string::npos) {
      EXPECT_LE(runs, 1) << what;
      return fate::lost_running;
    }
    EXPECT_NE(what.find("while encoding the result of"), std::string::npos) << what;
    EXPECT_EQ(runs, 1) << what;
    return fate::lost_encoding;
  }

  // All instructions of a task with such an argument, or every so manyth.
  void walk(const std::string& text, long preset_stride) {
    const seed_scope seed;
    auto random = seed_scope::generator();
    const long stride = tandem::test::setting("TANDEM_STEP_STRIDE", preset_stride * tandem::test::slowness());
    long step = 0;  // before it has taken the task, which it does soon
    while (!HasFailure() && kill_after(step, text)) {
      // Not always the same ones, and no two far apart.
      step += stride == 1 ? 1 : 1 + static_cast<long>(random() % static_cast<unsigned long>(2 * stride - 1));
    }
    std::fprintf(stderr, "%ld instructions;", step);
    for (const auto& [f, count] : fates_) std::fprintf(stderr, " %d %s,", count, name_of(f));
    std::fprintf(stderr, " %lld workers\n", static_cast<long long>(pool_->stats().restarts));
  }

  tandem::test::scratch_directory files_;
  std::string path_ = files_ / "runs";
  shared_counter runs_{path_};
  std::optional<process_pool> pool_;
  std::map<fate, int> fates_;
};

TEST_F(Steps, SmallTaskIsLostOnlyBetweenTakingAndAnswering) {
  walk("small", 60);
  EXPECT_GT(fates_[fate::never_taken], 0);
  EXPECT_GT(fates_[fate::answered], 0);
}

TEST_F(Steps, LargeTaskIsLostOnlyBetweenTakingAndAnswering) {
  walk(std::string(std::size_t{80} << 10U, 'x'), 1500);
  EXPECT_GT(fates_[fate::never_taken], 0);
  EXPECT_GT(fates_[fate::answered], 0);
}

}  // namespace
