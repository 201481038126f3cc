// Where x how: each place in the life of a task and of a worker at which something can go wrong, and each way in which it can.
// Every cell says what its own task gets, and that nobody else notices. What goes wrong in the pool's own process - in the
// codec of an argument that is encoded or a result that is decoded - is in matrix_parent.cpp, unless it is an exception.
#include "faults/go_wrong.hpp"
#include "faults/programs.hpp"
#include "support/process_gate.hpp"

#include <tandem/codec.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::process_pool_options;
using tandem::test::all_ways;
using tandem::test::go_wrong;
using tandem::test::shared_counter;
using tandem::test::shared_gate;
using tandem::test::way;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;  // no limit of memory leaves room for its shadow; it ends a SIGSEGV by exit
#else
constexpr bool sanitized = false;
#endif

bool can_be_tested(way how) { return !(sanitized && how == way::memory); }

constexpr std::size_t limit = std::size_t{64} << 20U;

// --- In a task: its arguments, itself, its result ---

enum class place { encode_argument, decode_argument, run, encode_result, decode_result };

/// Goes wrong at one place.
struct trouble {
  place where = place::run;
  way how = way::exception;
  bool is_result = false;
};

trouble run_trouble(trouble t) {
  if (t.where == place::run) go_wrong(t.how);
  t.is_result = true;
  return t;
}

}  // namespace

template <>
struct tandem::codec<trouble> {
  static void encode(writer& out, const trouble& t) {
    if (t.where == (t.is_result ? place::encode_result : place::encode_argument)) go_wrong(t.how);
    out.write_value(t.where);
    out.write_value(t.how);
    out.write_value(static_cast<int>(t.is_result));
  }
  static trouble decode(reader& in) {
    trouble t;
    t.where = in.read_value<place>();
    t.how = in.read_value<way>();
    t.is_result = in.read_value<int>() != 0;
    if (t.where == (t.is_result ? place::decode_result : place::decode_argument)) go_wrong(t.how);
    return t;
  }
};

namespace {

/// Tasks before and behind one that goes wrong, on the same workers.
class bystanders {
 public:
  explicit bystanders(process_pool& pool) : pool_(pool) { add(); }
  void add() {
    for (int i = 0; i < 10; ++i) tasks_.push_back(pool_.submit(tandem::test::add_one, i));
  }
  void expect_well() {
    for (std::size_t i = 0; i < tasks_.size(); ++i) EXPECT_EQ(tasks_[i].get(), static_cast<int>(i % 10) + 1);
    EXPECT_EQ(pool_.submit(tandem::test::add_one, 1).get(), 2);
  }

