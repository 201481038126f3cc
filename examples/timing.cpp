// Tasks and time: a limit, a delay, a repetition.
#include <tandem/tandem.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int slow_answer() {
  while (!tandem::this_task::stop_requested()) std::this_thread::sleep_for(1ms);
  return 42;
}

int main() {
  tandem::thread_pool pool({.max_workers = 2});

  auto late = pool.submit({.name = "answer", .timeout = 20ms}, slow_answer);
  try {
    late.get();
  } catch (const tandem::timeout_error&) {
    std::cout << "no answer in time\n";
  }

  auto soon = pool.submit_after(20ms, [] { std::cout << "20 ms later\n"; });
  auto never = pool.submit_at(std::chrono::system_clock::now() + 24h, [] { std::cout << "tomorrow\n"; });
  soon.get();
  never.cancel();

  std::atomic<int> beats{0};
  auto heart = pool.submit_every(5ms, [&] {
    ++beats;
    beats.notify_one();
  });
  for (int seen = 0; seen < 3; seen = beats) beats.wait(seen);
  heart.cancel();
  std::cout << "three beats and no more: " << (heart.cancelled() ? "cancelled" : "?") << '\n';
}
