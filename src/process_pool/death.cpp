// Words for a worker's death.
#include "process_pool/death.hpp"

#include "posix/signals.hpp"

#include <tandem/error.hpp>

#include <chrono>
#include <csignal>

namespace tandem::process {

namespace {

const char* likely_cause(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
      return "an invalid memory access, or a stack overflow";
    case SIGABRT:
      return "abort(): a failed assertion, or an exception that nobody caught";
    case SIGKILL:
      return "the kernel was out of memory, or somebody sent it";
    case SIGTERM:
      return "somebody sent it";
    case SIGFPE:
      return "an integer division by zero or overflow";
    case SIGILL:
      return "an instruction this CPU does not have, or a compiler trap";
    case SIGXCPU:
      return "a CPU time limit";
    case SIGPIPE:
      return "a write to a pipe or socket that nobody reads";
    default:
      return "see signal(7)";
  }
}

const char* words(detail::remote_phase phase) {
  switch (phase) {
    case detail::remote_phase::decode_arguments:
      return "decoding the arguments of";
    case detail::remote_phase::run:
      return "running";
    case detail::remote_phase::encode_result:
      break;
  }
  return "encoding the result of";
}

}  // namespace

std::string cause_of(const report& death) {
  if (death.signal != 0)
    return "was killed by " + posix::signal_name(death.signal) + " (" + likely_cause(death.signal) + ")";
  return "ended with exit code " + std::to_string(death.exit_code) +
         " (the task called exit(), _exit() or the like)";
}

std::exception_ptr make_death_error(const report& death, const last_task& task) {
  std::string text = "tandem: worker process " + std::to_string(death.pid) + " " + cause_of(death) +
                     " while " + words(task.phase) +
                     (task.name.empty() ? " a task" : " task \"" + task.name + "\"");
  if (task.attempt > 1) text += ", at attempt " + std::to_string(task.attempt);
  if (death.peak_rss != 0) text += "; its memory peaked at " + std::to_string(death.peak_rss >> 20U) + " MiB";
  text += ". Only this task is lost; the worker is replaced";
  return std::make_exception_ptr(worker_died_error(text, death.pid, death.signal, death.exit_code));
}

std::exception_ptr make_timeout_error(const task_options& task, int pid) {
  const double seconds = std::chrono::duration<double>(task.timeout.value()).count();
  const std::string name = task.name.empty() ? "" : " \"" + task.name + "\"";
  return std::make_exception_ptr(timeout_error("tandem: task" + name + " took longer than its timeout of " +
                                               std::to_string(seconds) + " s; its worker process " +
                                               std::to_string(pid) + " is killed"));
}

}  // namespace tandem::process
