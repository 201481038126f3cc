// A program with a busy process pool, to be killed by a test: prints the ids of its fork server and workers, and with
// the argument "child" that of a child that it forks and that lives on. With "spawn" its workers are spawned; with "handles" it
// ends its pool when it is interrupted.
#include <tandem/process_pool.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <sched.h>
#include <unistd.h>

void wait_for_ever() {
  for (;;) pause();
}

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  if (what == "handles") pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
  tandem::process_pool pool(
      {.max_workers = 2,
       .start = what == "spawn" ? tandem::start_method::spawn : tandem::start_method::fork_server});
  pool.post(wait_for_ever);
  pool.post(wait_for_ever);
  int server = 0;
  for (;;) {
    const auto stats = pool.stats();
    if (stats.running == 2 && stats.per_worker.size() == 2 && stats.per_worker[0].pid > 0 &&
        stats.per_worker[1].pid > 0) {
      std::ifstream stat("/proc/" + std::to_string(stats.per_worker[0].pid) + "/stat");
      std::string skip;
      stat >> skip >> skip >> skip >> server;
      std::printf("%d %d %d", server, stats.per_worker[0].pid, stats.per_worker[1].pid);
      std::fflush(stdout);
      if (what == "child") {
        const pid_t child = fork();
        if (child == 0) {
          for (;;) pause();
        }
        std::printf(" %d", child);
      }
      std::puts("");
      std::fflush(stdout);
      break;
    }
    sched_yield();
  }
  if (what == "handles") {
    int signal = 0;
    sigwait(&interrupts, &signal);
    pool.terminate();
    std::puts("interrupted");
    return 130;
  }
  for (;;) pause();
}
