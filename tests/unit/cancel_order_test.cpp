// What is cancelled together goes from the last one on: asked to stop, the first may end at once, and nothing may begin behind it.
// Made certain by an argument whose destruction, in the midst of the cancelling, waits for the worker to go on.
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include <ranges>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/gate.hpp"

namespace {

using tandem::thread_pool;

constexpr int items = 300;  // more than submit_each() hands over at a time

struct scene {
  tandem::test::counter begun;
  tandem::test::counter gone;  // of those behind the second

  // The first one runs. Where it has been asked to stop before the others are gone, the third one begins.
  void second_is_cancelled() {
    if (gone.value() != items - 2) begun.wait_for(2);
  }
};

class argument {
 public:
  argument(int index, scene& of) noexcept : index_(index), scene_(&of) {}
  argument(argument&& other) noexcept : index_(other.index_), scene_(std::exchange(other.scene_, nullptr)) {}
  argument& operator=(argument&&) = delete;
  ~argument() {
    if (scene_ == nullptr) return;
    if (index_ == 1) scene_->second_is_cancelled();
    if (index_ > 1) scene_->gone.add();
  }
  void operator()() const {
    scene_->begun.add();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
  }

 private:
  int index_;
  scene* scene_;
};

constexpr auto run = [](const argument& a) { a(); };

TEST(CancelOrder, SubmitEachThatFails) {
  scene s;
  thread_pool pool({.max_workers = 1});
  const auto inputs = std::views::iota(0, items + 1) | std::views::transform([&](int i) {
                        if (i == items) {
                          s.begun.wait_for(1);
                          throw std::runtime_error("no more");
                        }
                        return argument(i, s);
                      });
  EXPECT_THROW((void)pool.submit_each(run, inputs), std::runtime_error);
  pool.shutdown();
  EXPECT_EQ(s.begun.value(), 1);
}

TEST(CancelOrder, ImapThatIsClosed) {
  scene s;
  thread_pool pool({.max_workers = 1});
  {
    const auto inputs =
        std::views::iota(0, items) | std::views::transform([&](int i) { return argument(i, s); });
    const auto results = pool.imap({.chunk_size = 1, .window = items}, run, inputs);
    s.begun.wait_for(1);
  }
  pool.shutdown();
  EXPECT_EQ(s.begun.value(), 1);
}

}  // namespace
