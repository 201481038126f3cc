// The table of a worker_local's values: oneTBB's enumerable_thread_specific, in which each thread finds a place of its
// own without waiting for others. README.md says why not by a key of the system's, and why a number is added.
#include <tandem/detail/local_values.hpp>

#include <oneapi/tbb/enumerable_thread_specific.h>

#include <atomic>

namespace tandem::detail {

namespace {

// A number that no other thread of this process has ever had.
std::uint64_t thread_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  thread_local constinit std::uint64_t mine = 0;
  if (mine == 0) mine = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return mine;
}

}  // namespace

struct local_values::table {
  tbb::enumerable_thread_specific<std::unique_ptr<local_value>> places;
};

local_values::local_values() : table_(std::make_unique<table>()) {}
local_values::~local_values() { clear(); }

local_value* local_values::find() {
  local_value* mine = table_->places.local().get();
  return mine != nullptr && mine->thread_ == thread_number() ? mine : nullptr;
}

local_value& local_values::add(std::unique_ptr<local_value> value) {
  std::unique_ptr<local_value>& place = table_->places.local();
  value->thread_ = thread_number();
  value->next_ = std::move(place);
  place = std::move(value);
  return *place;
}

std::size_t local_values::size() const {
  std::size_t count = 0;
  for (const auto& place : table_->places) {
    for (const local_value* v = place.get(); v != nullptr; v = v->next_.get()) ++count;
  }
  return count;
}

void local_values::for_each(void (*call)(local_value&, void*), void* argument) {
  for (const auto& place : table_->places) {
    for (local_value* v = place.get(); v != nullptr; v = v->next_.get()) call(*v, argument);
  }
}

void local_values::clear() noexcept {
  // One after the other: a chain's destructors must not nest.
  for (auto& place : table_->places) {
    while (place != nullptr) place = std::move(place->next_);
  }
  table_->places.clear();
}

}  // namespace tandem::detail
