// What a pool must do however its workers come into being: meet their conditions, take shared buffers, and end by force.
#ifndef TANDEM_TESTS_FAULTS_START_SCENE_HPP
#define TANDEM_TESTS_FAULTS_START_SCENE_HPP

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/shared_buffer.hpp>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <string>

#include <unistd.h>

namespace tandem::test {

/// What play() returns.
inline constexpr char scene_went_well[] = "green, no HOME, in /; 4999950000; cancelled; gone";

inline std::string look_around() {
  const char* colour = std::getenv("TANDEM_TEST_COLOUR");
  return std::string(colour == nullptr ? "no colour" : colour) +
         (std::getenv("HOME") == nullptr ? ", no HOME" : ", HOME") + ", in " +
         std::filesystem::current_path().string();
}

inline long sum_of(shared_buffer<int> numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0L); }

inline int own_pid() { return static_cast<int>(getpid()); }

inline int stay() {
  for (;;) pause();
}

/// The pool must be the first in a process that forks it.
inline std::string play(start_method start) {
  process_pool pool({.max_workers = 1,
                     .start = start,
                     .environment = {{"TANDEM_TEST_COLOUR", "green"}, {"HOME", std::nullopt}},
                     .working_directory = "/"});
  std::string text = pool.submit(look_around).get();
  const shared_buffer<int> numbers(100'000, [](std::span<int> to) { std::iota(to.begin(), to.end(), 0); });
  text += "; " + std::to_string(pool.submit(sum_of, numbers).get());
  const int worker = pool.submit(own_pid).get();
  auto endless = pool.submit(stay);
  pool.terminate();
  try {
    endless.get();
    text += "; done";
  } catch (const cancelled_error&) {
    text += "; cancelled";
  }
  return text + (kill(worker, 0) == 0 ? "; there" : "; gone");
}

}  // namespace tandem::test

#endif
