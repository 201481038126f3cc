#include "codec/function_table.hpp"

#include <algorithm>
#include <iterator>

namespace tandem::detail {

namespace {

bool same_content(const posix::loaded_module& a, const posix::loaded_module& b) {
  return a.kind != posix::identity_kind::none && a.kind == b.kind && a.identity == b.identity;
}

bool same_place(const posix::loaded_module& a, const posix::loaded_module& b) {
  return a.base == b.base && a.path == b.path && a.kind == b.kind && a.identity == b.identity;
}

}  // namespace

module_table& module_table::here() {
  static auto* const instance = new module_table;
  return *instance;
}

module_table::place module_table::find_known(std::uintptr_t address) const {
  const auto behind =
      std::upper_bound(code_.begin(), code_.end(), address,
                       [](std::uintptr_t a, const code_range& range) { return a < range.begin; });
  if (behind == code_.begin()) return {};
  const code_range& range = *std::prev(behind);
  if (address >= range.end) return {};
  return {&modules_[range.index], range.index};
}

void module_table::change_addresses() noexcept {
  code_.clear();
  generation_.fetch_add(1, std::memory_order_release);
}

void module_table::scan() {
  change_addresses();
  for (posix::loaded_module& found : posix::loaded_modules()) {
    const auto known = std::find_if(modules_.begin(), modules_.end(),
                                    [&found](const auto& module) { return same_place(module, found); });
    const auto index = static_cast<std::uint32_t>(std::distance(modules_.begin(), known));
    for (const auto& range : found.ranges) {
      if (range.executable) code_.push_back({range.begin, range.end, index});
    }
    if (known == modules_.end()) modules_.push_back(std::move(found));
  }
  std::sort(code_.begin(), code_.end(),
            [](const code_range& a, const code_range& b) { return a.begin < b.begin; });
}

module_table::place module_table::find_code(std::uintptr_t address) {
  {
    const std::shared_lock lock(mutex_);
    if (const place found = find_known(address); found.module != nullptr) return found;
  }
  const std::lock_guard lock(mutex_);
  scan();
  return find_known(address);
}

const posix::loaded_module* module_table::find_same(const posix::loaded_module& wanted) {
  const auto search = [&]() -> const posix::loaded_module* {
    const posix::loaded_module* found = nullptr;
    for (const code_range& range : code_) {
      const auto& module = modules_[range.index];
      if (!same_content(module, wanted)) continue;
      // The same library can be loaded twice, under two names.
      if (found == nullptr || module.path == wanted.path) found = &module;
    }
    return found;
  };
  {
    const std::shared_lock lock(mutex_);
    if (const auto* found = search()) return found;
  }
  const std::lock_guard lock(mutex_);
  scan();
  return search();
}

const posix::loaded_module* module_table::at(std::uint32_t index) const {
  const std::shared_lock lock(mutex_);
  return index < modules_.size() ? &modules_[index] : nullptr;
}

std::vector<posix::loaded_module> module_table::all() {
  const std::lock_guard lock(mutex_);
  scan();
  return {modules_.begin(), modules_.end()};
}

std::size_t module_table::size() {
  const std::lock_guard lock(mutex_);
  if (modules_.empty()) scan();
  return modules_.size();
}

void module_table::forget_addresses() noexcept {
  const std::lock_guard lock(mutex_);
  change_addresses();
}

}  // namespace tandem::detail
