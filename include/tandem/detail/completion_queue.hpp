// Tells which of many cores are done, in the order in which they became so: what wait, as_completed and
// imap_unordered stand on. One consumer; O(1) per completion; the cores may outlive the queue and it them.
#ifndef TANDEM_DETAIL_COMPLETION_QUEUE_HPP
#define TANDEM_DETAIL_COMPLETION_QUEUE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tandem::detail {

/// What pop() does on a worker before it blocks.
enum class helping : std::uint8_t {
  freely,   // runs watched tasks that have not started: all of them are needed
  if_stuck  // only if nobody else could run them while this worker is blocked: one of them may be enough
};

class TANDEM_API completion_queue {
 public:
  completion_queue();
  completion_queue(completion_queue&& other) noexcept;
  completion_queue& operator=(completion_queue&& other) noexcept;
  /// Forgets what has not completed: no callback of ours stays behind in a core.
  ~completion_queue();

  /// Watches `task` under the number `tag`. If it is done already, it completes now.
  void watch(core& task, std::size_t tag);

  /// The tag of the next completed task, waiting for it until `deadline`; nothing if the time is over, or if
  /// nothing is watched any more. Without a deadline it may help with watched tasks of its worker's own pool.
  [[nodiscard]] std::optional<std::size_t> pop(std::optional<time_point> deadline, helping how);

  /// The next completed task, without waiting.
  [[nodiscard]] std::optional<std::size_t> try_pop();

  /// How many are watched and have not been popped.
  [[nodiscard]] std::size_t size() const noexcept { return outstanding_; }

 private:
  class node;
  struct shared;
  struct slot {
    core_ptr<core> watched;  // null: free
    node* registered = nullptr;
  };

  bool help(helping how);
  void collect();

  shared* shared_;                       // also held by each node that a core has
  node* ready_ = nullptr;                // completed, oldest first
  std::vector<slot> slots_;              // to help with, and to detach from
  std::vector<std::size_t> free_slots_;  // indices into slots_: memory follows what is watched at one time
  std::size_t help_from_ = 0;            // slots below have been offered to this worker
  std::size_t outstanding_ = 0;
};

}  // namespace tandem::detail

#endif
