// Runs a small concurrent program again and again, each time with another order of its steps and other values for what
// C++'s memory model lets an atomic load see: all of them within a bound on preemptions, or many at random. Finds what a
// test on real threads finds once in a year, and what x86 never shows at all (README.md says how, and what it cannot
// find).
// The program's threads are fibers of one real thread; they change only where they touch a model::atomic, sleep on a
// futex, or pause. Each has its own thread_local variables of the program, as real threads have.
#ifndef TANDEM_TESTS_MODEL_EXPLORER_HPP
#define TANDEM_TESTS_MODEL_EXPLORER_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tandem::model {

/// What each thread knows of each thread's steps.
using clocks = std::vector<std::uint32_t>;

struct settings {
  /// All executions with at most so many preemptions (switches away from a thread that could go on); negative: random.
  int preemptions = -1;
  /// Random: how many executions. All: no more than these, then the verdict is not complete.
  std::uint64_t executions = 100'000;
  std::uint64_t seed = 1;
  /// Steps of one execution, until it counts as endless.
  int most_steps = 20'000;
};

struct verdict {
  bool ok = true;
  bool complete = false;  ///< all executions within the bound were run
  std::uint64_t executions = 0;
  std::string message;  ///< what went wrong
  std::string trace;    ///< the steps of that execution
};

/// Runs `program` in thread 0 of each execution.
verdict explore(const std::function<void()>& program, const settings& how);

// --- within a program -----------------------------------------------------------------------------------------------
/// Starts another thread. It sees all that the caller has done.
void spawn(std::function<void()> body);
/// Waits for all other threads, and sees all that they have done.
void join_all();
/// Ends the execution as failed if the condition does not hold.
void check(bool condition, const char* what);
/// The calling thread waits for others: it goes on when another one has taken a step, if one can.
void pause();

// --- for model::atomic and the futex --------------------------------------------------------------------------------
namespace detail {

/// A point at which another thread may go on instead.
void step();
/// 0 .. n - 1.
std::size_t choose(std::size_t n);
int this_thread();
clocks& clock_of(int thread);
/// Counts a step of this thread in its own clock and returns the new time.
std::uint32_t tick();
/// Whether steps are to be noted: an execution that has failed is run again for that.
bool is_traced();
void note(const std::string& what);
[[noreturn]] void fail(const std::string& message);
/// Sleeps on the address until woken: true; or until its time is over, if it has one: false.
bool sleep_on(const void* address, bool timed);
/// Wakes up to `count` that sleep there; returns how many.
int wake(const void* address, int count);
bool is_exploring();
/// Of a variable that is there before an execution and behind it: how to give it its first value again.
void add_lasting(const void* variable, std::function<void()> reset);
void remove_lasting(const void* variable);
/// Of the execution's variables, those whose life is over.
void add_destroyed(const void* variable);
void remove_destroyed(const void* variable);
bool is_destroyed(const void* variable);

}  // namespace detail
}  // namespace tandem::model

#endif
