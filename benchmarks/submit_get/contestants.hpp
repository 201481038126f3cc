// The contestants of submit_get: each submits `tasks` empty tasks from this thread to two workers and collects their
// futures, in windows of `window`, and returns nanoseconds per task. Pools are made and warmed up before the clock runs.
#ifndef TANDEM_SUBMIT_GET_CONTESTANTS_HPP
#define TANDEM_SUBMIT_GET_CONTESTANTS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace submit_get {

double run_tandem(std::size_t tasks, std::size_t window);
double run_onetbb(std::size_t tasks, std::size_t window);
double run_asio(std::size_t tasks, std::size_t window);
double run_std_async(std::size_t tasks, std::size_t window);

/// The part that is the same for all. `submit()` submits one empty task and returns its future.
template <class Submit>
double measure(std::size_t tasks, std::size_t window, Submit submit) {
  using future = decltype(submit());
  const auto run = [&](std::size_t count, std::vector<future>& futures) {
    futures.clear();
    for (std::size_t i = 0; i < count; ++i) futures.push_back(submit());
    for (auto& f : futures) f.get();
  };
  std::vector<future> futures;
  futures.reserve(window);
  run(std::min<std::size_t>(tasks, 1000), futures);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < tasks; done += window) run(std::min(window, tasks - done), futures);
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  return time.count() / static_cast<double>(tasks);
}

}  // namespace submit_get

#endif
