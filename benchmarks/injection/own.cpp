// The one that thread_pool has: src/dispatch/injector.hpp.
#include "dispatch/injector.hpp"
#include "injection/harness.hpp"

namespace injection {
namespace {

struct in_batches {
  static constexpr bool push_is_fence = true;
  tandem::dispatch::injector<node> queue;
  void push(node* n) { (void)queue.push(n); }
  // As with two workers: half of a fair share.
  std::size_t pop(node** out, std::size_t most) { return queue.pop(out, most, 4); }
};

struct singly {
  static constexpr bool push_is_fence = true;
  tandem::dispatch::injector<node> queue;
  void push(node* n) { (void)queue.push(n); }
  std::size_t pop(node** out, std::size_t most) {
    return pop_singly(out, most, [this](node*& n) { return queue.pop(&n, 1) == 1; });
  }
};

}  // namespace

candidate own_injector() { return {"own array queue", &run<in_batches>}; }
candidate own_injector_singly() { return {"own array queue, item by item", &run<singly>}; }

}  // namespace injection
