// The contract of the end, in every combination: whatever the pool is doing, whoever calls shutdown(), with whichever
// options. A scene is what the pool is doing, a caller who ends it; each test plays all scenes for one caller. What
// always holds: what was accepted is resolved, a shutdown that waits returns behind it, one that does not wait returns
// while tasks still run, and nothing is left.
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/shutdown_scene.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

constexpr shutdown_options all_options[] = {{.wait = true, .cancel_pending = false},
                                            {.wait = true, .cancel_pending = true},
                                            {.wait = false, .cancel_pending = false},
                                            {.wait = false, .cancel_pending = true}};

// Who calls shutdown(). `arrange` sees to it that each of the calls comes, 0 to `calls` - 1, when the trigger is there.
template <class Backend>
struct caller {
  bool own = false;         // the pool itself needs the thread: there it must not wait for its end
  bool has_worker = false;  // keeps a worker until then
  int calls = 1;
  std::function<std::shared_ptr<void>(scene<Backend>& s, std::function<void(int)> call)> arrange;
};

template <class Backend>
class ShutdownRace : public fixture<Backend> {
 protected:
  using scene_type = scene<Backend>;

  static constexpr bool concurrent = Backend::concurrent;

  /// Each scene for this caller, with all options; with several callers each has other ones.
  void play_all(const caller<Backend>& who) {
    std::vector<std::pair<const char*, void (scene_type::*)()>> scenes = {
        {"new", &scene_type::is_new},
        {"idle", &scene_type::is_idle},
        {"runs a task", &scene_type::runs_a_task},
        {"delayed tasks", &scene_type::has_delayed_tasks},
        {"repeats a task", &scene_type::repeats_a_task},
        {"continuations", &scene_type::has_continuations_to_come},
        {"in a map", &scene_type::is_in_a_map},
        {"in an imap", &scene_type::is_in_an_imap},
        {"a worker that waits", &scene_type::has_a_worker_that_waits}};
    if constexpr (concurrent) {  // what waits, or may wait
      scenes.insert(scenes.end(),
                    {{"a queue", &scene_type::has_a_queue},
                     {"urgent and other tasks", &scene_type::has_urgent_and_other_tasks},
                     {"submitters that wait", &scene_type::keeps_submitters_waiting},
                     {"tasks in their submitters", &scene_type::runs_tasks_in_their_submitters},
                     {"being resized", &scene_type::is_being_resized},
                     {"workers that end when idle", &scene_type::has_workers_that_end_when_idle}});
    }
    for (const auto& [name, set] : scenes) {
      for (std::size_t first = 0; first < std::size(all_options); ++first) {
        SCOPED_TRACE(std::string("the pool: ") + name + "; wait: " + (all_options[first].wait ? "1" : "0") +
                     ", cancel_pending: " + (all_options[first].cancel_pending ? "1" : "0"));
        play(who, set, first);
        if (testing::Test::HasFailure()) return;
      }
    }
  }

  [[nodiscard]] static std::string arrivals(const scene_type& s) { return s.path("trigger_arrivals"); }
  [[nodiscard]] static std::string trigger(const scene_type& s) { return s.path("trigger"); }

  /// A thread of the test that has waited for the trigger.
  [[nodiscard]] static std::shared_ptr<void> thread(std::function<void()> what) {
    return std::shared_ptr<std::thread>(new std::thread(std::move(what)), [](std::thread* t) {
      t->join();
      delete t;
    });
  }

  /// What `submit` gives to the pool keeps a worker until the trigger is there; where tasks run in their submitters, a
  /// thread of the test.
  [[nodiscard]] static std::shared_ptr<void> on_worker(const scene_type& s, std::function<void()> submit) {
    std::shared_ptr<void> keep;
    if constexpr (concurrent) {
      submit();
    } else {
      keep = thread(std::move(submit));
    }
    test::shared_counter(arrivals(s)).wait_for(1);
    return keep;
  }

