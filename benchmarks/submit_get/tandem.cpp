#include <tandem/thread_pool.hpp>

#include "submit_get/contestants.hpp"

namespace submit_get {

double run_tandem(std::size_t tasks, std::size_t window) {
  tandem::thread_pool pool({.max_workers = 2});
  return measure(tasks, window, [&] { return pool.submit([] {}); });
}

}  // namespace submit_get
