#include "tbb_pool/tbb_crew.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace tandem::detail {

tbb_crew::tbb_crew(tbb_pool_state& pool, int workers) {
  for (int i = 0; i < workers + most_spares; ++i) all_.emplace_back(pool, i, i >= workers);
  idle_.reserve(static_cast<std::size_t>(workers));
  idle_spares_.reserve(most_spares);
  for (auto worker = all_.rbegin(); worker != all_.rend(); ++worker) bench_of(*worker).push_back(&*worker);
  publish();
}

tbb_worker* tbb_crew::take_idle() noexcept {
  tbb_worker* worker = nullptr;
  if (!idle_.empty()) {
    worker = idle_.back();
    idle_.pop_back();
  } else if (!idle_spares_.empty() && spares_at_work_ < blocked_) {
    worker = idle_spares_.back();
    idle_spares_.pop_back();
    ++spares_at_work_;
  }
  publish();
  return worker;
}

void tbb_crew::rest(tbb_worker& worker) noexcept {
  bench_of(worker).push_back(&worker);  // there is room: it was reserved
  if (worker.is_spare()) --spares_at_work_;
  publish();
}

void tbb_crew::unrest(tbb_worker& worker) noexcept {
  bench_of(worker).pop_back();
  if (worker.is_spare()) ++spares_at_work_;
  publish();
}

void tbb_crew::retire(const tbb_worker& worker) noexcept {
  if (worker.is_spare()) --spares_at_work_;
  publish();
}

tbb_worker* tbb_crew::take_parked() noexcept {
  for (auto* bench : {&idle_, &idle_spares_}) {
    const auto found = std::find_if(bench->rbegin(), bench->rend(),
                                    [](const tbb_worker* worker) { return worker->is_parked; });
    if (found == bench->rend()) continue;
    tbb_worker* worker = *found;
    bench->erase(std::next(found).base());
    if (worker->is_spare()) ++spares_at_work_;
    publish();
    return worker;
  }
  return nullptr;
}

void tbb_crew::count_blocked(int change) noexcept {
  blocked_ += change;
  publish();
}

// ORDER call-rest: seq_cst; whoever has raised it looks at the queue afterwards.
void tbb_crew::publish() noexcept {
  const int spares = std::min(static_cast<int>(idle_spares_.size()), blocked_ - spares_at_work_);
  callable_.store(static_cast<int>(idle_.size()) + std::max(0, spares), std::memory_order_seq_cst);
}

}  // namespace tandem::detail
