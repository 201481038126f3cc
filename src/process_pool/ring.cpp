// Making and opening the shared memory of one worker.
#include "process_pool/ring.hpp"

#include <tandem/error.hpp>

namespace tandem::process {

namespace {
constexpr auto ring_seals = posix::seals::shrink | posix::seals::grow | posix::seals::seal;
}

ring ring::create() {
  posix::unique_fd fd = posix::create_memfd("tandem-ring", total);
  posix::seal(fd.get(), ring_seals);
  posix::mapping memory = posix::mapping::shared(fd.get(), total);
  return ring(std::move(fd), std::move(memory));
}

ring ring::open(posix::unique_fd fd) {
  if (posix::file_size(fd.get()) != total || !posix::has_seals(fd.get(), ring_seals)) {
    throw start_error(
        "tandem: a worker was given a memory object that is no ring: parent and worker are different builds");
  }
  posix::mapping memory = posix::mapping::shared(fd.get(), total);
  return ring(std::move(fd), std::move(memory));
}

}  // namespace tandem::process
