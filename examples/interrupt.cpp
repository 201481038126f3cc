// Ctrl-C: one message, nothing half done is waited for, and the program ends at once - with all of its workers. They do not
// get the signal themselves: they belong to no terminal, and say nothing.
#include <tandem/tandem.hpp>

#include <csignal>
#include <iostream>
#include <stop_token>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

// The last ones take longer than anybody waits.
int crunch(int n) {
  if (n > 3) ::pause();
  return n * n;
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);

  // Before there is any thread: all of them leave the signal to the one that waits for it.
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);

  tandem::process_pool pool({.max_workers = 2});
  std::jthread watcher([&](const std::stop_token& over) {
    // At the end, it need not wait any longer.
    const std::stop_callback wake(over, [me = pthread_self()] { pthread_kill(me, SIGINT); });
    int signal = 0;
    sigwait(&interrupts, &signal);
    if (!over.stop_requested()) pool.terminate();
  });

  std::vector<tandem::future<int>> results;
  for (int n = 1; n <= 100; ++n) results.push_back(pool.submit(crunch, n));
  int done = 0;
  try {
    for (auto& result : results) {
      std::cout << result.get() << '\n';
      if (++done == 3) kill(getpid(), SIGINT);  // somebody has had enough
    }
  } catch (const tandem::cancelled_error&) {
    std::cout << "interrupted: " << done << " of " << results.size() << " done\n";
    return 0;  // a program of your own would say 130, as a shell does
  }
}
