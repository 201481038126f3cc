// The two ends of the scale: a stack of linked tasks that a consumer takes whole, and a locked deque.
#include <deque>
#include <mutex>

#include "injection/harness.hpp"

namespace injection {
namespace {

// One compare-exchange a push, one exchange for everything that waits. Whoever takes it keeps it in a chain of its own:
// the others see nothing of it, which a pool could not allow; here it shows what the simplest push costs.
struct stack {
  static constexpr bool push_is_fence = true;
  alignas(64) std::atomic<node*> top{nullptr};

  void push(node* n) {
    n->next = top.load(std::memory_order_relaxed);
    while (!top.compare_exchange_weak(n->next, n, std::memory_order_release, std::memory_order_relaxed)) {}
  }
  std::size_t pop(node** out, std::size_t most) {
    thread_local node* mine = nullptr;
    if (mine == nullptr && top.load(std::memory_order_relaxed) != nullptr) {
      for (node* n = top.exchange(nullptr, std::memory_order_acquire); n != nullptr;) {
        node* next = n->next;
        n->next = mine;
        mine = n;
        n = next;
      }
    }
    std::size_t count = 0;
    for (; mine != nullptr && count < most; mine = mine->next) out[count++] = mine;
    return count;
  }
};

struct locked {
  static constexpr bool push_is_fence = true;
  std::mutex mutex;
  std::deque<node*> queue;
  void push(node* n) {
    const std::lock_guard lock(mutex);
    queue.push_back(n);
  }
  std::size_t pop(node** out, std::size_t most) {
    const std::lock_guard lock(mutex);
    std::size_t count = 0;
    for (; count < most && !queue.empty(); queue.pop_front()) out[count++] = queue.front();
    return count;
  }
};

}  // namespace

candidate stack_of_all() { return {"linked stack, taken whole (unfair)", &run<stack>}; }
candidate mutex_and_deque() { return {"std::mutex + std::deque", &run<locked>}; }

}  // namespace injection
