// The order in which a process_pool's waiting tasks are dealt out, and which of them may still be overtaken: no process is
// started.
#include "process_pool/backlog.hpp"

#include <tandem/detail/task.hpp>
#include <tandem/task_options.hpp>

#include <memory>

#include <gtest/gtest.h>

namespace tandem::process {
namespace {

detail::core_ptr<detail::core> make_task(priority which) {
  detail::core_ptr<detail::core> task(detail::new_task<detail::remote_mode::never>(1, [] {}));
  task->set_options(std::make_unique<task_options>(task_options{.priority = which}));
  return task;
}

TEST(Backlog, TaskInItsTurnKeepsItsRank) {
  backlog tasks;
  for (const priority which : {priority::low, priority::normal, priority::high})
    tasks.push_back(make_task(which));
  for (const priority which : {priority::high, priority::normal, priority::low})
    EXPECT_EQ(tasks.pop_next().rank, which);
}

TEST(Backlog, TaskWhoseTurnHasComeMayNotBeOvertakenAnyMore) {
  backlog tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(make_task(priority::high));
  const auto patient = make_task(priority::normal);
  tasks.push_back(patient);
  for (int i = 0; i < dispatch::ageing::normal_patience; ++i)
    EXPECT_NE(tasks.pop_next().task.get(), patient.get());
  const backlog::next next = tasks.pop_next();
  EXPECT_EQ(next.task.get(), patient.get());
  EXPECT_EQ(next.rank, priority::high);
  while (!tasks.empty()) (void)tasks.pop_next();
}

}  // namespace
}  // namespace tandem::process