 private:
  // One who calls.
  struct one_call {
    std::atomic<int> thread{0};
    std::atomic<bool> ended{false};
  };

  void play(const caller<Backend>& who, void (scene_type::*set)(), std::size_t first) {
    const auto options_of = [&](int k) { return all_options[(first + static_cast<std::size_t>(k)) % 4]; };
    scene_type s(this->path(std::to_string(++plays_) + "-"), who.has_worker ? 2 : 1);
    std::array<one_call, 4> calls;
    std::atomic<bool> is_set{
        false};  // what the trigger says too, but ThreadSanitizer does not see through mapped files
    const auto call = [&](int k) {
      one_call& mine = calls[static_cast<std::size_t>(k)];
      EXPECT_TRUE(is_set);
      mine.thread = test::this_thread();
      const bool refused = end(s, options_of(k));
      EXPECT_EQ(refused, who.own && options_of(k).wait);
      mine.ended = true;
      mine.ended.notify_all();
    };
    std::shared_ptr<void> keep;
    s.when_made = [&](scene_type& made) { keep = who.arrange(made, call); };
    (s.*set)();
    is_set = true;
    test::shared_counter(trigger(s)).add();
    bool cancels = false;
    for (int k = 0; k < who.calls; ++k) {
      cancels = cancels || options_of(k).cancel_pending;
      await(calls[static_cast<std::size_t>(k)], options_of(k).wait);
    }
    if (who.own && options_of(0).wait) {  // it was refused
      EXPECT_TRUE(s.pool().is_open()) << "nothing was changed";
      one_call outside;
      const auto other = thread([&] {
        outside.thread = test::this_thread();
        EXPECT_FALSE(end(s, options_of(0)));
        outside.ended = true;
        outside.ended.notify_all();
      });
      await(outside, true);
      s.open_gate();
      outside.ended.wait(false);
    }
    s.open_gate();
    for (int k = 0; k < who.calls; ++k) calls[static_cast<std::size_t>(k)].ended.wait(false);
    keep.reset();
    s.join_helpers();
    EXPECT_THROW((void)s.pool().submit(add_one, 1), shutdown_error);
    s.end_predecessor();
    if (options_of(0).wait) {
      for (const auto& again : all_options) s.pool().shutdown(again);
    }
    s.destroy_pool();
    s.expect_outcomes(!cancels, cancels && !who.has_worker && who.calls == 1 && !options_of(0).wait);
  }

  // True if it was refused.
  static bool end(scene_type& s, const shutdown_options& options) {
    try {
      s.pool().shutdown(options);
    } catch (const invalid_state_error&) {
      return true;
    }
    if (options.wait) s.expect_all_done();
    return false;
  }

  // While the gate is closed: a call that does not wait has returned, one that does has returned or gone to sleep.
  static void await(const one_call& c, bool waits) {
    if (!waits) return c.ended.wait(false);
    while (!c.ended && (c.thread == 0 || !test::is_asleep(c.thread))) sched_yield();
  }

  int plays_ = 0;
};
TYPED_TEST_SUITE(ShutdownRace, backends, backend_names);

TYPED_TEST(ShutdownRace, ByAnyThreadLosesNothing) {
  this->play_all({.arrange = [this](auto& s, auto call) {
    return this->thread([&s, call, trigger = this->trigger(s)] {
      pass(trigger);
      call(0);
    });
  }});
}

TYPED_TEST(ShutdownRace, BySeveralThreadsThatWantDifferentEndsLosesNothing) {
  this->play_all({.calls = 4, .arrange = [this](auto& s, auto call) {
                    auto all = std::make_shared<std::vector<std::shared_ptr<void>>>();
                    for (int k = 0; k < 4; ++k) {
                      all->push_back(this->thread([call, k, trigger = this->trigger(s)] {
                        pass(trigger);
                        call(k);
                      }));
                    }
                    return std::static_pointer_cast<void>(all);
                  }});
}

