// What is told of a worker's death: the facts, the text and the type of the error. Owns no policy.
#ifndef TANDEM_PROCESS_POOL_DEATH_HPP
#define TANDEM_PROCESS_POOL_DEATH_HPP

#include "posix/crash.hpp"

#include "process_pool/protocol.hpp"
#include "process_pool/remote_worker.hpp"

#include <tandem/detail/core.hpp>
#include <tandem/error.hpp>
#include <tandem/task_options.hpp>

#include <exception>
#include <string>

namespace tandem::process {

/// What the worker was about when it died. Noted under the pool's mutex, while its ring is there.
struct last_moments {
  worker_phase phase = worker_phase::idle;
  detail::core_ptr<detail::core> task;  // what it had begun; null if nobody waits for that
  int attempt = 0;                      // at that task
  bool told_to_leave = false;
  bool killed_by_pool = false;
  bool out_of_memory = false;  // when_out_of_memory::kill
  bool is_poison = false;      // max_deaths_per_task, not retries, is why the task is not tried again
};
/// Not yet: which task, and why it is not tried again.
[[nodiscard]] last_moments last_moments_of(remote_worker& worker) noexcept;

/// report::text of a worker that went down with its server: short enough to need no memory.
inline constexpr char with_the_server[] = "fork server";

/// "was killed by SIGSEGV (...)" or "ended with exit code 3 (...)", with the likely cause, of a worker that has run no task.
[[nodiscard]] std::string cause_of_early(const report& death);
/// In place of that, for one that was killed for being late.
inline constexpr char too_late[] = "took longer than process_pool_options::start_timeout to serve";

/// It ended, was not told to, and its initializer did not throw: that has its own error.
[[nodiscard]] bool is_unexpected(const report& death, const last_moments& last, life at) noexcept;

/// All that is known of it. Throws std::bad_alloc.
[[nodiscard]] worker_death describe(const report& death, const last_moments& last,
                                    const posix::crash_record& crash);

/// The worker_died_error for the task that died with its worker. Throws std::bad_alloc.
[[nodiscard]] std::exception_ptr make_death_error(const report& death, const last_moments& last,
                                                  worker_death facts);

/// The timeout_error for the task that its worker `pid` is killed for; bad_alloc if there is no memory for it.
[[nodiscard]] std::exception_ptr make_timeout_error(const task_options& task, int pid) noexcept;

}  // namespace tandem::process

#endif
