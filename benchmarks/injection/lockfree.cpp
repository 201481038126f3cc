#include <boost/lockfree/queue.hpp>

#include "injection/harness.hpp"

namespace injection {
namespace {

struct adapter {
  static constexpr bool push_is_fence = true;
  boost::lockfree::queue<node*> queue{1024};
  void push(node* n) { queue.push(n); }
  std::size_t pop(node** out, std::size_t most) {
    return pop_singly(out, most, [this](node*& n) { return queue.pop(n); });
  }
};

}  // namespace

candidate lockfree_queue() { return {"boost::lockfree::queue", &run<adapter>}; }

}  // namespace injection
