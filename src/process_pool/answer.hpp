// What an answered slot means. Reads it into its task; believes nothing that the worker wrote, and reads it once.
#ifndef TANDEM_PROCESS_POOL_ANSWER_HPP
#define TANDEM_PROCESS_POOL_ANSWER_HPP

#include "process_pool/remote_worker.hpp"

#include <cstddef>
#include <exception>

namespace tandem::process {

struct answer_read {
  std::exception_ptr error;  // the task's, or of reading its answer; null: the task holds its value
  std::size_t bytes = 0;
  double nanoseconds = 0;  // that the worker took; 0: it ran nothing
};

/// Takes the answer from a slot that is done; a null `task` was resolved otherwise, and its answer is dropped. Not
/// under the mutex: decoding is the user's code.
[[nodiscard]] answer_read read_answer(remote_worker& worker, std::size_t behind_front,
                                      detail::core* task) noexcept;

}  // namespace tandem::process

#endif
