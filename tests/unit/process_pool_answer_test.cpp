// What a worker may have written into its slot, and sent, in place of an answer: the task gets an error, and the pool's
// process neither reads outside, nor takes memory that was never written, nor keeps descriptors. tests/fuzz looks for
// more of the kind.
#include "process_pool/answer.hpp"
#include "process_pool/memfd_mail.hpp"
#include "process_pool/slab_link.hpp"

#include "posix/descriptors.hpp"
#include "posix/memfd.hpp"
#include "posix/socket.hpp"

#include <tandem/detail/task.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace {

namespace posix = tandem::posix;
namespace process = tandem::process;
namespace detail = tandem::detail;

constexpr std::size_t page = 4096;
constexpr std::uint64_t id = 5;  // of the memory in which an answer claims to lie

using ends = std::pair<posix::unique_fd, posix::unique_fd>;

/// A worker that is only claimed: the other end of its socket is the test's.
struct claimed_worker {
  explicit claimed_worker(ends sockets = posix::make_socket_pair())
      : ours(1, 1, std::move(sockets.first)), theirs(std::move(sockets.second)) {}

  process::slot& slot() { return ours.slot_behind_front(0); }

  void claim(std::uint64_t size, process::place where) {
    slot().answer = static_cast<std::uint32_t>(process::answer::value);
    slot().response.size = size;
    slot().response.where = static_cast<std::uint32_t>(where);
    slot().response.slab = id;
    slot().response.slab_place = process::no_place;
    slot().response.mail = where == process::place::in_memfd ? 1 : 0;
  }

  void send(std::uint64_t slab, int memory) const {
    process::memfd_mail mail;
    mail.add(process::memfd_kind::slab, slab, memory);
    mail.send(theirs.get(), posix::blocking::no);
  }

  /// What becomes of a task that waits for a string; the string, or the error's words.
  std::string read() {
    detail::core_ptr<detail::core> task(detail::new_task<detail::remote_mode::required>(
        1, [](std::string text) { return text; }, std::string()));
    static_cast<void>(task->try_start());
    const process::answer_read read = process::read_answer(ours, 0, task.get());
    task->drop_payload();
    if (!read.error) {
      task->complete_value();
      return "a value";
    }
    task->complete_error(read.error);
    try {
      std::rethrow_exception(read.error);
    } catch (const tandem::decode_error& error) {
      return error.what();
    }
  }

  process::remote_worker ours;
  posix::unique_fd theirs;
};

/// Memory of `size` bytes, of which `written` were written.
posix::unique_fd make_memory(std::size_t size, std::size_t written, bool sealed = true) {
  posix::unique_fd fd = posix::create_memfd("test", size);
  const std::string content(written, '\0');  // an empty string, and bytes behind it
  posix::pwrite_all(fd.get(), std::as_bytes(std::span(content)), 0);
  if (sealed) posix::seal(fd.get(), posix::seals::shrink | posix::seals::grow);
  return fd;
}

TEST(HostileAnswer, IsAValueIfItIsOne) {
  claimed_worker worker;
  worker.claim(8, process::place::in_slot);  // an empty string: eight zeros
  EXPECT_EQ(worker.read(), "a value");
  worker.claim(8, process::place::in_memfd);
  const posix::unique_fd memory = make_memory(page, page);
  worker.send(id, memory.get());
  EXPECT_EQ(worker.read(), "a value");
}

TEST(HostileAnswer, WithBytesBehindItsValueIsRefused) {
  claimed_worker worker;
  worker.claim(9, process::place::in_slot);
  EXPECT_NE(worker.read().find("1 bytes too many"), std::string::npos);
}

TEST(HostileAnswer, LargerThanItsSlotIsRefused) {
  claimed_worker worker;
  worker.claim(process::slot_bytes + 1, process::place::in_slot);
  EXPECT_NE(worker.read().find("out of bounds"), std::string::npos);
}

TEST(HostileAnswer, LargerThanItsRegionIsRefused) {
  claimed_worker worker;
  worker.claim(process::region_bytes + 1, process::place::in_region);
  EXPECT_NE(worker.read().find("out of bounds"), std::string::npos);
}

TEST(HostileAnswer, AtAPlaceThatThereIsNotIsRefused) {
  claimed_worker worker;
  worker.claim(8, static_cast<process::place>(77));
  EXPECT_NE(worker.read().find("out of bounds"), std::string::npos);
}

TEST(HostileAnswer, InMemoryThatMayShrinkIsRefused) {
  claimed_worker worker;
  worker.claim(8, process::place::in_memfd);
  const posix::unique_fd memory = make_memory(page, page, false);
  worker.send(id, memory.get());
  EXPECT_NE(worker.read().find("not sealed"), std::string::npos);
}

TEST(HostileAnswer, LargerThanItsMemoryIsRefused) {
  claimed_worker worker;
  worker.claim(page + 1, process::place::in_memfd);
  const posix::unique_fd memory = make_memory(page, page);
  worker.send(id, memory.get());
  EXPECT_NE(worker.read().find("shorter"), std::string::npos);
}

// A terabyte, to be had for nothing: to read its holes would fill them, at the reader's cost.
TEST(HostileAnswer, InMemoryThatWasNeverWrittenIsRefused) {
  constexpr std::size_t terabyte = std::size_t{1} << 40U;
  claimed_worker worker;
  worker.claim(terabyte, process::place::in_memfd);
  const posix::unique_fd memory = make_memory(terabyte, page);
  worker.send(id, memory.get());
  EXPECT_NE(worker.read().find("has not been written"), std::string::npos);
  EXPECT_LE(posix::allocated_size(memory.get()), 2 * page);
}

TEST(HostileAnswer, ThatDidNotComeIsRefused) {
  claimed_worker worker;
  worker.claim(8, process::place::in_memfd);
  EXPECT_NE(worker.read().find("did not arrive"), std::string::npos);
}

TEST(HostileAnswer, BehindAnyNumberOfOthersIsRefused) {
  const std::size_t before = posix::open_descriptors().size();
  claimed_worker worker;
  worker.claim(8, process::place::in_memfd);
  const posix::unique_fd memory = make_memory(page, page);
  for (std::uint64_t i = 0; i < 100; ++i) worker.send(1000 + i, memory.get());
  worker.send(id, memory.get());
  EXPECT_NE(worker.read().find("did not come with it"), std::string::npos);
  EXPECT_LT(posix::open_descriptors().size(), before + 100);
}

}  // namespace
