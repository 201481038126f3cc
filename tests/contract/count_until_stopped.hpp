// A task that runs until it is asked to stop, and tells of its beginning and its end.
#ifndef TANDEM_TESTS_CONTRACT_COUNT_UNTIL_STOPPED_HPP
#define TANDEM_TESTS_CONTRACT_COUNT_UNTIL_STOPPED_HPP

#include <tandem/this_task.hpp>

#include <string>

#include <sched.h>

#include "contract/tasks.hpp"

namespace tandem::contract {

/// Counts one when it begins and one when it has been asked to stop.
inline int count_until_stopped(std::string arrivals) {
  shared_counter(arrivals).add();
  while (!this_task::stop_requested()) sched_yield();
  shared_counter(arrivals).add();
  return 1;
}

}  // namespace tandem::contract

#endif
