// What a pool may be doing when its end comes: a pool, what was asked of it, and what must have become of all that when
// it is gone. For the tests of shutdown_race_contract_test.cpp.
#ifndef TANDEM_TESTS_CONTRACT_SHUTDOWN_SCENE_HPP
#define TANDEM_TESTS_CONTRACT_SHUTDOWN_SCENE_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/asleep.hpp"

namespace tandem::contract {

using namespace std::chrono_literals;

// A task that waits for a pool of its own, wherever it runs.
inline int pass_in_a_pool_of_ones_own(std::string arrivals, std::string gate) {
  thread_pool own({.max_workers = 1});
  return own.submit(arrive_and_pass, std::move(arrivals), std::move(gate)).get();
}

// Takes a value that it does not need: somebody may want to know when that goes.
inline int arrive_and_pass_with(std::string arrivals, std::string gate, const std::shared_ptr<int>&) {
  return arrive_and_pass(std::move(arrivals), std::move(gate));
}

inline int arrive_and_pass_pair(const std::pair<std::string, std::string>& paths) {
  return arrive_and_pass(paths.first, paths.second);
}

inline int arrive_and_throw(std::string arrivals, std::string gate) {
  arrive_and_pass(std::move(arrivals), std::move(gate));
  throw std::runtime_error("for the error handler");
}

// A pool that is doing something, and all that was asked of it. `workers`: one does what the scene needs, the other, if
// there is one, is the caller's.
template <class Backend>
class scene {
 public:
  using pool_type = typename Backend::pool;
  static constexpr bool concurrent = Backend::concurrent;

  scene(std::string directory, int workers) : directory_(std::move(directory)), workers_(workers) {}
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;
  ~scene() {
    open_gate();
    join_helpers();
  }

  // Set before the pool is made: sets up the caller, before the scene fills the pool; what the pool's error_handler calls.
  std::function<void(scene&)> when_made;
  std::function<void()> on_error = [] {};

