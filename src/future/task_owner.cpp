#include "future/task_owner.hpp"

#include "posix/per_process.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace tandem::detail {

namespace {

struct registry {
  std::mutex mutex;  // guards owners
  std::unordered_map<const void*, std::weak_ptr<task_owner>> owners;
};

constinit posix::per_process<registry> live;

}  // namespace

void add_task_owner(const void* key, std::weak_ptr<task_owner> owner) {
  registry& all = live.get();
  const std::lock_guard held(all.mutex);
  all.owners.insert_or_assign(key, std::move(owner));
}

void remove_task_owner(const void* key) noexcept {
  registry* all = live.existing();
  if (all == nullptr) return;
  const std::lock_guard held(all->mutex);
  all->owners.erase(key);
}

std::shared_ptr<task_owner> find_task_owner(const void* key) noexcept {
  registry* all = key == nullptr ? nullptr : live.existing();
  if (all == nullptr) return nullptr;
  const std::lock_guard held(all->mutex);
  const auto found = all->owners.find(key);
  return found == all->owners.end() ? nullptr : found->second.lock();
}

}  // namespace tandem::detail
