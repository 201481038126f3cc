// One thread of a round: does to the pool, and to the futures that it has from it, whatever its random numbers say. What
// it may do is the table at the end of driver.cpp; each action is a function in the file that the headings here name.
#ifndef TANDEM_TESTS_STRESS_MIX_DRIVER_HPP
#define TANDEM_TESTS_STRESS_MIX_DRIVER_HPP

#include <tandem/future.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <stop_token>
#include <utility>
#include <vector>

#include "stress/mix/round.hpp"
#include "stress/mix/tasks.hpp"

namespace tandem::mix {

/// A future and what is known about it.
struct kept {
  tandem::future<payload> future;
  int result = 0;
  unsigned may = value;                             // outcomes
  unsigned at_end = 0;                              // further ones, from the shutdown of the pool on
  unsigned if_cancelled = cancelled | interrupted;  // further ones, if cancel() comes when it runs
};

/// A repeated task.
struct repeated {
  struct run_facts {
    std::atomic<bool> inside{false};
    std::atomic<bool> overlapped{false};
  };
  tandem::future<void> future;
  std::shared_ptr<run_facts> facts;
  int result = 0;
  unsigned may = 0;  // until it is cancelled, or the pool shut down
};

class driver {
 public:
  driver(pool_type& pool, round& facts, std::mt19937 random) : pool_(pool), facts_(facts), random_(random) {}

  /// While the pool lives.
  void run(int steps);
  /// When the pool is gone: all is resolved.
  void check_all();

 private:
  int roll(int below) { return mix::roll(random_, below); }
  /// Before an action: makes the numbers that it gives to its tasks.
  void one_of_the_actions();

  /// From now on it is an error if `f` is not resolved, or is twice.
  template <class Future>
  void watch(Future& f) {
    std::atomic<int>& count = resolved_.emplace_back(0);
    f.on_done([&count] {
      boost_interruption_point();
      ++count;
      count.notify_one();
    });
  }
  void keep(kept k) {
    watch(k.future);
    kept_.push_back(std::move(k));
  }
  /// Keeps what follows from `k` by add_one().
  void keep_successor(kept& k, tandem::future<payload> f, unsigned may, unsigned at_end);

  /// The future's get(); blocks until it is resolved.
  void check(kept& k);
  void check(repeated& r);
  /// Takes up to `most` of those that are kept, at random.
  std::vector<kept> take(int most);
  void put_back(std::vector<kept> some);
  static std::vector<tandem::future<payload>> futures_of(std::vector<kept>& some);

  // --- driver.cpp ---
  void stats();
  void resize();
  void let_them_rest();

  // --- submitting.cpp ---
  tandem::task_options any_priority();
  void submit();
  void submit_slow();
  void submit_failing();
  void submit_named();
  void submit_urgent_or_not();
  void submit_each();
  void submit_or_give_up();
  void submit_deadly();
  void submit_retried();
  void submit_nested();
  void post();
  void post_failing();
  void drop();
  void map();
  void imap();

  // --- stopping.cpp ---
  void cancel();
  void submit_stoppable();
  void submit_with_token();
  void submit_interruptible();
  void submit_handing_out_its_token();
  void request_stop();

  // --- timing.cpp ---
  void submit_in_time();
  void submit_perhaps_late();
  void submit_too_late();
  void submit_after();
  void submit_at();
  void submit_for_tomorrow();
  void cancel_for_tomorrow();
  void submit_every();
  void cancel_repeated();

  // --- following.cpp ---
  void get();
  void then_in_place();
  void then_on_the_pool();
  void then_whatever_happens();
  void then_a_future();
  void wait_for_some();
  void as_they_complete();
  void all_of_some();
  void any_of_some();
  void share();
  void get_shared();
  void promise();

  struct action;
  static const action actions[];

  pool_type& pool_;
  round& facts_;
  std::mt19937 random_;
  std::deque<std::atomic<int>> resolved_;  // by watch(): how often each was
  std::vector<kept> kept_;
  std::vector<kept> for_tomorrow_;  // whose time does not come
  std::vector<repeated> repeated_;
  std::stop_source stop_;
  int next_ = 0;              // what the present action's tasks begin with
  bool may_give_up_ = false;  // the present action submits with a submit_timeout
};

}  // namespace tandem::mix

#endif
