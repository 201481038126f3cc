#include "tbb_pool/worker_limit.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>

namespace tandem::detail {

namespace {

struct registry {
  std::mutex mutex;  // guards what follows
  int workers = 0;   // of all pools that live
  int highest = 0;   // that this has been
  std::unique_ptr<tbb::global_control> control;
};

// Never destroyed: pools may be destroyed at any time of the process's end.
registry& all() {
  static registry& r = *new registry;
  return r;
}

}  // namespace

worker_limit::worker_limit(int workers) : workers_(workers) {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  if (r.workers + workers > r.highest) {
    // oneTBB takes the lowest of all controls that live: the new one comes before the old one goes, so that the limit
    // does not fall in between. What oneTBB had by default stays for the rest of the program.
    // At least two: on a single CPU, too, oneTBB has a thread for what is enqueued, beside the one that enqueues it.
    const int by_default = std::max(2, tbb::info::default_concurrency());
    auto control =
        std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                              static_cast<std::size_t>(by_default + r.workers + workers));
    r.control = std::move(control);
    r.highest = r.workers + workers;
  }
  r.workers += workers;
}

worker_limit::~worker_limit() {
  registry& r = all();
  const std::lock_guard lock(r.mutex);
  r.workers -= workers_;
}

}  // namespace tandem::detail