 private:
  process_pool& pool_;
  std::vector<tandem::future<int>> tasks_;
};

void expect_death(const tandem::worker_died_error& e, way how) {
  const std::string what = e.what();
  EXPECT_GT(e.pid(), 0) << what;
  switch (how) {
    case way::exit_:
      EXPECT_EQ(e.exit_code(), 4) << what;
      return;
    case way::quick_exit:
      EXPECT_EQ(e.exit_code(), 5) << what;
      return;
    case way::abort_:
      EXPECT_EQ(e.signal(), SIGABRT) << what;
      return;
    case way::kill_:
      EXPECT_EQ(e.signal(), SIGKILL) << what;
      return;
    case way::segv:
    case way::stack_overflow:
      if (!sanitized) {
        EXPECT_EQ(e.signal(), SIGSEGV) << what;
      }
      return;
    default:
      ADD_FAILURE() << what;
  }
}

const char* words(place where) {
  return where == place::decode_argument ? "decoding the arguments of"
         : where == place::run           ? "running"
                                         : "encoding the result of";
}

class InATask : public testing::TestWithParam<std::tuple<place, way>> {};

TEST_P(InATask, FailsThatTaskOnly) {
  const auto [where, how] = GetParam();
  if (!can_be_tested(how)) GTEST_SKIP() << "not under a sanitizer";
  const bool here = where == place::encode_argument || where == place::decode_result;
  process_pool pool({.max_workers = 2, .memory_limit = how == way::memory ? limit : 0});
  bystanders others(pool);
  // No time limit but for a task that needs one.
  auto bad = how == way::stop
                 ? pool.submit({.name = "bad", .timeout = 50ms}, run_trouble, trouble{where, how})
                 : pool.submit({.name = "bad"}, run_trouble, trouble{where, how});
  others.add();
  try {
    static_cast<void>(bad.get());
    ADD_FAILURE() << "the task is said to have gone well";
  } catch (const std::domain_error& e) {
    EXPECT_EQ(how, way::exception);
    EXPECT_STREQ(e.what(), "trouble");
  } catch (const std::bad_alloc&) {
    EXPECT_EQ(how, way::memory);
  } catch (const tandem::timeout_error& e) {
    EXPECT_EQ(how, way::stop) << e.what();
  } catch (const tandem::worker_died_error& e) {
    EXPECT_FALSE(here);
    expect_death(e, how);
    EXPECT_NE(std::string(e.what()).find(words(where)), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("bad"), std::string::npos) << e.what();
  }
  others.expect_well();
  EXPECT_EQ(pool.stats().failed, 1);
}

std::string name_of_cell(const testing::TestParamInfo<std::tuple<place, way>>& cell) {
  constexpr const char* places[] = {"EncodeArgument", "DecodeArgument", "Run", "EncodeResult",
                                    "DecodeResult"};
  return places[static_cast<int>(std::get<0>(cell.param))] + std::string(name_of(std::get<1>(cell.param)));
}

INSTANTIATE_TEST_SUITE_P(Worker, InATask,
                         testing::Combine(testing::Values(place::decode_argument, place::run,
                                                          place::encode_result),
                                          testing::ValuesIn(all_ways)),
                         name_of_cell);
INSTANTIATE_TEST_SUITE_P(Here, InATask,
                         testing::Combine(testing::Values(place::encode_argument, place::decode_result),
                                          testing::Values(way::exception)),
                         name_of_cell);

// --- In this process: it is a program that ends as its user's code has it end, with nothing left ---

class InTheProgram : public testing::TestWithParam<std::tuple<place, way>> {};

TEST_P(InTheProgram, LeavesNothing) {
  const auto [where, how] = GetParam();
  int status = 0;
  const std::string text = tandem::test::run(std::string("exec " TANDEM_MATRIX_PARENT) +
                                                 (where == place::encode_argument ? " encode " : " decode ") +
                                                 std::to_string(static_cast<int>(how)),
                                             &status);
  switch (how) {
    case way::exit_:
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 4) << status << text;
      break;
    case way::quick_exit:
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << status << text;
      break;
    case way::abort_:
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status << text;
      break;
    case way::kill_:
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status << text;
      break;
    case way::segv:
    case way::stack_overflow:
      EXPECT_TRUE(sanitized || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)) << status << text;
      break;
    case way::memory:  // one that its codec has run out of
      EXPECT_EQ(text, "bad_alloc\n");
      break;
    case way::stop:  // and woken again
      EXPECT_EQ(text, "went on\n");
      break;
    case way::exception:
      FAIL() << "see InATask";
  }
  // The listener finds whom it has left.
}

INSTANTIATE_TEST_SUITE_P(Here, InTheProgram,
                         testing::Combine(testing::Values(place::encode_argument, place::decode_result),
                                          testing::Values(way::exit_, way::quick_exit, way::abort_, way::segv,
                                                          way::kill_, way::stack_overflow, way::memory,
                                                          way::stop)),
                         name_of_cell);

// --- Beside tasks: after an answer, and while idle ---

/// A thread that a task leaves behind, to go wrong when the test says so.
int leave_trouble(std::string gate, way how) {
  std::thread([gate, how] {
    shared_counter(gate).wait_for(1);
    go_wrong(how);
  }).detach();
  return static_cast<int>(getpid());
}

bool is_there(const process_pool& pool, int pid) {
  for (const auto& row : pool.stats().per_worker) {
    if (row.pid == pid) return true;
  }
  return false;
}

class BesideTasks : public testing::TestWithParam<way> {
 protected:
  // A stopped worker does not go by itself: a task finds it so, and its time limit ends it.
  static void expect_stopped_worker_to_be_replaced(process_pool& pool, int worker) {
    while (is_there(pool, worker)) {
      try {
        static_cast<void>(pool.submit({.timeout = 50ms}, tandem::test::add_one, 1).get());
      } catch (const tandem::timeout_error&) {
        // It was sent to the worker that cannot answer.
      }
    }
  }
  static void expect_replacement(process_pool& pool, int worker) {
    if (GetParam() == way::stop) {
      expect_stopped_worker_to_be_replaced(pool, worker);
    } else {
      while (is_there(pool, worker)) std::this_thread::yield();
      EXPECT_EQ(pool.stats().failed, 0);  // nobody is blamed
    }
    bystanders(pool).expect_well();
  }

