// Reading what a worker has answered.
#include "process_pool/answer.hpp"

#include <tandem/codec.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/error.hpp>

#include <atomic>
#include <string>

namespace tandem::process {

namespace {

[[noreturn]] void throw_overwritten(const remote_worker& worker) {
  throw decode_error("tandem: the answer of worker process " + std::to_string(worker.pid) +
                     " is none: a task has overwritten memory of the worker");
}

void decode(remote_worker& worker, std::size_t behind_front, answer what, detail::core* task,
            answer_read& result) {
  slab_receiver::memory large;
  const std::span<const std::byte> bytes = worker.response(behind_front, large);
  result.bytes = bytes.size();
  if (task == nullptr) return;  // only to take what came with it
  reader in(bytes);
  answered_buffers buffers = worker.buffers_of(behind_front);
  in.set_memories(&buffers);
  switch (what) {
    case answer::value:
      task->remote()->decode(*task, in);
      return;
    case answer::exception:
      // Null is well-formed, but nobody can have thrown it.
      if ((result.error = decode_exception(in))) return;
      break;
    case answer::skipped:
      break;
  }
  throw_overwritten(worker);
}

}  // namespace

answer_read read_answer(remote_worker& worker, std::size_t behind_front, detail::core* task) noexcept {
  slot& s = worker.slot_behind_front(behind_front);
  const auto what =
      static_cast<answer>(std::atomic_ref<std::uint32_t>(s.answer).load(std::memory_order_relaxed));
  answer_read result;
  if (what == answer::skipped && task == nullptr) return result;
  try {
    result.nanoseconds = static_cast<double>(s.run_nanoseconds) + 1;
    decode(worker, behind_front, what, task, result);
  } catch (...) {
    result.error = std::current_exception();
  }
  return result;
}

}  // namespace tandem::process
