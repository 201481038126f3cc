// What the mix submits: functions that can be sent to a process too, and what they take and give. Each of them tells on
// itself by a std::logic_error, which no future of the mix may end with, if it is interrupted without being asked to stop.
#ifndef TANDEM_TESTS_STRESS_MIX_TASKS_HPP
#define TANDEM_TESTS_STRESS_MIX_TASKS_HPP

#include <tandem/process_pool.hpp>
#include <tandem/tbb_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>

#include <boost/thread/thread.hpp>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>

namespace tandem::mix {

using pool_type = TANDEM_MIX_BACKEND;
inline constexpr bool in_process = !std::is_same_v<pool_type, process_pool>;
inline constexpr bool can_be_resized = !std::is_same_v<pool_type, tbb_pool>;

/// Counts the objects that are alive in this process.
struct payload {
  payload() { ++alive; }
  explicit payload(int v) : value(v) { ++alive; }
  payload(const payload& other) : value(other.value) { ++alive; }
  payload(payload&& other) noexcept : value(other.value) { ++alive; }
  payload& operator=(const payload&) = default;
  payload& operator=(payload&&) = default;
  ~payload() {
    if (--alive == 0) alive.notify_all();
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }

  int value = 0;
  static inline std::atomic<int> alive{0};
};

/// This is the process of the test. Set by the test: a worker, whose main() ends in init(), never does.
inline bool at_home = false;

/// How often Boost.Thread's interruption came to somebody whom nobody had asked to stop.
inline std::atomic<int> strays{0};

/// Boost's own interruption point, of which tandem knows nothing. An interruption is for a task that was asked to stop;
/// a callback, which is no task, never sees one.
inline void boost_interruption_point() {
  try {
    boost::this_thread::interruption_point();
  } catch (const boost::thread_interrupted&) {
    if (this_task::stop_requested()) throw;
    ++strays;
    throw std::logic_error("interrupted, though nobody has asked this task to stop");
  }
}

inline payload add_one(payload p) {
  boost_interruption_point();
  return payload(p.value + 1);
}

inline payload throw_it(payload p) { throw std::out_of_range(std::to_string(p.value)); }

inline int twice(int x) { return 2 * x; }

/// Kills its worker. In the caller (when_full::run_in_caller) it only throws.
inline payload die(payload p) {
  if (at_home) throw_it(p);
  std::_Exit(p.value % 100);
}

inline payload die_at_first(payload p) {
  if (!at_home && this_task::attempt() == 1) std::_Exit(p.value % 100);
  return payload(p.value + 1);
}

/// Some microseconds, less if it is asked to stop.
inline payload dawdle(payload p, int turns) {
  for (int i = 0; i < turns && !this_task::stop_requested(); ++i) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  return payload(p.value + 1);
}

/// The same, but ends by an exception when it is asked.
inline payload dawdle_interruptibly(payload p, int turns) {
  for (int i = 0; i < turns; ++i) {
    boost_interruption_point();
    this_task::interruption_point();
  }
  return payload(p.value + 1);
}

/// Returns only when it is asked to.
inline payload await_stop(payload p) {
  while (!this_task::stop_requested()) std::this_thread::yield();
  return payload(p.value + 1);
}

/// As dawdle(), by its token: which is told whenever the task is, and never otherwise.
inline payload dawdle_by_token(std::stop_token token, payload p, int turns) {
  std::atomic<bool> called{false};
  {
    const std::stop_callback when_asked(token, [&called] { called = true; });
    for (int i = 0; i < turns && !token.stop_requested(); ++i) {
      if (i % 64 == 0 && this_task::stop_requested()) {
        while (!token.stop_requested()) std::this_thread::yield();  // it is on its way
      }
    }
  }
  if ((called || token.stop_requested()) && !this_task::stop_requested())
    throw std::logic_error("the token was asked to stop and the task was not");
  if (called && !token.stop_requested()) throw std::logic_error("a stop callback was called without a stop");
  if (token != this_task::stop_token()) throw std::logic_error("the task has two tokens");
  return payload(p.value + 1);
}

inline void tick(payload) {}
inline void tick_and_fail(payload p) { throw_it(p); }

}  // namespace tandem::mix

#endif