  tandem::test::scratch_directory files_;
  std::string path_ = files_ / "gate";
};

TEST_P(BesideTasks, AfterTheAnswerItIsDeliveredAndNobodyBlamed) {
  if (!can_be_tested(GetParam())) GTEST_SKIP() << "not under a sanitizer";
  process_pool pool({.max_workers = 1, .memory_limit = GetParam() == way::memory ? limit : 0});
  shared_counter gate(path_);
  std::atomic<int> delivered{0};
  auto task = pool.submit(leave_trouble, path_, GetParam());
  // In the thread that takes the answer from the ring, as soon as it has.
  task.on_done([&](auto& done) {
    delivered = done.get();
    delivered.notify_one();
    gate.add();
  });
  delivered.wait(0);
  expect_replacement(pool, delivered);
}

TEST_P(BesideTasks, WhileItIsIdleItIsReplaced) {
  if (!can_be_tested(GetParam())) GTEST_SKIP() << "not under a sanitizer";
  process_pool pool({.max_workers = 1, .memory_limit = GetParam() == way::memory ? limit : 0});
  shared_counter gate(path_);
  const int worker = pool.submit(leave_trouble, path_, GetParam()).get();
  while (pool.stats().idle != 1) std::this_thread::yield();
  gate.add();
  expect_replacement(pool, worker);
}

INSTANTIATE_TEST_SUITE_P(Matrix, BesideTasks, testing::ValuesIn(all_ways),
                         [](const auto& cell) { return std::string(name_of(cell.param)); });

// --- At the beginning and at the end of a worker ---

constexpr char how_variable[] = "TANDEM_TEST_MATRIX_HOW";
constexpr char count_variable[] = "TANDEM_TEST_MATRIX_COUNT";

// The first worker only.
void go_wrong_once() {
  if (shared_counter(std::getenv(count_variable)).add() == 1) {
    go_wrong(static_cast<way>(std::atoi(std::getenv(how_variable))));
  }
}

class AtTheEdges : public testing::TestWithParam<way> {
 protected:
  void SetUp() override {
    if (!can_be_tested(GetParam())) GTEST_SKIP() << "not under a sanitizer";
    setenv(how_variable, std::to_string(static_cast<int>(GetParam())).c_str(), 1);
    setenv(count_variable, (files_ / "count").c_str(), 1);
  }
  tandem::test::scratch_directory files_;
};

using DuringStart = AtTheEdges;

