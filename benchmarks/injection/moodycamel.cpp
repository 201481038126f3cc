#include <concurrentqueue/concurrentqueue.h>

#include "injection/harness.hpp"

namespace injection {
namespace {

// Without producer tokens: tasks come from any thread, and a pool has no place to keep a token for each.
struct adapter {
  static constexpr bool push_is_fence = false;
  ::moodycamel::ConcurrentQueue<node*> queue;
  void push(node* n) { queue.enqueue(n); }
  std::size_t pop(node** out, std::size_t most) { return queue.try_dequeue_bulk(out, most); }
};

}  // namespace

candidate moodycamel() { return {"moodycamel, bulk dequeue", &run<adapter>}; }

}  // namespace injection
