// What is told of a worker's death: the text and the type of the error. Owns no policy.
#ifndef TANDEM_PROCESS_POOL_DEATH_HPP
#define TANDEM_PROCESS_POOL_DEATH_HPP

#include "process_pool/protocol.hpp"

#include <tandem/detail/function_name.hpp>
#include <tandem/task_options.hpp>

#include <exception>
#include <string>

namespace tandem::process {

/// What the worker was about when it died.
struct last_task {
  std::string name;  // empty: unnamed
  int attempt = 1;
  detail::remote_phase phase = detail::remote_phase::run;
};

/// "SIGSEGV: ..." or "exit code 3: ...", with the likely cause.
[[nodiscard]] std::string cause_of(const report& death);

/// The worker_died_error for the task that died with its worker.
[[nodiscard]] std::exception_ptr make_death_error(const report& death, const last_task& task);

/// The timeout_error for the task that its worker `pid` is killed for.
[[nodiscard]] std::exception_ptr make_timeout_error(const task_options& task, int pid);

}  // namespace tandem::process

#endif
