// Names of functions: given by the process that submits, understood by the one that runs.
#include <tandem/detail/codec_containers.hpp>
#include <tandem/detail/function_name.hpp>
#include <tandem/error.hpp>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/function_table.hpp"

namespace tandem::detail {

namespace {

std::string hex(std::uintptr_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), digits[value % 16]);
    value /= 16;
  } while (value != 0);
  return "0x" + text;
}

std::string quoted(const posix::loaded_module& module) {
  return (module.is_program ? "the program \"" : "the library \"") + module.path + "\"";
}

/// The thunks of all modules that are loaded.
class thunk_registry {
 public:
  // Never destroyed: libraries are unloaded after everything else.
  static thunk_registry& here() {
    static auto* const instance = new thunk_registry;
    return *instance;
  }

  void add(remote_thunk_fn thunk) {
    const std::lock_guard lock(mutex_);
    ++uses_[thunk];
  }
  void remove(remote_thunk_fn thunk) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = uses_.find(thunk);
    if (found != uses_.end() && --found->second == 0) uses_.erase(found);
    generation_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] bool contains(remote_thunk_fn thunk) const noexcept {
    // What this thread has found last: mostly it is the same thunk again.
    struct found {
      remote_thunk_fn thunk = nullptr;
      std::uint64_t generation = 0;
    };
    static thread_local constinit found last;
    // ORDER generation: before the look, so that what is found is at worst filed under an older one.
    const std::uint64_t generation = generation_.load(std::memory_order_acquire);
    if (last.thunk == thunk && last.generation == generation) return true;
    const std::shared_lock lock(mutex_);
    if (uses_.find(thunk) == uses_.end()) return false;
    last = {thunk, generation};
    return true;
  }

 private:
  std::atomic<std::uint64_t> generation_{1};  // counts removals; written under mutex_, read without
  mutable std::shared_mutex mutex_;           // guards uses_
  // Counted: a linker that folds identical functions gives two thunks one address.
  std::unordered_map<remote_thunk_fn, int> uses_;
};

const void* address_in(const posix::loaded_module& module, std::uint64_t offset) {
  const std::uintptr_t address = module.base + static_cast<std::uintptr_t>(offset);
  if (!module.contains_code(address)) {
    throw not_portable_error(
        "Another process named a function at offset " + hex(offset) + " of " + quoted(module) +
        ", where there is no code. The name was damaged on its way: please report this.");
  }
  return reinterpret_cast<const void*>(address);
}

/// Why the peer's module is not here.
std::string describe_missing(const posix::loaded_module& theirs) {
  for (const auto& ours : module_table::here().all()) {
    if (ours.path != theirs.path && !(ours.is_program && theirs.is_program)) continue;
    return "A function lies in " + quoted(theirs) + " with the build-id " + theirs.identity_text() +
           ", but this process has loaded " + quoted(ours) + " with the build-id " + ours.identity_text() +
           ". It was probably rebuilt or updated while the program was running: start the program again.";
  }
  return "A function lies in " + quoted(theirs) +
         ", which is not loaded in this worker process. It was probably loaded with dlopen: link the "
         "program with it, or load it in the pool's initializer too.";
}

}  // namespace

function_name name_function(const void* code) {
  // What this thread has named last: mostly it is the same function again.
  struct named {
    const void* code = nullptr;
    function_name name;
    std::uint64_t generation = 0;
  };
  static thread_local constinit named last;
  const std::uint64_t generation = module_table::here().generation();
  if (last.code == code && last.generation == generation) return last.name;
  const auto address = reinterpret_cast<std::uintptr_t>(code);
  const module_table::place place = module_table::here().find_code(address);
  if (place.module == nullptr) {
    throw not_portable_error(
        "The function at " + hex(address) +
        " lies in no program or library that is loaded now, so another process cannot be told "
        "which one is meant. Code made at run time cannot be sent; if its library was unloaded, "
        "keep it loaded.");
  }
  if (place.module->kind == posix::identity_kind::none) {
    throw not_portable_error(
        "Functions of " + quoted(*place.module) +
        " cannot be named for other processes, because it has no build-id and its file cannot "
        "be found: link it with -Wl,--build-id.");
  }
  last = {code, {place.index, address - place.module->base}, generation};
  return last.name;
}

