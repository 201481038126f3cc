// A program that ends while pools live, in the ways that exit_test.cpp asks for: `exit_program BACKEND CASE`. What it
// prints is compared, so all of it must have been flushed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <tandem/tandem.hpp>

#include "contract/tasks.hpp"

namespace {
bool is_forked_child = false;
}

#ifdef __SANITIZE_ADDRESS__
// Asked by LeakSanitizer when the program ends. It cannot look at a child of a process with threads: it waits for them.
extern "C" int __lsan_is_turned_off() {
  return is_forked_child ? 1 : 0;
}  // NOLINT(bugprone-reserved-identifier)
#endif

namespace {

std::unique_ptr<tandem::executor> make(std::string_view backend) {
  if (backend == "inline_executor") return std::make_unique<tandem::inline_executor>();
  if (backend == "thread_pool")
    return std::make_unique<tandem::thread_pool>(tandem::thread_pool_options{.max_workers = 2});
  if (backend == "tbb_pool")
    return std::make_unique<tandem::tbb_pool>(tandem::tbb_pool_options{.max_workers = 2});
  return std::make_unique<tandem::process_pool>(tandem::process_pool_options{.max_workers = 2});
}

int say(std::string text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  return 1;
}

// The task that still runs when main returns: it ends when the gate opens, which exit handlers do.
int pass_and_say(std::string gate, std::string text) {
  tandem::contract::pass(gate);
  return say(text);
}

std::string gate_path;
void open_gate() { tandem::test::shared_counter(gate_path).add(); }

// Destroyed by exit(), after main has returned.
std::unique_ptr<tandem::executor>& static_pool() {
  static std::unique_ptr<tandem::executor> pool;
  return pool;
}

void submit_from_exit_handler() {
  try {
    say("handler: " + std::to_string(static_pool()->submit(tandem::contract::add_one, 41).get()));
  } catch (const tandem::error& e) {
    say(std::string("handler: ") + e.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  if (argc < 4) return 2;
  const std::string_view backend = argv[1];
  const std::string_view what = argv[2];
  gate_path = argv[3];
  if (what == "static_pool_with_running_task") {
    // Exit handlers and destructors of statics run in reverse: the gate opens, then the pool goes.
    static_pool() = make(backend);
    if (backend != "inline_executor") {
      std::atexit(open_gate);
    } else {
      open_gate();
    }
    (void)static_pool()->submit(pass_and_say, gate_path, std::string("task ends"));
    (void)static_pool()->submit(say, std::string("second task ends"));
  } else if (what == "submit_in_exit_handler") {
    static_pool() = make(backend);
    (void)static_pool()->submit(tandem::contract::add_one, 1).get();
    std::atexit(submit_from_exit_handler);
  } else if (what == "submit_in_exit_handler_after_shutdown") {
    static_pool() = make(backend);
    static_pool()->shutdown();
    std::atexit(submit_from_exit_handler);
  } else if (what == "leaked_pool") {
    // Nobody destroys it: its workers must not keep the process, or crash it.
    static tandem::executor* const pool = make(backend).release();  // static: reachable, so no leak
    (void)pool->submit(tandem::contract::add_one, 1).get();
    if (backend != "inline_executor") (void)pool->submit(tandem::contract::pass, gate_path);
  } else if (what == "quick_exit") {
    static_pool() = make(backend);
    (void)static_pool()->submit(tandem::contract::add_one, 1).get();
    if (backend != "inline_executor") (void)static_pool()->submit(tandem::contract::pass, gate_path);
    say("main ends");
    std::_Exit(0);
  } else if (what == "forked_child_exits") {
    // The child's exit() destroys its copy of the pool, which runs a task in the parent meanwhile.
    static_pool() = make(backend);
    if (backend != "inline_executor")
      (void)static_pool()->submit(pass_and_say, gate_path, std::string("task ends"));
    const pid_t child = fork();
    if (child == 0) {
      is_forked_child = true;
      std::exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    say("child: " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    open_gate();
  } else if (what == "exit_in_task" || what == "quick_exit_in_task") {
    static_pool() = make(backend);
    auto ended = what == "exit_in_task" ? static_pool()->submit([] { std::exit(4); })
                                        : static_pool()->submit([] { std::quick_exit(4); });
    try {
      ended.get();  // for ever, if this is the process that ends
    } catch (const tandem::worker_died_error& e) {
      say("worker: " + std::to_string(e.exit_code()));
      return 4;
    }
  } else if (what == "delayed_tasks") {
    static_pool() = make(backend);
    (void)static_pool()->submit_after(std::chrono::hours(1), tandem::contract::add_one, 1);
    (void)static_pool()->submit_every(std::chrono::microseconds(50), tandem::contract::nothing);
  } else if (what == "static_futures") {
    static std::vector<tandem::future<int>> destroyed_last;
    (void)static_pool();
    static std::vector<tandem::future<int>> destroyed_first;
    static_pool() = make(backend);
    for (auto* all : {&destroyed_last, &destroyed_first}) {
      all->push_back(static_pool()->submit(tandem::contract::add_one, 1));
      all->push_back(static_pool()->submit_after(std::chrono::hours(1), tandem::contract::add_one, 1));
      all->push_back(static_pool()
                         ->submit(tandem::contract::add_one, 1)
                         .then(*static_pool(), tandem::contract::add_one));
    }
  } else {
    return 2;
  }
  say("main ends");
  return 0;
}
