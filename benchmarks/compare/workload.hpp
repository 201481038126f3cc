// What is run: one job in two forms, a plain loop and the same through an executor, whose results must agree.
// Each workload has its own file. They know neither which backend they run on nor who measures them.
#ifndef TANDEM_COMPARE_WORKLOAD_HPP
#define TANDEM_COMPARE_WORKLOAD_HPP

#include <memory>
#include <string>
#include <tandem/executor.hpp>
#include <unordered_map>

#include "options.hpp"

namespace compare {

/// What a run found, by name: "fib(25)" -> 75025, a word -> its count. One shape for all workloads, so that
/// one function compares them.
using results = std::unordered_map<std::string, long>;

/// The first difference in words ("fib(30) is 832040, not 832041"), or an empty string if there is none.
[[nodiscard]] std::string first_difference(const results& expected, const results& found);

/// A job with its input read and its servers started. Not thread-safe: one run at a time.
class workload {
 public:
  workload() = default;
  workload(const workload&) = delete;
  workload& operator=(const workload&) = delete;
  virtual ~workload() = default;

  [[nodiscard]] virtual std::string name() const = 0;

  /// "CPU-bound" or "IO-bound".
  [[nodiscard]] virtual std::string kind() const = 0;

  /// What is run, in one line with its numbers.
  [[nodiscard]] virtual std::string description() const = 0;

  /// What the reader should know of the input after a run, such as files skipped; empty if nothing.
  [[nodiscard]] virtual std::string remark() const { return {}; }

  /// How many tasks one run submits.
  [[nodiscard]] virtual int tasks() const = 0;

  /// Runs everything in the calling thread, without an executor.
  [[nodiscard]] virtual results run_serial() = 0;

  /// Runs everything as tasks of `pool` and waits for them. Throws what a task threw.
  [[nodiscard]] virtual results run_on(tandem::executor& pool) = 0;

  /// Processor seconds used so far by servers of the workload in this process: no part of the work.
  [[nodiscard]] virtual double helper_cpu_seconds() const { return 0; }
};

[[nodiscard]] std::unique_ptr<workload> make_fib(const options& wanted);
[[nodiscard]] std::unique_ptr<workload> make_words(const options& wanted);
[[nodiscard]] std::unique_ptr<workload> make_sleep(const options& wanted);
[[nodiscard]] std::unique_ptr<workload> make_http(const options& wanted);

/// The workload called `name`, one of workload_names(), ready to run. Throws if its input cannot be had.
[[nodiscard]] std::unique_ptr<workload> make_workload(const std::string& name, const options& wanted);

}  // namespace compare

#endif