thunk_registration::thunk_registration(remote_thunk_fn thunk) : thunk_(thunk) {
  thunk_registry::here().add(thunk);
}

thunk_registration::~thunk_registration() {
  thunk_registry::here().remove(thunk_);
  module_table::here().forget_addresses();
}

bool is_registered(remote_thunk_fn thunk) noexcept { return thunk_registry::here().contains(thunk); }

void encode_modules(writer& out) {
  const auto modules = module_table::here().all();
  out.write_size(modules.size());
  for (const auto& module : modules) {
    codec<std::string>::encode(out, module.path);
    codec<bool>::encode(out, module.is_program);
    out.write_value(module.kind);
    codec<std::vector<std::byte>>::encode(out, module.identity);
  }
}

std::size_t known_modules() { return module_table::here().size(); }

struct peer_modules::implementation {
  struct entry {
    posix::loaded_module theirs;
    // Ours that is the same; null until it was found. Written by whoever finds it; all find the same.
    std::atomic<const posix::loaded_module*> ours{nullptr};
  };
  std::vector<entry> entries;
};

peer_modules::peer_modules(reader& in) : self_(std::make_unique<implementation>()) {
  constexpr std::size_t smallest = sizeof(std::uint64_t) + 2 + sizeof(std::uint64_t);
  std::vector<posix::loaded_module> modules(in.read_count(smallest));
  for (auto& module : modules) {
    module.path = codec<std::string>::decode(in);
    module.is_program = codec<bool>::decode(in);
    const auto kind = in.read_value<std::uint8_t>();
    if (kind > static_cast<std::uint8_t>(posix::identity_kind::file))
      throw_bad_byte("a module's identity", kind);
    module.kind = static_cast<posix::identity_kind>(kind);
    module.identity = codec<std::vector<std::byte>>::decode(in);
  }
  self_->entries = std::vector<implementation::entry>(modules.size());
  for (std::size_t i = 0; i != modules.size(); ++i) self_->entries[i].theirs = std::move(modules[i]);
}

peer_modules::peer_modules(peer_modules&&) noexcept = default;
peer_modules& peer_modules::operator=(peer_modules&&) noexcept = default;
peer_modules::~peer_modules() = default;

const void* peer_modules::resolve(function_name name) const {
  if (name.module >= self_->entries.size()) {
    throw not_portable_error(
        "A function lies in a library that the submitting program loaded after this worker had been "
        "started. Load libraries (dlopen) before the pool is made.");
  }
  auto& entry = self_->entries[name.module];
  const posix::loaded_module* ours = entry.ours.load(std::memory_order_acquire);
  if (ours == nullptr) {
    ours = module_table::here().find_same(entry.theirs);
    if (ours == nullptr) throw not_portable_error(describe_missing(entry.theirs));
    entry.ours.store(ours, std::memory_order_release);
  }
  return address_in(*ours, name.offset);
}

std::string peer_modules::program_mismatch() const {
  for (const auto& entry : self_->entries) {
    if (entry.theirs.is_program && module_table::here().find_same(entry.theirs) == nullptr) {
      return describe_missing(entry.theirs);
    }
  }
  return {};
}

const void* resolve_function(function_name name, const peer_modules* peer) {
  if (peer != nullptr) return peer->resolve(name);
  const posix::loaded_module* const module = module_table::here().at(name.module);
  if (module == nullptr) throw not_portable_error("A function's name has an unknown module: it was damaged.");
  return address_in(*module, name.offset);
}

remote_thunk_fn resolve_thunk(function_name name, const peer_modules* peer) {
  const auto thunk = reinterpret_cast<remote_thunk_fn>(const_cast<void*>(resolve_function(name, peer)));
  if (is_registered(thunk)) return thunk;
  throw not_portable_error(
      "Another process named a function at " + hex(name.offset) +
      " that may not be called from outside. Either the message was damaged, or the code that "
      "submits the task is in a library whose static objects are not initialized yet.");
}

}  // namespace tandem::detail
