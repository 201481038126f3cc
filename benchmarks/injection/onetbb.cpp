#include <oneapi/tbb/concurrent_queue.h>

#include "injection/harness.hpp"

namespace injection {
namespace {

struct adapter {
  static constexpr bool push_is_fence = false;
  tbb::concurrent_queue<node*> queue;
  void push(node* n) { queue.push(n); }
  std::size_t pop(node** out, std::size_t most) {
    return pop_singly(out, most, [this](node*& n) { return queue.try_pop(n); });
  }
};

}  // namespace

candidate tbb_queue() { return {"tbb::concurrent_queue", &run<adapter>}; }

}  // namespace injection
