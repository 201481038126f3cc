// Words for a worker's death.
#include "process_pool/death.hpp"

#include "posix/signals.hpp"

#include <tandem/error.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

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

std::string death_text(const report& death, const last_task& last) {
  const task_options* options = last.task->options();
  std::string text =
      "tandem: " +
      (death.pid != 0 ? "worker process " + std::to_string(death.pid)
                      : std::string("a worker process that had just been started")) +
      " " + cause_of(death) + " while " + words(last.phase) +
      (options == nullptr || options->name.empty() ? " a task" : " task \"" + options->name + "\"");
  if (last.task->attempt() > 1) text += ", at attempt " + std::to_string(last.task->attempt());
  if (death.peak_rss != 0) text += "; its memory peaked at " + std::to_string(death.peak_rss >> 20U) + " MiB";
  text += ". Only this task is lost; the worker is replaced";
  return text;
}

std::string timeout_text(const task_options& task, int pid) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g", std::chrono::duration<double>(task.timeout.value()).count());
  const std::string name = task.name.empty() ? "" : " \"" + task.name + "\"";
  return "tandem: task" + name + " took longer than its timeout of " + seconds + " s; its worker process " +
         std::to_string(pid) + " is killed";
}

}  // namespace

std::string cause_of(const report& death) {
  if (death.text == with_the_server)
    return "was killed together with its fork server (somebody killed that, or the kernel was out of memory)";
  if (death.signal != 0)
    return "was killed by " + posix::signal_name(death.signal) + " (" + likely_cause(death.signal) + ")";
  return "ended with exit code " + std::to_string(death.exit_code) +
         " (the task called exit(), _exit() or the like)";
}

std::exception_ptr make_death_error(const report& death, const last_task& last) noexcept {
  try {
    throw worker_died_error(death_text(death, last), death.pid, death.signal, death.exit_code);
  } catch (...) {
    return std::current_exception();
  }
}

std::exception_ptr make_timeout_error(const task_options& task, int pid) noexcept {
  try {
    throw timeout_error(timeout_text(task, pid));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace tandem::process
