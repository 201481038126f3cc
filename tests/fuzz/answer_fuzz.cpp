// What a worker leaves in a slot, and sends over its socket, for the reading of its answer. The input is the answer's
// kind, what the slot says of the payload's size and place, the messages that lie in the socket, and the payload's
// bytes. The task gets a value or an error, the pool takes no more memory and maps no more than the bytes justify, and
// it keeps no descriptors.
#include "allocation.hpp"
#include "fuzz.hpp"

#include "posix/descriptors.hpp"
#include "posix/memfd.hpp"
#include "posix/socket.hpp"

#include "process_pool/answer.hpp"

#include <tandem/detail/chunk_call.hpp>
#include <tandem/detail/outcome.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/error.hpp>
#include <tandem/shared_buffer.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace tandem::fuzz {
namespace {

using task_ptr = detail::core_ptr<detail::core>;

template <class R>
task_ptr task_for() {
  task_ptr task(detail::new_task<detail::remote_mode::required>(
      1, [](R value) { return value; }, R()));
  static_cast<void>(task->try_start());
  return task;
}

task_ptr task_number(unsigned which) {
  switch (which % 7) {
    case 0:
      return {};  // resolved already: nobody wants the answer
    case 1:
      return task_for<int>();
    case 2:
      return task_for<std::string>();
    case 3:
      return task_for<std::vector<double>>();
    case 4:
      return task_for<detail::timed_values<detail::outcome<std::string>>>();
    case 6:
      return task_for<shared_buffer<int>>();
    default:
      return task_ptr(detail::new_task<detail::remote_mode::required>(1, [] {}));
  }
}

/// Sizes of memory objects: the page that is written, and more than any machine has.
constexpr std::size_t written = 4096;
constexpr std::size_t sizes[] = {0, written, std::size_t{1} << 17U, std::size_t{64} << 20U,
                                 std::size_t{1} << 40U};

/// What is written in each: a string of eight characters.
constexpr char content[] = "\x08\0\0\0\0\0\0\0abcdefgh";

/// A memfd as a worker may have made it: sparse, sealed or not.
posix::unique_fd make_memory(unsigned how) {
  posix::unique_fd fd = posix::create_memfd("fuzz", sizes[how % std::size(sizes)]);
  if (how % std::size(sizes) != 0) posix::pwrite_all(fd.get(), std::as_bytes(std::span(content)), 0);
  if ((how & 0x40U) == 0) posix::seal(fd.get(), posix::seals::shrink | posix::seals::grow);
  if ((how & 0x80U) != 0) posix::seal(fd.get(), posix::seals::write);
  return fd;
}

/// Messages in the worker's socket: a tag, which is the memory's number, and as many descriptors as the input says.
void send_messages(int socket, reader& in) {
  for (unsigned left = choose(in) % 5; left != 0; --left) {
    const unsigned how = choose(in);
    const unsigned tag_size = 1 + choose(in) % 9;
    const auto tag = in.take(std::min<std::size_t>(in.remaining(), tag_size));
    if (tag.empty()) return;
    std::vector<posix::unique_fd> owned;
    std::vector<int> fds;
    for (unsigned i = (how >> 4U) % 4; i != 0; --i) {
      owned.push_back(make_memory(how));
      fds.push_back(owned.back().get());
    }
    static_cast<void>(posix::send_message(socket, tag, fds, posix::blocking::no));
  }
}

void read_one(reader& in) {
  auto [ours, theirs] = posix::make_socket_pair();
  process::remote_worker worker(1, 1, std::move(ours));
  process::slot& slot = worker.slot_behind_front(0);
  const task_ptr task = task_number(choose(in));
  slot.answer = choose(in) % 4;
  slot.run_nanoseconds = choose(in);
  const auto claimed = in.take(std::min(in.remaining(), sizeof(slot.response)));
  std::memcpy(static_cast<void*>(&slot.response), claimed.data(), claimed.size());
  send_messages(theirs.get(), in);
  const auto bytes = rest(in);
  std::memcpy(slot.response_bytes, bytes.data(), std::min(bytes.size(), sizeof(slot.response_bytes)));

  const std::size_t before = allocated();
  const process::answer_read read = process::read_answer(worker, 0, task.get());
  require(allocated() - before < 3'000'000, "an answer takes no more memory than its bytes justify");
  require(read.bytes <= process::region_bytes || read.error != nullptr || read.bytes <= 2 * written,
          "an answer has no more bytes than were written");
  if (!task) return;
  task->drop_payload();
  if (read.error) {
    task->complete_error(read.error);
  } else {
    task->complete_value();
  }
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  // Counted anew for each input: between inputs libFuzzer opens descriptors of its own, as the two pipes to the
  // symbolizer that it starts to print the first new function's name.
  const std::vector<int> before = posix::open_descriptors();
  reader in(std::as_bytes(std::span(data, size)));
  try {
    fuzz::read_one(in);
  } catch (const decode_error&) {
    // the input itself is too short
  }
  fuzz::require(posix::open_descriptors() == before, "no descriptor is left behind, and none is closed");
  return 0;
}
