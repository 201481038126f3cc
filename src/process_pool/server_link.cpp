// Starting a fork server and talking to it.
#include "process_pool/server_link.hpp"

#include "posix/pidfd.hpp"
#include "posix/poll.hpp"
#include "posix/process.hpp"

#include "process_pool/fork_server.hpp"

#include <tandem/error.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

namespace tandem::process {

namespace {

// Static initializers of a large program run before init(): generous, but not for ever.
constexpr std::chrono::seconds start_limit{60};

[[noreturn]] void throw_not_ready(const std::string& what) {
  throw start_error(
      "tandem: process_pool: the fork server " + what +
      ". It is this program, started a second time; it must reach tandem::init(argc, argv) as the first "
      "line of main. Does a static initializer fail, block or end the program?");
}

posix::detached_process launch(start_method how, posix::unique_fd& socket) {
  if (how == start_method::fork) {
    if (const int threads = posix::thread_count(); threads != 1) {
      throw start_error(
          "tandem: process_pool: start_method::fork in a process that has " + std::to_string(threads) +
          " threads: a lock that one of them holds would stay locked in the workers for ever. Create the "
          "pool before any thread (also those of other pools), or use start_method::fork_server");
    }
    flush_standard_streams();  // or each worker would write what is in the buffers once more, at its end
    const int fd = socket.get();
    return posix::fork_detached([fd] { return serve_pool(posix::unique_fd(fd)); });
  }
  const int keep = socket.get();
  const std::array<std::string, 2> argv{posix::executable_path(), server_argument + std::to_string(keep)};
  // In a group of its own from its first instruction: a Ctrl-C may come before it can say so itself.
  return posix::spawn_detached("/proc/self/exe", argv, std::span(&keep, 1), {.new_process_group = true});
}

}  // namespace

void throw_start_error(const std::system_error& refused) {
  std::string text = std::string("tandem: process_pool: cannot be started: ") + refused.what() + ". ";
  switch (refused.code().value()) {
    case EPERM:
    case EACCES:
    case ENOSYS:
      text +=
          "The kernel refuses that call: it is too old, or a seccomp profile (that of a container, say) "
          "forbids it. "
          "docs/kernel.md tells what a pool needs, and why";
      break;
    case EMFILE:
    case ENFILE:
      text += "Too many descriptors are open: close some, or raise the limit (ulimit -n)";
      break;
    case EFBIG:
      text += "A limit on the size of files (ulimit -f) is meant for shared memory too: raise it";
      break;
    default:
      text += "Most likely there is no memory, or a limit on processes (ulimit -u) is reached";
  }
  throw start_error(text);
}

server_link server_link::start(start_method how, const hello& config) {
  server_link link;
  const posix::unique_fd self = posix::pidfd_open(posix::current_pid());
  auto [here, there] = posix::make_socket_pair();
  link.server_ = launch(how, there);
  link.socket_ = std::move(here);
  there.reset();  // its end of file tells that the server is gone
  const posix::unique_fd greeting = keep_greeting(config);
  const std::array<int, static_cast<std::size_t>(hello_fd::count)> fds{self.get(), greeting.get()};
  if (posix::send_message(link.socket_.get(), std::span(&hello_mark, 1), fds) != posix::send_status::sent)
    throw_not_ready("ended before it was ready");
  if (!link.await(posix::deadline_after(start_limit))) {
    static_cast<void>(posix::pidfd_send_signal(link.server_.pidfd.get(), SIGKILL));
    throw_not_ready("was not ready within " + std::to_string(start_limit.count()) + " seconds");
  }
  incoming first = link.receive();
  if (first.message && first.message->what == report::kind::preloading) {
    // The user's functions: as long as they take. If they end the process, that is the end of the file.
    static_cast<void>(link.await(posix::no_deadline));
    first = link.receive();
    if (first.end || !first.message) {
      throw start_error(
          "tandem: process_pool: the fork server ended while it called the functions that preload() was "
          "given: one of "
          "them has crashed or ended it");
    }
    if (first.message->what != report::kind::ready) {
      throw start_error(
          "tandem: process_pool: a function that preload() was given has failed in the fork server: " +
          first.message->text);
    }
  }
  if (first.end || !first.message) throw_not_ready("ended before it was ready");
  if (first.message->what != report::kind::ready) throw start_error(first.message->text);
  return link;
}

posix::send_status server_link::send(const command& order, std::span<const int> fds) {
  if (!socket_) return posix::send_status::closed;
  const byte_buffer bytes = encode(order);
  const posix::send_status status =
      posix::send_message(socket_.get(), bytes.bytes(), fds, posix::blocking::no);
  wake();
  return status;
}

void server_link::wake() noexcept {
  try {
    if (server_.pidfd) static_cast<void>(posix::pidfd_send_signal(server_.pidfd.get(), SIGCONT));
  } catch (const std::system_error&) {
    // Not permitted: it has made itself another user's.
  }
}

bool server_link::await(posix::steady_time deadline) {
  std::array entries{posix::readable(socket_.get()), posix::readable(server_.pidfd.get())};
  const bool any = posix::poll_until(entries, deadline) != 0;
  ended_ = ended_ || entries[1].revents != 0;
  return any;
}

server_link::incoming server_link::receive() {
  incoming result;
  std::array<std::byte, std::size_t{16} * 1024> buffer;  // reports are short
  posix::received got = posix::recv_message(socket_.get(), buffer, 1, posix::blocking::no);
  // What it had said before its end has been read by now.
  if (got.status == posix::recv_status::would_block && !ended_) return result;
  if (got.status != posix::recv_status::message) {
    result.end = true;
    return result;
  }
  reader in(std::span<const std::byte>(buffer).first(got.size));
  result.message = decode_report(in);
  if (!got.fds.empty()) result.pidfd = std::move(got.fds.front());
  return result;
}

void server_link::close() noexcept {
  if (!socket_) return;
  // The server's end of file. Closing would not do: a forked child of the user's has a copy.
  posix::shut_down(socket_.get());
  socket_.reset();
  wake();
  try {
    static_cast<void>(posix::wait_for_exit(server_.pidfd.get()));
    posix::reap_if_adopted(server_.pidfd.get());
  } catch (const std::system_error&) {
    // It will end all the same; only the waiting failed.
  }
  server_ = {};
  ended_ = false;
}

}  // namespace tandem::process