TEST_P(DuringStart, OneFailureIsTriedAgainAndAnExceptionBreaksThePool) {
  process_pool pool({.max_workers = 1,
                     .initializer = go_wrong_once,
                     .memory_limit = GetParam() == way::memory ? limit : 0});
  auto task = pool.submit(tandem::test::add_one, 1);
  if (GetParam() == way::exception || GetParam() == way::memory) {
    EXPECT_THROW(task.get(), tandem::broken_pool_error);
    EXPECT_THROW(static_cast<void>(pool.submit(tandem::test::add_one, 1)), tandem::broken_pool_error);
  } else {
    EXPECT_EQ(task.get(), 2);
    EXPECT_EQ(pool.stats().failed, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Matrix, DuringStart,
                         testing::Values(way::exception, way::exit_, way::quick_exit, way::abort_, way::segv,
                                         way::kill_, way::stack_overflow, way::memory),
                         [](const auto& cell) { return std::string(name_of(cell.param)); });

// In DuringStart the task is none the wiser; without a start_timeout it would wait for as long as the worker is stopped.
TEST(StartTimeout, ReplacesAWorkerThatIsStoppedInItsInitializer) {
  const tandem::test::scratch_directory files;
  setenv(how_variable, std::to_string(static_cast<int>(way::stop)).c_str(), 1);
  setenv(count_variable, (files / "count").c_str(), 1);
  process_pool pool({.max_workers = 1, .initializer = go_wrong_once, .start_timeout = 500ms});
  bystanders others(pool);
  others.expect_well();
  EXPECT_EQ(pool.stats().failed, 0);
  EXPECT_EQ(pool.stats().restarts, 1);
}

volatile std::sig_atomic_t is_late = 0;

// The first worker serves when it is told to end, and has a moment more.
void come_late_once() {
  if (shared_counter(std::getenv(count_variable)).add() != 1) return;
  std::signal(SIGTERM, [](int) { is_late = 1; });
  while (is_late == 0) std::this_thread::yield();
}

int stay_if_late() {
  while (is_late != 0) std::this_thread::yield();
  return 2;
}

TEST(StartTimeout, GivesTasksToOthersThoughTheLateOneWouldTakeThem) {
  const tandem::test::scratch_directory files;
  setenv(count_variable, (files / "count").c_str(), 1);
  process_pool pool({.max_workers = 1, .initializer = come_late_once, .start_timeout = 500ms});
  EXPECT_EQ(pool.submit(stay_if_late).get(), 2);
}

TEST(StartTimeout, ThatNoWorkerMeetsBreaksThePool) {
  process_pool pool({.max_workers = 2, .initializer = [] { pause(); }, .start_timeout = 20ms});
  auto task = pool.submit(tandem::test::add_one, 1);
  try {
    static_cast<void>(task.get());
    ADD_FAILURE() << "nobody can have run it";
  } catch (const tandem::broken_pool_error& e) {
    EXPECT_NE(std::string(e.what()).find("start_timeout"), std::string::npos) << e.what();
  }
}

TEST(StartTimeout, IsOverOnceTheWorkerServes) {
  process_pool pool({.max_workers = 1, .start_timeout = 500ms});
  const int worker = pool.submit(tandem::test::worker_pid).get();
  EXPECT_THROW(
      static_cast<void>(pool.submit({.timeout = 600ms}, run_trouble, trouble{place::run, way::stop}).get()),
      tandem::timeout_error);
  EXPECT_NE(pool.submit(tandem::test::worker_pid).get(), worker);
  EXPECT_EQ(pool.stats().restarts, 1);
}

TEST(StartTimeout, IsRefusedIfItIsNotPositive) {
  EXPECT_THROW(process_pool({.start_timeout = 0s}), std::invalid_argument);
}

using DuringShutdown = AtTheEdges;

TEST_P(DuringShutdown, NothingIsLostAndTheEndComes) {
  std::vector<tandem::future<int>> tasks;
  {
    process_pool pool({.max_workers = 2,
                       .finalizer = go_wrong_once,
                       .memory_limit = GetParam() == way::memory ? limit : 0,
                       .error_handler = [](const std::exception_ptr&, std::string_view) {}});
    for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(tandem::test::add_one, i));
    pool.shutdown();
    EXPECT_EQ(pool.stats().failed, 0);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
}

INSTANTIATE_TEST_SUITE_P(Matrix, DuringShutdown,
                         testing::Values(way::exception, way::exit_, way::quick_exit, way::abort_, way::segv,
                                         way::kill_, way::stack_overflow, way::memory),
                         [](const auto& cell) { return std::string(name_of(cell.param)); });

TEST(DuringShutdown, StoppedFinalizerIsEndedByKill) {
  const tandem::test::scratch_directory files;
  setenv(how_variable, std::to_string(static_cast<int>(way::stop)).c_str(), 1);
  setenv(count_variable, (files / "count").c_str(), 1);
  process_pool pool({.max_workers = 2, .finalizer = go_wrong_once});
  bystanders others(pool);
  others.expect_well();
  std::thread end([&] { pool.shutdown(); });
  shared_counter(files / "count").wait_for(1);
  pool.kill();
  end.join();
  EXPECT_EQ(pool.stats().failed, 0);
  EXPECT_EQ(pool.stats().cancelled, 0);
}

TEST(DuringShutdown, StoppedTaskIsEndedByItsTimeLimit) {
  process_pool pool({.max_workers = 1});
  auto stopped = pool.submit({.timeout = 50ms}, run_trouble, trouble{place::run, way::stop});
  auto behind = pool.submit(tandem::test::add_one, 1);
  pool.shutdown();
  EXPECT_THROW(static_cast<void>(stopped.get()), tandem::timeout_error);
  EXPECT_EQ(behind.get(), 2);
}

}  // namespace
