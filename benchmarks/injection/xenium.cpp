#include <xenium/ramalhete_queue.hpp>
#include <xenium/reclamation/generic_epoch_based.hpp>
#include <xenium/vyukov_bounded_queue.hpp>

#include "injection/harness.hpp"

namespace injection {
namespace {

// The FAAArrayQueue: lock-free, unbounded, segments freed by epochs.
struct ramalhete {
  static constexpr bool push_is_fence = true;
  xenium::ramalhete_queue<node*, xenium::policy::reclaimer<xenium::reclamation::epoch_based<>>,
                          xenium::policy::entries_per_node<1024>, xenium::policy::pop_retries<100>>
      queue;
  void push(node* n) { queue.push(n); }
  std::size_t pop(node** out, std::size_t most) {
    return pop_singly(out, most, [this](node*& n) { return queue.try_pop(n); });
  }
};

// A ring; what does not fit goes on a stack that consumers take whole when the ring is empty.
struct vyukov {
  static constexpr bool push_is_fence = false;
  xenium::vyukov_bounded_queue<node*> ring{std::size_t{1} << 14};
  alignas(64) std::atomic<node*> spilled{nullptr};

  void push(node* n) {
    if (ring.try_push(n)) return;
    n->next = spilled.load(std::memory_order_relaxed);
    while (!spilled.compare_exchange_weak(n->next, n, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  std::size_t pop(node** out, std::size_t most) {
    const std::size_t count = pop_singly(out, most, [this](node*& n) { return ring.try_pop(n); });
    if (count != 0 || spilled.load(std::memory_order_relaxed) == nullptr) return count;
    // Reversed, as much as fits goes into the ring and the rest back.
    node* list = nullptr;
    for (node* n = spilled.exchange(nullptr, std::memory_order_acquire); n != nullptr;) {
      node* next = n->next;
      n->next = list;
      list = n;
      n = next;
    }
    std::size_t taken = 0;
    while (list != nullptr && taken < most) {
      out[taken++] = list;
      list = list->next;
    }
    while (list != nullptr) {
      node* next = list->next;
      push(list);
      list = next;
    }
    return taken;
  }
};

}  // namespace

candidate xenium_ramalhete() { return {"xenium ramalhete_queue, epochs", &run<ramalhete>}; }
candidate vyukov_and_spill() { return {"Vyukov ring (xenium) + spill", &run<vyukov>}; }

}  // namespace injection
