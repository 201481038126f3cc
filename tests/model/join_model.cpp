// Where branches come together: whoever waits sees what they have done, and none is waited for in vain.
#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <tandem/detail/branch.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace tandem::detail {

thread_local constinit const task_context* current_task_of_this_thread = nullptr;

// In the place of a worker's: the steps of a join that are a worker's to take.
class fork_place {
 public:
  static void come_back(join& j) { j.come_back(); }
  static void sleep(join& j) { j.sleep(); }
};

}  // namespace tandem::detail

namespace tandem::model {
namespace {

using tandem::detail::fork_place;
using tandem::detail::join;

template <int Branches>
struct scene {
  fork_place home;
  std::unique_ptr<join> meets = std::make_unique<join>(&home);
  std::array<plain<int>, Branches> done;

  scene() {
    for (int i = 0; i < Branches; ++i) meets->expect_one();
  }
  // A thief has run it.
  void come_back(std::size_t branch) {
    done[branch].write(1);
    fork_place::come_back(*meets);
  }
  void all_are_there() {
    for (const auto& d : done) check(d.read() == 1, "awaited, and what a branch has done is not there");
    meets.reset();  // whoever comes late must not touch it
  }
};

TEST(JoinModel, WhoSleepsIsWokenByTheLastOne) {
  expect_right(
      [] {
        scene<2> s;
        for (std::size_t i = 0; i < 2; ++i) spawn([&s, i] { s.come_back(i); });
        spawn([&] {
          fork_place::sleep(*s.meets);
          s.all_are_there();
        });
        join_all();
      },
      3, 30'000);
}

TEST(JoinModel, WhoLooksAgainAndAgainSeesWhatWasDone) {
  expect_right(
      [] {
        scene<2> s;
        for (std::size_t i = 0; i < 2; ++i) spawn([&s, i] { s.come_back(i); });
        spawn([&] {
          while (!s.meets->are_back()) pause();
          s.all_are_there();
        });
        join_all();
      },
      2, 30'000);
}

TEST(JoinModel, HomeTakesSomeBackItself) {
  expect_right(
      [] {
        scene<2> s;
        spawn([&] { s.come_back(0); });
        spawn([&] {
          s.done[1].write(1);
          s.meets->take_off_one();
          if (!s.meets->are_back()) fork_place::sleep(*s.meets);
          s.all_are_there();
        });
        join_all();
      },
      4, 30'000);
}

TEST(JoinModel, TheFirstErrorIsThereAndCancels) {
  expect_right(
      [] {
        scene<2> s;
        for (std::size_t i = 0; i < 2; ++i) {
          spawn([&s, i] {
            s.meets->fail(std::make_exception_ptr(static_cast<int>(i)));
            s.come_back(i);
          });
        }
        spawn([&] {
          fork_place::sleep(*s.meets);
          check(s.meets->cancelled(), "failed and not cancelled");
          check(s.meets->has_error() && s.meets->take_error() != nullptr, "the error is lost");
          check(!s.meets->cancelled(), "still cancelled");
          s.all_are_there();
        });
        join_all();
      },
      1, 30'000);
}

}  // namespace
}  // namespace tandem::model
