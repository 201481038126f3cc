// What the injection queues are compared by. Each candidate is an adapter with `void push(node*)`,
// `std::size_t pop(node** out, std::size_t most)` and `bool push_is_fence`; all are driven by the same code.
#ifndef TANDEM_INJECTION_HARNESS_HPP
#define TANDEM_INJECTION_HARNESS_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace injection {

/// What goes through the queue; as large as a task with its future.
struct alignas(16) node {
  node* next = nullptr;  // for intrusive queues
  std::uint64_t taken = 0;
  std::uint64_t payload[8] = {};
};

inline constexpr std::size_t batch = 32;

/// One of the ways in which a pool uses its queue.
struct load {
  const char* name;
  int producers;
  int consumers;
  /// At most so many items in the queue at a time: 0 for no limit.
  std::size_t window;
  /// Consumers begin when all is pushed, so that nothing happens at the same time.
  bool one_after_the_other;
};

/// Pushes `items` items and takes them out again under `how`; nanoseconds per item. The nodes are made before.
template <class Queue>
double run(const load& how, std::size_t items) {
  auto queue = std::make_unique<Queue>();
  std::vector<node> nodes(items);
  std::atomic<bool> go{false};
  std::atomic<int> producing{how.producers};
  alignas(64) std::atomic<std::size_t> taken{0};
  alignas(64) std::atomic<int> sleepers{0};
  const auto produce = [&](std::size_t from, std::size_t to) {
    go.wait(false);
    for (std::size_t i = from; i < to; ++i) {
      if (how.window != 0 && (i - from) % how.window == 0) {
        while (i - from > taken.load(std::memory_order_acquire)) std::this_thread::yield();
      }
      queue->push(&nodes[i]);
      // A pool looks for sleeping workers here, and that look must not overtake the push: queues whose push does not
      // end with a sequentially consistent read-modify-write need a fence.
      if constexpr (!Queue::push_is_fence) std::atomic_thread_fence(std::memory_order_seq_cst);
      if (sleepers.load(std::memory_order_seq_cst) != 0) std::abort();
    }
    producing.fetch_sub(1);
  };
  const auto consume = [&] {
    node* out[batch];
    go.wait(false);
    while (how.one_after_the_other && producing.load() != 0) std::this_thread::yield();
    while (taken.load(std::memory_order_relaxed) < items) {
      const std::size_t count = queue->pop(out, batch);
      for (std::size_t i = 0; i < count; ++i) out[i]->taken = 1;
      if (count != 0) {
        taken.fetch_add(count, std::memory_order_release);
      } else {
        std::this_thread::yield();  // two CPUs: a spinning consumer would keep the producer from running
      }
    }
  };
  std::vector<std::thread> threads;
  const std::size_t share = items / static_cast<std::size_t>(how.producers);
  for (int i = 0; i < how.producers; ++i) {
    const std::size_t from = static_cast<std::size_t>(i) * share;
    threads.emplace_back(produce, from, i + 1 == how.producers ? items : from + share);
  }
  for (int i = 0; i < how.consumers; ++i) threads.emplace_back(consume);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));  // all are at the gate
  const auto begin = std::chrono::steady_clock::now();
  go = true;
  go.notify_all();
  for (auto& t : threads) t.join();
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  return time.count() / static_cast<double>(items);
}

/// A candidate, its type erased.
struct candidate {
  const char* name;
  double (*run)(const load& how, std::size_t items);
};

candidate own_injector();
candidate own_injector_singly();
candidate moodycamel();
candidate tbb_queue();
candidate xenium_ramalhete();
candidate vyukov_and_spill();
candidate lockfree_queue();
candidate stack_of_all();
candidate mutex_and_deque();

/// For queues that give one item at a time: fills the batch one by one.
template <class TryPop>
std::size_t pop_singly(node** out, std::size_t most, TryPop try_pop) {
  std::size_t count = 0;
  while (count < most && try_pop(out[count])) ++count;
  return count;
}

}  // namespace injection

#endif
