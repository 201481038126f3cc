// Waiting and nothing else: what IO-bound work looks like when the other side is infinitely patient.
#include <tandem/future.hpp>
#include <thread>

#include "format.hpp"
#include "workload.hpp"

namespace compare {
namespace {

// Microseconds as a number: a plain integer crosses to a worker process as it is.
long wait_for(int task, long microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  return task;
}

class sleep_workload final : public workload {
 public:
  sleep_workload(int tasks, std::chrono::microseconds delay) : tasks_(tasks), delay_(delay) {}

  [[nodiscard]] std::string name() const override { return "sleep"; }
  [[nodiscard]] std::string kind() const override { return "IO-bound"; }
  [[nodiscard]] std::string description() const override {
    return counted(tasks_, "task", "tasks") + " that wait for " + milliseconds(delay_) + " each";
  }
  [[nodiscard]] int tasks() const override { return tasks_; }

  [[nodiscard]] results run_serial() override {
    results found;
    for (int n = 0; n < tasks_; ++n) found[task_name(n)] = wait_for(n, delay_.count());
    return found;
  }

  [[nodiscard]] results run_on(tandem::executor& pool) override {
    std::vector<tandem::future<long>> futures;
    futures.reserve(static_cast<std::size_t>(tasks_));
    for (int n = 0; n < tasks_; ++n)
      futures.push_back(pool.submit(wait_for, n, static_cast<long>(delay_.count())));
    results found;
    for (int n = 0; n < tasks_; ++n) found[task_name(n)] = futures[static_cast<std::size_t>(n)].get();
    return found;
  }

 private:
  static std::string task_name(int n) { return "task " + std::to_string(n); }

  int tasks_;
  std::chrono::microseconds delay_;
};

}  // namespace

std::unique_ptr<workload> make_sleep(const options& wanted) {
  return std::make_unique<sleep_workload>(wanted.sleep_tasks, wanted.delay);
}

}  // namespace compare
