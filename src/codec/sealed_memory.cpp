// Making, receiving and letting go of memory that is shared and sealed; its name in a message.
#include "codec/sealed_memory.hpp"

#include "posix/fork_watch.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <atomic>
#include <string>
#include <system_error>
#include <utility>

namespace tandem::detail {

namespace {

std::atomic<std::uint64_t> memories_made{0};

constexpr auto all_seals =
    posix::seals::shrink | posix::seals::grow | posix::seals::write | posix::seals::seal;

[[noreturn]] void throw_unmade(const std::system_error& error, std::size_t size) {
  throw std::system_error(
      error.code(),
      "tandem: cannot make a shared_buffer of " + std::to_string(size) +
          " bytes, which needs memory and a descriptor of its own: free others, put several into "
          "one, or raise the limit (ulimit -n)");
}

}  // namespace

sealed_memory::sealed_memory(posix::unique_fd memfd, posix::mapping mapped) noexcept
    : id_(memories_made.fetch_add(1, std::memory_order_relaxed) + 1),
      fork_generation_(posix::fork_generation()),
      memfd_(std::move(memfd)),
      mapped_(std::move(mapped)) {
  data_ = mapped_.data();
  size_ = mapped_.size();
}

sealed_memory::~sealed_memory() {
  if (fork_generation_ != posix::fork_generation()) {
    static_cast<void>(memfd_.release());  // the number may be another's by now
    return;
  }
  for (const std::weak_ptr<observer>& one : observers_) {
    if (const auto who = one.lock()) who->memory_is_gone(id_);
  }
}

std::shared_ptr<const sealed_memory> sealed_memory::seal(posix::unique_fd memfd) {
  posix::seal(memfd.get(), all_seals);
  posix::mapping mapped = posix::mapping::sealed(memfd.get());
  return std::make_shared<const sealed_memory>(std::move(memfd), std::move(mapped));
}

std::shared_ptr<const sealed_memory> sealed_memory::receive(posix::unique_fd memfd, std::size_t size) {
  if (!posix::has_seals(memfd.get(), posix::seals::shrink | posix::seals::grow | posix::seals::write)) {
    throw decode_error(
        "tandem: a shared_buffer came in memory that can still change: the peer is out of order");
  }
  if (posix::file_size(memfd.get()) != size) {
    throw decode_error(
        "tandem: a shared_buffer has not the size that its message says: the peer is out of order");
  }
  if (posix::allocated_size(memfd.get()) < size) {
    throw decode_error("tandem: a shared_buffer has not been written: the peer is out of order");
  }
  posix::mapping mapped = posix::mapping::sealed(memfd.get());
  return std::make_shared<const sealed_memory>(std::move(memfd), std::move(mapped));
}

void sealed_memory::check_that_it_can_be_sent() const {
  if (fork_generation_ == posix::fork_generation()) return;
  throw not_portable_error(
      "tandem: a shared_buffer that was made before this process was forked (by preload(), or by the program "
      "itself) can "
      "be read here, but not be sent on: copy it into a new one");
}

void sealed_memory::observe(const std::shared_ptr<observer>& who) const {
  const std::lock_guard held(mutex_);
  std::erase_if(observers_, [](const auto& one) { return one.expired(); });  // pools come and go
  const bool known = std::any_of(observers_.begin(), observers_.end(), [&who](const auto& one) {
    return !one.owner_before(who) && !who.owner_before(one);
  });
  if (!known) observers_.emplace_back(who);
}

shared_memory_ptr make_shared_memory(std::size_t size, void (*fill)(void* context, std::byte* to),
                                     void* context) {
  posix::watch_forks();
  posix::unique_fd memfd;
  posix::mapping writable;
  try {
    memfd = posix::create_memfd("tandem-buffer", size);
    posix::allocate(memfd.get(),
                    size);  // no surprise when it is written, and no page that readers have to make
    writable = posix::mapping::shared(memfd.get(), size);
    // A child that is forked meanwhile would have a writable mapping, and then it cannot be sealed.
    writable.keep_from_forks();
  } catch (const std::system_error& e) {
    throw_unmade(e, size);
  }
  fill(context, writable.data());
  writable.reset();
  try {
    return sealed_memory::seal(std::move(memfd));
  } catch (const std::system_error& e) {
    throw_unmade(e, size);
  }
}

void encode_memory(writer& out, const shared_memory_ptr& memory) {
  if (out.carrier() == nullptr) {
    throw not_portable_error(
        "tandem: a shared_buffer goes to another process with a task, as one of its arguments or in its "
        "result, and no "
        "other way, nor to a worker's initializer: pass it to the tasks");
  }
  out.write_value(out.carrier()->attach(memory));
}

shared_memory_ptr decode_memory(reader& in, std::size_t size) {
  const auto name = in.read_value<std::uint64_t>();
  if (in.memories() == nullptr)
    throw decode_error("tandem: a message has a shared_buffer, which cannot come this way");
  return in.memories()->find(name, size);
}

}  // namespace tandem::detail
