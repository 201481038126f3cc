// Tasks that are tried again: after which time, how often at the most; and who is told of each death.
#include "faults/tasks.hpp"
#include "support/gate.hpp"

#include <tandem/process_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::worker_death;
using tandem::worker_died_error;
using tandem::worker_phase;
using tandem::test::death;

int die_before_attempt(int wanted) {
  if (tandem::this_task::attempt() < wanted) _exit(3);
  return tandem::this_task::attempt();
}

/// Keeps what it is told.
class register_of_deaths {
 public:
  void add(const worker_death& d) {
    {
      const std::lock_guard held(mutex_);
      deaths_.push_back(d);
    }
    count.add();
  }
  [[nodiscard]] std::vector<worker_death> all() {
    const std::lock_guard held(mutex_);
    return deaths_;
  }
  tandem::test::counter count;

 private:
  std::mutex mutex_;
  std::vector<worker_death> deaths_;
};

TEST(Retry, WaitsTwiceAsLongEachTime) {
  process_pool pool({.max_workers = 2});
  const auto begin = std::chrono::steady_clock::now();
  auto again =
      pool.submit({.retries = 3, .retry_delay = 40ms, .max_retry_delay = 70ms}, die_before_attempt, 4);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);  // nobody else waits
  EXPECT_EQ(again.get(), 4);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 40ms + 70ms + 70ms);
  EXPECT_EQ(pool.stats().retried, 3);
}

TEST(Retry, IsAwaitedByShutdown) {
  process_pool pool({.max_workers = 1});
  auto again = pool.submit({.retries = 1, .retry_delay = 30ms}, die_before_attempt, 2);
  pool.shutdown();
  EXPECT_EQ(again.get(), 2);
}

TEST(Retry, ThatIsNotDueCanBeCancelled) {
  register_of_deaths deaths;
  process_pool pool({.max_workers = 1, .on_worker_death = [&](const worker_death& d) { deaths.add(d); }});
  auto never = pool.submit({.retries = 1, .retry_delay = 1h}, die_before_attempt, 9);
  deaths.count.wait_for(1);
  EXPECT_EQ(pool.stats().queued, 1);
  EXPECT_TRUE(never.cancel());
  EXPECT_THROW(never.get(), tandem::cancelled_error);
  EXPECT_EQ(pool.stats().queued, 0);
  pool.shutdown();  // waits for nobody
}

TEST(Retry, ThatIsNotDueIsCancelledByShutdown) {
  register_of_deaths deaths;
  process_pool pool({.max_workers = 1, .on_worker_death = [&](const worker_death& d) { deaths.add(d); }});
  auto never = pool.submit({.retries = 1, .retry_delay = 1h}, die_before_attempt, 9);
  deaths.count.wait_for(1);
  pool.shutdown({.cancel_pending = true});
  EXPECT_THROW(never.get(), tandem::cancelled_error);
}

