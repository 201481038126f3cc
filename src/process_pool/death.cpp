// Words for a worker's death.
#include "process_pool/death.hpp"

#include "posix/signals.hpp"

#include "process_pool/crash_stack.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

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

worker_phase to_worker_phase(detail::remote_phase phase) {
  switch (phase) {
    case detail::remote_phase::decode_arguments:
      return worker_phase::decoding_arguments;
    case detail::remote_phase::run:
      return worker_phase::running;
    case detail::remote_phase::encode_result:
      break;
  }
  return worker_phase::encoding_result;
}

worker_phase to_worker_phase(life at) {
  switch (at) {
    case life::starting:
    case life::initializing:
    case life::init_failed:
      return worker_phase::starting;
    case life::finalizing:
    case life::leaving:
      return worker_phase::leaving;
    case life::serving:
      break;
  }
  return worker_phase::idle;
}

const char* words(worker_phase phase) {
  switch (phase) {
    case worker_phase::decoding_arguments:
      return "decoding the arguments of";
    case worker_phase::encoding_result:
      return "encoding the result of";
    default:
      return "running";
  }
}

std::string cause_by(const report& death, const char* culprit) {
  if (death.text == with_the_server)
    return "was killed together with its fork server (somebody killed that, or the kernel was out of memory)";
  if (death.signal != 0)
    return "was killed by " + posix::signal_name(death.signal) + " (" + likely_cause(death.signal) + ")";
  return "ended with exit code " + std::to_string(death.exit_code) + " (" + culprit +
         " called exit(), _exit() or the like)";
}

std::string cause_known_here(const report& death, const last_moments& last) {
  if (last.out_of_memory) return "ended itself, having used up process_pool_options::memory_limit,";
  // A task that it was killed for has another error: this one has made a mess of what it shares with the pool.
  if (last.killed_by_pool && death.signal != 0)
    return "was killed by its pool (something has overwritten the memory that they share)";
  return cause_by(death, "the task");
}

std::string death_text(const report& death, const last_moments& last, const worker_death& facts) {
  std::string text = "tandem: " +
                     (death.pid != 0 ? "worker process " + std::to_string(death.pid)
                                     : std::string("a worker process that had just been started")) +
                     " " + cause_known_here(death, last) + " while " + words(facts.phase) +
                     (facts.task.empty() ? " a task" : " task \"" + facts.task + "\"");
  if (facts.attempt > 1) text += ", at attempt " + std::to_string(facts.attempt);
  if (facts.peak_memory != 0)
    text += "; its memory peaked at " + std::to_string(facts.peak_memory >> 20U) + " MiB";
  if (last.is_poison) {
    text += ". The task has killed " + std::to_string(facts.attempt) +
            " workers in a row, as many as process_pool_options::max_deaths_per_task allows, and is not "
            "tried again";
  }
  text += ". Only this task is lost";
  if (!facts.stack.empty()) text += ". The calls that led to it:";
  for (const std::string& line : facts.stack) text += "\n  " + line;
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

std::string cause_of_early(const report& death) { return cause_by(death, "the initializer"); }

last_moments last_moments_of(remote_worker& worker) noexcept {
  last_moments last;
  last.phase = to_worker_phase(worker.life());
  if (worker.in_ring() != 0 && state_of(worker.slot_behind_front(0)) == slot_state::taken)
    last.phase = to_worker_phase(worker.slot_behind_front(0).phase);
  last.killed_by_pool = worker.killing.decided();
  last.out_of_memory = worker.header().out_of_memory.load(std::memory_order_relaxed) != 0;
  last.told_to_leave = worker.retiring && !last.killed_by_pool;
  return last;
}

bool is_unexpected(const report& death, const last_moments& last, life at) noexcept {
  if (death.what != report::kind::died || at == life::init_failed) return false;
  const bool in_good_order = death.signal == 0 && death.exit_code == 0 && last.phase == worker_phase::leaving;
  return !(last.told_to_leave && in_good_order);
}

worker_death describe(const report& death, const last_moments& last, const posix::crash_record& crash) {
  worker_death facts;
  facts.pid = death.pid;
  facts.signal = death.signal;
  facts.exit_code = death.exit_code;
  facts.phase = last.phase;
  if (last.task && last.task->options() != nullptr) facts.task = last.task->options()->name;
  facts.attempt = last.attempt;
  facts.killed_by_pool = last.killed_by_pool;
  facts.peak_memory = death.peak_rss;
  try {
    facts.stack = crash_stack(crash, death.signal);
  } catch (const std::exception&) {
    // This process cannot read its own files any more (chroot), or has no memory: the rest is told.
  }
  return facts;
}

std::exception_ptr make_death_error(const report& death, const last_moments& last, worker_death facts) {
  const std::string text = death_text(death, last, facts);
  return std::make_exception_ptr(worker_died_error(text, std::move(facts)));
}

std::exception_ptr make_timeout_error(const task_options& task, int pid) noexcept {
  try {
    throw timeout_error(timeout_text(task, pid));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace tandem::process