TYPED_TEST(ShutdownRace, ByAWorkerOfAnotherPoolLosesNothing) {
  this->play_all({.arrange = [this](auto& s, auto call) {
    auto other = std::make_shared<thread_pool>(thread_pool_options{.max_workers = 1});
    other->post([call, trigger = this->trigger(s)] {
      pass(trigger);
      call(0);
    });
    return std::static_pointer_cast<void>(other);
  }});
}

// The callbacks of a task whose time is over are called on the thread that serves all delayed tasks.
TYPED_TEST(ShutdownRace, ByTheTimersThreadLosesNothing) {
  this->play_all({.arrange = [this](auto& s, auto call) {
    return this->thread([call, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
      pass(trigger);
      thread_pool other({.max_workers = 1});
      auto late = other.submit({.timeout = 1us}, run_until_stopped, arrivals);
      test::counter called;
      late.on_done([&] {
        call(0);
        called.add();
      });
      called.wait_for(1);
    });
  }});
}

TYPED_TEST(ShutdownRace, ByAnOwnTaskIsRefusedIfItWaits) {
  if constexpr (!TypeParam::in_process) {
    // A task in another process does not reach its pool: its callbacks do, below.
    auto pool = TypeParam::make(1);
    executor& base = *pool;
    EXPECT_THROW((void)base.submit([&pool] { pool->shutdown(); }).get(), not_portable_error);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  } else {
    this->play_all({.own = true, .has_worker = true, .arrange = [this](auto& s, auto call) {
                      return this->on_worker(
                          s, [&s, call, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
                            (void)s.pool().submit([=] {
                              arrive_and_pass(arrivals, trigger);
                              call(0);
                            });
                          });
                    }});
  }
}

TYPED_TEST(ShutdownRace, ByACallbackIsRefusedIfItWaits) {
  // Where tasks run in their submitters, the task is over when there is somebody to be called back.
  this->play_all({.own = TypeParam::concurrent, .has_worker = true, .arrange = [this](auto& s, auto call) {
                    return this->on_worker(
                        s, [&s, call, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
                          s.pool().submit(arrive_and_pass, arrivals, trigger).on_done([call] { call(0); });
                        });
                  }});
}

TYPED_TEST(ShutdownRace, ByAContinuationIsRefusedIfItWaits) {
  this->play_all(
      {.own = TypeParam::concurrent, .has_worker = true, .arrange = [this](auto& s, auto call) {
         return this->on_worker(s, [&s, call, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
           (void)s.pool().submit(arrive_and_pass, arrivals, trigger).then([call](int) { call(0); });
         });
       }});
}

TYPED_TEST(ShutdownRace, ByTheDestructorOfAnArgumentIsRefusedIfItWaits) {
  this->play_all({.own = true, .has_worker = true, .arrange = [this](auto& s, auto call) {
                    return this->on_worker(
                        s, [&s, call, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
                          std::shared_ptr<int> argument(new int(1), [call](const int* p) {
                            delete p;
                            call(0);
                          });
                          (void)s.pool().submit(arrive_and_pass_with, arrivals, trigger, std::move(argument));
                        });
                  }});
}

TYPED_TEST(ShutdownRace, ByTheErrorHandlerIsRefusedIfItWaits) {
  if constexpr (!TypeParam::takes_hooks) {
    // There is no handler: who catches is the caller, whom the pool does not need.
    auto pool = TypeParam::make();
    try {
      pool->submit(throw_out_of_range).get();
    } catch (const std::out_of_range&) {
      pool->shutdown();
    }
    EXPECT_THROW((void)pool->submit(add_one, 1), shutdown_error);
  } else {
    this->play_all({.own = true, .has_worker = true, .arrange = [this](auto& s, auto call) {
                      s.on_error = [call] { call(0); };
                      return this->on_worker(s,
                                             [&s, arrivals = this->arrivals(s), trigger = this->trigger(s)] {
                                               s.pool().post(arrive_and_throw, arrivals, trigger);
                                             });
                    }});
  }
}

}  // namespace
}  // namespace tandem::contract