TEST(Retry, EndsForATaskThatKillsOneWorkerAfterTheOther) {
  process_pool pool({.max_workers = 1, .max_deaths_per_task = 3});
  try {
    pool.submit({.name = "poison", .retries = 1000000}, die_before_attempt, 9).get();
    FAIL();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(e.death().attempt, 3);
    EXPECT_NE(std::string(e.what()).find("has killed 3 workers in a row"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("max_deaths_per_task"), std::string::npos) << e.what();
  }
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  EXPECT_EQ(pool.stats().retried, 2);
  // Not of a task whose retries were used up.
  try {
    pool.submit({.retries = 1}, die_before_attempt, 9).get();
    FAIL();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(std::string(e.what()).find("max_deaths_per_task"), std::string::npos) << e.what();
  }
}

TEST(Retry, EndsAfterTenDeathsUnlessTheUserSaysOtherwise) {
  process_pool by_default({.max_workers = 1});
  try {
    by_default.submit({.retries = 100}, die_before_attempt, 11).get();
    FAIL();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(e.death().attempt, 10);
  }
  process_pool without_end({.max_workers = 1, .max_deaths_per_task = 0});
  EXPECT_EQ(without_end.submit({.retries = 100}, die_before_attempt, 12).get(), 12);
  EXPECT_THROW(process_pool({.max_deaths_per_task = -1}), std::invalid_argument);
}

TEST(Retry, IsRefusedWhereNobodyDies) {
  tandem::thread_pool threads({.max_workers = 1});
  EXPECT_THROW(threads.submit({.retry_delay = 1s}, [] {}), std::invalid_argument);
  EXPECT_THROW(threads.submit({.max_retry_delay = 1s}, [] {}), std::invalid_argument);
}

TEST(WorkerDeath, IsToldBeforeTheFutureIsResolved) {
  register_of_deaths deaths;
  process_pool pool({.max_workers = 1, .on_worker_death = [&](const worker_death& d) { deaths.add(d); }});
  EXPECT_THROW(pool.submit({.name = "seven", .retries = 1}, tandem::test::die, death::exit_7).get(),
               worker_died_error);
  const auto told = deaths.all();
  ASSERT_EQ(told.size(), 2U);
  for (int i = 0; i < 2; ++i) {
    const worker_death& d = told[static_cast<std::size_t>(i)];
    EXPECT_GT(d.pid, 0);
    EXPECT_EQ(d.exit_code, 7);
    EXPECT_EQ(d.task, "seven");
    EXPECT_EQ(d.attempt, i + 1);
    EXPECT_EQ(d.phase, worker_phase::running);
    EXPECT_FALSE(d.killed_by_pool);
  }
}

TEST(WorkerDeath, IsToldOfWorkersWithoutATaskAndOfThoseThatThePoolKills) {
  register_of_deaths deaths;
  process_pool pool({.max_workers = 1, .on_worker_death = [&](const worker_death& d) { deaths.add(d); }});
  const int pid = pool.submit(tandem::test::worker_pid).get();
  kill(pid, SIGKILL);
  deaths.count.wait_for(1);
  EXPECT_EQ(deaths.all()[0].pid, pid);
  EXPECT_EQ(deaths.all()[0].signal, SIGKILL);
  EXPECT_EQ(deaths.all()[0].phase, worker_phase::idle);
  EXPECT_EQ(deaths.all()[0].attempt, 0);
  const tandem::test::fifo gate;
  EXPECT_THROW(pool.submit({.timeout = 20ms}, tandem::test::pass, gate.path()).get(), tandem::timeout_error);
  deaths.count.wait_for(2);
  EXPECT_TRUE(deaths.all()[1].killed_by_pool);
}

TEST(WorkerDeath, IsNotToldOfThoseThatAreSentAway) {
  register_of_deaths deaths;
  {
    process_pool pool({.max_workers = 2,
                       .max_tasks_per_worker = 1,
                       .on_worker_death = [&](const worker_death& d) { deaths.add(d); }});
    for (int i = 0; i < 6; ++i) EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);
    pool.resize(1);
  }
  EXPECT_TRUE(deaths.all().empty());
}

TEST(WorkerDeath, MayBeAnsweredByASubmit) {
  tandem::test::counter answered;
  process_pool* where = nullptr;
  tandem::future<int> answer;
  process_pool pool({.max_workers = 1, .on_worker_death = [&](const worker_death&) {
                       answer = where->submit(tandem::test::add_one, 1);
                       answered.add();
                     }});
  where = &pool;
  EXPECT_THROW(pool.submit(tandem::test::die, death::exit_0).get(), worker_died_error);
  answered.wait_for(1);
  EXPECT_EQ(answer.get(), 2);
}

TEST(WorkerDeath, ThatMakesItsCallbackThrowGoesToTheErrorHandler) {
  tandem::test::counter handled;
  std::string what;
  process_pool pool({.max_workers = 1,
                     .error_handler =
                         [&](const std::exception_ptr& error, std::string_view) {
                           try {
                             std::rethrow_exception(error);
                           } catch (const std::domain_error& e) {
                             what = e.what();
                           }
                           handled.add();
                         },
                     .on_worker_death = [](const worker_death&) { throw std::domain_error("not now"); }});
  EXPECT_THROW(pool.submit(tandem::test::die, death::exit_0).get(), worker_died_error);
  handled.wait_for(1);
  EXPECT_EQ(what, "not now");
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

}  // namespace
