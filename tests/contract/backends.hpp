// The backends that the contract is stamped for: how to make each, and the few facts in which they differ. A test asks
// for a fact, never for a backend by name. One program is built per backend; TANDEM_CONTRACT_BACKEND names it.
#ifndef TANDEM_TESTS_CONTRACT_BACKENDS_HPP
#define TANDEM_TESTS_CONTRACT_BACKENDS_HPP

#include <tandem/tandem.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "contract/tasks.hpp"
#include "support/process_gate.hpp"

namespace tandem::contract {

/// What a worker calls at its start or end: adds to a counter, and may throw. Plain data, so that it can be sent.
struct hook {
  explicit hook(const std::string& counter = "", bool throws_then = false) : throws(throws_then) {
    if (counter.size() >= path.size()) throw std::length_error("path too long for a hook");
    std::memcpy(path.data(), counter.c_str(), counter.size());
  }
  void operator()() const {
    if (path[0] != '\0') test::shared_counter(path.data()).add();
    if (throws) throw std::runtime_error("the hook throws");
  }
  std::array<char, 120> path{};
  bool throws = false;
};

template <class Hook>
auto portable_hook(const Hook& h) {
  return by_value([h] { h(); });
}

/// The caller itself.
struct inline_backend {
  using pool = inline_executor;
  static constexpr const char* name = "inline_executor";
  static constexpr bool concurrent = false;  // tasks run beside the caller
  static constexpr bool in_process = true;   // tasks see the caller's memory
  static constexpr bool takes_max_workers = false;
  static constexpr bool takes_hooks = false;
  static constexpr bool names_workers = false;  // the system shows name_prefix
  static constexpr bool names_threads =
      true;  // no thread of its takes over the name of the one that starts it
  static constexpr bool one_worker_while_idle = true;  // tasks one after the other use one worker
  static std::unique_ptr<pool> make(int = 0) { return std::make_unique<pool>(); }
};

struct thread_backend {
  using pool = thread_pool;
  using options = thread_pool_options;
  static constexpr const char* name = "thread_pool";
  static constexpr bool concurrent = true;
  static constexpr bool in_process = true;
  static constexpr bool takes_max_workers = true;
  static constexpr bool takes_hooks = true;
  static constexpr bool names_workers = true;
  static constexpr bool names_threads = true;
  static constexpr bool one_worker_while_idle = true;
  static std::unique_ptr<pool> make(int workers = 0) {
    return std::make_unique<pool>(options{.max_workers = workers});
  }
};

struct tbb_backend {
  using pool = tbb_pool;
  using options = tbb_pool_options;
  static constexpr const char* name = "tbb_pool";
  static constexpr bool concurrent = true;
  static constexpr bool in_process = true;
  static constexpr bool takes_max_workers = true;
  static constexpr bool takes_hooks = true;
  static constexpr bool names_workers = false;
  static constexpr bool names_threads = false;
  static constexpr bool one_worker_while_idle = false;
  static std::unique_ptr<pool> make(int workers = 0) {
    return std::make_unique<pool>(options{.max_workers = workers});
  }
};

struct process_backend {
  using pool = process_pool;
  using options = process_pool_options;
  static constexpr const char* name = "process_pool";
  static constexpr bool concurrent = true;
  static constexpr bool in_process = false;
  static constexpr bool takes_max_workers = true;
  static constexpr bool takes_hooks = true;
  static constexpr bool names_workers = true;
  static constexpr bool names_threads = true;
  static constexpr bool one_worker_while_idle = true;
  static std::unique_ptr<pool> make(int workers = 0) {
    return std::make_unique<pool>(options{.max_workers = workers});
  }
};

using backends = testing::Types<TANDEM_CONTRACT_BACKEND>;

struct backend_names {
  template <class Backend>
  static std::string GetName(int) {
    return Backend::name;
  }
};

/// What every test of the contract has: a directory for its gates and counters.
template <class Backend>
class fixture : public testing::Test {
 protected:
  /// A gate in the directory. The tasks behind it get through at the end of the test at the latest: declare it behind
  /// the pool, so that it goes first.
  [[nodiscard]] test::shared_gate gate(const std::string& name = "gate") const {
    return test::shared_gate(directory_ / name);
  }
  [[nodiscard]] test::shared_counter counter(const std::string& name) const {
    return test::shared_counter(directory_ / name);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

 private:
  test::scratch_directory directory_;
};

}  // namespace tandem::contract

#endif
