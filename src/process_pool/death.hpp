// What is told of a worker's death: the text and the type of the error. Owns no policy.
#ifndef TANDEM_PROCESS_POOL_DEATH_HPP
#define TANDEM_PROCESS_POOL_DEATH_HPP

#include "process_pool/protocol.hpp"

#include <tandem/detail/core.hpp>
#include <tandem/detail/function_name.hpp>
#include <tandem/task_options.hpp>

#include <exception>
#include <string>

namespace tandem::process {

/// What the worker was about when it died.
struct last_task {
  const detail::core* task = nullptr;
  detail::remote_phase phase = detail::remote_phase::run;
};

/// report::text of a worker that went down with its server: short enough to need no memory.
inline constexpr char with_the_server[] = "fork server";

/// "was killed by SIGSEGV (...)" or "ended with exit code 3 (...)", with the likely cause.
[[nodiscard]] std::string cause_of(const report& death);

/// The worker_died_error for the task that died with its worker; bad_alloc if there is no memory for it.
[[nodiscard]] std::exception_ptr make_death_error(const report& death, const last_task& last) noexcept;

/// The timeout_error for the task that its worker `pid` is killed for; likewise.
[[nodiscard]] std::exception_ptr make_timeout_error(const task_options& task, int pid) noexcept;

}  // namespace tandem::process

#endif
