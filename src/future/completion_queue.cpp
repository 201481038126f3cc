// The queue behind wait, as_completed and imap_unordered: completers push nodes on a shared stack, the one consumer
// takes the whole stack and sleeps on a futex when it is empty. The pairs of orders are in README.md.
#include <tandem/detail/completion_queue.hpp>

#include <tandem/detail/context.hpp>

#include "posix/futex.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

namespace tandem::detail {

// Outlives the queue while a core may still push to it.
struct completion_queue::shared {
  std::atomic<int> refs{1};
  std::atomic<node*> completed{
      nullptr};  // newest first; completers push, the consumer takes all, then closes
  std::atomic<std::uint32_t> sleeping{0};  // futex word: 1 while the consumer sleeps or is about to

  // Left by a consumer that is gone: nobody would ever free what is pushed.
  static node* closed() noexcept { return reinterpret_cast<node*>(std::uintptr_t{1}); }

  void release() noexcept;
};

class completion_queue::node final : public callback {
 public:
  node(shared* queue, std::size_t user_tag, std::size_t index) noexcept
      : callback(kind::wake), queue_(queue), tag(user_tag), slot(index) {
    queue_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  ~node() = default;

  void fire(core&) noexcept override {
    shared* queue = queue_;
    queue->refs.fetch_add(1, std::memory_order_relaxed);  // the consumer may free us as soon as we are pushed
    next = queue->completed.load(std::memory_order_relaxed);
    // ORDER complete-sleep: seq_cst push then load, against the consumer's seq_cst store then load in pop(). Either
    // it sees our node or we see that it sleeps.
    do {
      if (next == shared::closed()) {
        destroy();
        queue->release();
        return;
      }
    } while (!queue->completed.compare_exchange_weak(next, this, std::memory_order_seq_cst,
                                                     std::memory_order_relaxed));
    if (queue->sleeping.load(std::memory_order_seq_cst) != 0 && queue->sleeping.exchange(0) != 0) {
      posix::futex_wake(queue->sleeping, 1, posix::scope::process_private);
    }
    queue->release();
  }

  void drop() noexcept override { destroy(); }

  void destroy() noexcept {
    shared* queue = queue_;
    delete this;
    queue->release();
  }

 private:
  shared* queue_;

 public:
  const std::size_t tag;
  const std::size_t slot;
  node* next = nullptr;
};

void completion_queue::shared::release() noexcept {
  if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

completion_queue::completion_queue() : shared_(new shared) {}

completion_queue::completion_queue(completion_queue&& other) noexcept
    : shared_(std::exchange(other.shared_, nullptr)),
      ready_(std::exchange(other.ready_, nullptr)),
      slots_(std::move(other.slots_)),
      free_slots_(std::move(other.free_slots_)),
      help_from_(std::exchange(other.help_from_, 0)),
      outstanding_(std::exchange(other.outstanding_, 0)) {
  other.slots_.clear();
  other.free_slots_.clear();
}

completion_queue& completion_queue::operator=(completion_queue&& other) noexcept {
  std::swap(shared_, other.shared_);
  std::swap(ready_, other.ready_);
  std::swap(slots_, other.slots_);
  std::swap(free_slots_, other.free_slots_);
  std::swap(help_from_, other.help_from_);
  std::swap(outstanding_, other.outstanding_);
  return *this;
}

completion_queue::~completion_queue() {
  if (shared_ == nullptr) return;
  for (slot& s : slots_) {
    if (!s.watched) continue;
    const callback* mine = s.registered;
    s.watched->detach([mine](const callback* c) { return c == mine; });
  }
  const auto destroy_all = [](node* n) {
    while (n != nullptr) std::exchange(n, n->next)->destroy();
  };
  destroy_all(ready_);
  destroy_all(shared_->completed.exchange(shared::closed(), std::memory_order_acq_rel));
  shared_->release();
}

void completion_queue::watch(core& task, std::size_t tag) {
  std::size_t index = slots_.size();
  if (free_slots_.empty()) {
    slots_.emplace_back();
    free_slots_.reserve(slots_.capacity());  // so that pop() cannot fail
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  node* n = new node(shared_, tag, index);
  task.add_ref();
  slots_[index] = {core_ptr<core>(&task), n};
  help_from_ = std::min(help_from_, index);
  ++outstanding_;
  if (!task.try_attach(n)) n->fire(task);
}

// Moves what the completers pushed behind what is ready.
void completion_queue::collect() {
  if (ready_ != nullptr) return;
  node* newest = shared_->completed.load(std::memory_order_relaxed);
  if (newest == nullptr) return;
  newest = shared_->completed.exchange(nullptr, std::memory_order_acquire);
  while (newest != nullptr) {
    node* next = newest->next;
    newest->next = ready_;
    ready_ = newest;
    newest = next;
  }
}

std::optional<std::size_t> completion_queue::try_pop() {
  collect();
  if (ready_ == nullptr) return std::nullopt;
  node* n = ready_;
  ready_ = n->next;
  const std::size_t tag = n->tag;
  slots_[n->slot] = {};
  free_slots_.push_back(n->slot);
  --outstanding_;
  n->destroy();
  return tag;
}

// Runs one watched task that has not started, if this thread is a worker of its pool.
bool completion_queue::help(helping how) {
  worker_context* worker = current_worker();
  if (worker == nullptr) return false;
  if (how == helping::if_stuck && worker->can_be_stood_in_for()) return false;
  for (; help_from_ < slots_.size(); ++help_from_) {
    core* task = slots_[help_from_].watched.get();
    if (task != nullptr && worker->try_run(*task)) return true;
  }
  return false;
}

std::optional<std::size_t> completion_queue::pop(std::optional<time_point> deadline, helping how) {
  while (outstanding_ > 0) {
    if (auto tag = try_pop()) return tag;
    if (deadline && *deadline <= std::chrono::steady_clock::now()) return std::nullopt;
    if (!deadline && help(how)) continue;
    if (run_put_off_callbacks()) continue;
    worker_context* worker = current_worker();
    if (worker != nullptr) worker->begin_blocking();
    bool in_time = true;
    for (;;) {
      shared_->sleeping.store(1, std::memory_order_seq_cst);  // ORDER complete-sleep
      if (shared_->completed.load(std::memory_order_seq_cst) != nullptr) break;
      if (!deadline) {
        posix::futex_wait(shared_->sleeping, 1, posix::scope::process_private);
      } else if (posix::futex_wait(shared_->sleeping, 1, posix::scope::process_private, *deadline) ==
                 posix::wait_status::timed_out) {
        in_time = false;
        break;
      }
    }
    shared_->sleeping.store(0, std::memory_order_relaxed);
    if (worker != nullptr) worker->end_blocking();
    if (!in_time) return try_pop();
  }
  return std::nullopt;
}

}  // namespace tandem::detail