  // --- what it may be doing ---
  void is_new() { make(); }
  void is_idle() {
    make();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pool_->submit(add_one, i).get(), i + 1);
  }
  void runs_a_task() {
    make();
    hold(arrive_and_pass);
  }
  void has_a_queue() {
    runs_a_task();
    for (int i = 0; i < 70; ++i) wait_in_queue({});
  }
  void has_urgent_and_other_tasks() {
    runs_a_task();
    for (int i = 0; i < 30; ++i) {
      for (const priority which : {priority::high, priority::normal, priority::low})
        wait_in_queue({.priority = which});
    }
  }
  void has_delayed_tasks() {
    runs_a_task();
    for (int i = 0; i < 3; ++i) delayed_.push_back(pool_->submit_after(1h, add_one, i));
    repeated_.push_back(pool_->submit_every(1h, nothing));
  }
  void repeats_a_task() {
    make();
    repeated_.push_back(pool_->submit_every(100us, count, path("repeated")));
    test::shared_counter(path("repeated")).wait_for(3);
  }
  void keeps_submitters_waiting() {
    make({.queue_capacity = 2, .policy = when_full::block});
    hold(arrive_and_pass);
    for (int i = 0; i < 2; ++i) wait_in_queue({.submit_timeout = 0s});
    for (int i = 0; i < 2; ++i) {
      asleep([this] {
        try {
          EXPECT_EQ(pool_->submit(add_one, 1).get(), 2);
          EXPECT_EQ(workers_, 2) << "there was no room: only a caller who has given up makes some";
        } catch (const cancelled_error&) {  // there was, but too late
          EXPECT_EQ(workers_, 2);
        } catch (const shutdown_error&) {}
      });
    }
  }
  void runs_tasks_in_their_submitters() {
    make({.queue_capacity = 1, .policy = when_full::run_in_caller});
    hold(arrive_and_pass);
    wait_in_queue({});
    help([this] { EXPECT_EQ(pool_->submit(arrive_and_pass, path("arrivals"), gate_path()).get(), 1); });
    arrivals_.wait_for(2);
  }
  void has_continuations_to_come() {
    runs_a_task();
    continued_.push_back(promise_.get_future().then(*pool_, add_one));
    if (!running_.empty()) {
      continued_.push_back(std::move(running_.back()).then(*pool_, add_one));
      running_.pop_back();
    }
  }
  void is_in_a_map() {
    make();
    help([this] {
      try {
        const std::vector<std::pair<std::string, std::string>> all(6, {path("arrivals"), gate_path()});
        EXPECT_EQ(pool_->map({.chunk_size = 1}, arrive_and_pass_pair, all), std::vector<int>(6, 1));
      } catch (const error&) {}  // cut off
    });
    arrivals_.wait_for(1);
  }
  void is_in_an_imap() {
    make();
    help([this] {
      const std::vector<std::pair<std::string, std::string>> all(6, {path("arrivals"), gate_path()});
      auto results = pool_->imap({.chunk_size = 1, .window = 3}, arrive_and_pass_pair, all);
      for (auto it = results.begin(); it != results.end(); ++it) {
        try {
          EXPECT_EQ(*it, 1);
        } catch (const error&) {}  // cut off
      }
    });
    arrivals_.wait_for(1);
  }
  void has_a_worker_that_waits() {
    make();
    if constexpr (Backend::in_process && concurrent) {
      running_.push_back(pool_->submit(
          [this] { return pool_->submit(arrive_and_pass, path("arrivals"), gate_path()).get(); }));
      arrivals_.wait_for(1);
    } else {
      hold(pass_in_a_pool_of_ones_own);
    }
  }
  void is_being_resized() {
    runs_a_task();
    if constexpr (requires { pool_->resize(1); }) {
      help([this] {
        try {
          for (;;) {
            pool_->resize(workers_ + 1);
            pool_->resize(workers_);
            arrivals_.add();
          }
        } catch (const shutdown_error&) {}
      });
      arrivals_.wait_for(3);
    }
  }
  void has_workers_that_end_when_idle() {
    make({.idle_timeout = 1us});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pool_->submit(add_one, i).get(), i + 1);
  }

  // --- for the caller, and for whoever judges ---
  [[nodiscard]] pool_type& pool() noexcept { return *pool_; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + name; }
  void open_gate() { test::shared_counter(gate_path()).add(); }
  void join_helpers() {
    for (auto& helper : helpers_) helper.join();
    helpers_.clear();
  }
  // Continuations of what was never done: only now.
  void end_predecessor() {
    if (!continued_.empty()) promise_.set_value(1);
  }
  void destroy_pool() {
    std::unique_ptr<executor> as_base = std::move(pool_);
    as_base.reset();
  }

  /// A shutdown that waits has returned.
  void expect_all_done() const {
    const auto done = [](const auto& fs) {
      return std::all_of(fs.begin(), fs.end(), [](const auto& f) { return f.is_ready(); });
    };
    EXPECT_TRUE(done(running_) && done(waiting_) && done(delayed_) && done(repeated_));
    const executor_stats stats = pool_->stats();
    EXPECT_EQ(stats.queued, 0);
    EXPECT_EQ(stats.running, 0);
  }
  /// The pool is gone, or as good as.
  void expect_outcomes(bool none_waits, bool all_cancelled) {
    for (auto& f : running_) EXPECT_EQ(f.get(), 1);
    for (auto& f : waiting_) {
      try {
        EXPECT_EQ(f.get(), 1);
        EXPECT_FALSE(all_cancelled);
      } catch (const cancelled_error&) {
        EXPECT_FALSE(none_waits) << "nobody has asked for it";
      }
    }
    for (auto& f : delayed_) EXPECT_THROW(f.get(), cancelled_error);
    for (auto& f : repeated_) EXPECT_THROW(f.get(), cancelled_error);
    for (auto& f : continued_) EXPECT_THROW(f.get(), shutdown_error);
  }

 private:
  struct made {
    int queue_capacity = 0;
    when_full policy = when_full::block;
    time_limit idle_timeout{};
  };

  void make() { make(made()); }
  void make(const made& how) {
    if constexpr (concurrent) {
      typename Backend::options options;
      options.max_workers = workers_;
      options.queue_capacity = how.queue_capacity;
      options.when_full = how.policy;
      options.error_handler = [this](std::exception_ptr, std::string_view) { on_error(); };
      if constexpr (requires { options.idle_timeout; }) options.idle_timeout = how.idle_timeout;
      pool_ = std::make_unique<pool_type>(std::move(options));
    } else {
      pool_ = std::make_unique<pool_type>();
    }
    when_made(*this);
  }

  // A task that runs until the gate opens.
  void hold(int (*task)(std::string, std::string)) {
    if constexpr (concurrent) {
      running_.push_back(pool_->submit(task, path("arrivals"), gate_path()));
    } else {
      help([this, task] { EXPECT_EQ(pool_->submit(task, path("arrivals"), gate_path()).get(), 1); });
    }
    arrivals_.wait_for(1);
  }
  void wait_in_queue(task_options options) {
    waiting_.push_back(pool_->submit(std::move(options), pass, gate_path()));
  }
  void help(std::function<void()> what) { helpers_.emplace_back(std::move(what)); }
  // Another thread that goes to sleep in it.
  void asleep(std::function<void()> what) {
    std::atomic<int> id{0};
    help([&id, what = std::move(what)] {
      id = test::this_thread();
      id.notify_all();
      what();
    });
    id.wait(0);
    test::wait_until_asleep(id);
  }
  [[nodiscard]] std::string gate_path() const { return path("gate"); }

  const std::string directory_;
  const int workers_;
  std::unique_ptr<pool_type> pool_;
  test::shared_counter arrivals_{path("arrivals")};
  promise<int> promise_;
  std::vector<future<int>> running_;
  std::vector<future<int>> waiting_;
  std::vector<future<int>> delayed_;
  std::vector<future<void>> repeated_;
  std::vector<future<int>> continued_;
  std::vector<std::thread> helpers_;
};

}  // namespace tandem::contract

#endif
