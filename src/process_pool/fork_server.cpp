// The fork server's loop, as README.md tells it. Everything that waits here waits in one poll.
#include "process_pool/fork_server.hpp"

#include "posix/child_signal.hpp"
#include "posix/clock.hpp"
#include "posix/pidfd.hpp"
#include "posix/poll.hpp"
#include "posix/process.hpp"
#include "posix/signals.hpp"
#include "posix/socket.hpp"
#include "posix/spawn.hpp"

#include "process_pool/protocol.hpp"
#include "process_pool/ring.hpp"
#include "process_pool/spawned_worker.hpp"
#include "process_pool/worker.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace tandem::process {

namespace {

class server {
 public:
  explicit server(posix::unique_fd socket) : socket_(std::move(socket)), buffer_(max_message) {}

  int run() {
    if (!greet()) return 1;
    adopt_orphans();
    for (;;) {
      std::vector<pollfd> entries{posix::readable(socket_.get()), posix::readable(pool_.get()),
                                  posix::readable(child_ends_ ? child_ends_->fd() : -1)};
      std::vector<std::uint32_t> ids;
      for (const auto& [id, c] : children_) {
        entries.push_back(posix::readable(c.pidfd.get()));
        ids.push_back(id);
      }
      posix::poll_until(entries);
      // Deaths first: a pool that asks for a replacement must have been told what it replaces.
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (entries[i + own].revents != 0) bury(ids[i]);
      }
      reap_orphans();
      if (entries[1].revents != 0) return end();
      if (entries[0].revents != 0 && !obey()) return end();
    }
  }

 private:
  static constexpr std::size_t own = 3;  // entries of the poll that are not workers'
  // How long to wait for processes that cannot be killed, or are in the kernel's hands.
  static constexpr std::chrono::seconds longest_sweep{5};

  struct child {
    pid_t pid;
    posix::unique_fd pidfd;
  };

  // When the pool is gone this fails, and the next poll says why. A report is not lost for want of memory: without
  // it the pool would wait for ever. If it cannot be sent for a second, the server ends, which the pool notices.
  void say(const report& message, std::span<const int> fds = {}) {
    for (int i = 0;; ++i) {
      try {
        const byte_buffer bytes = encode(message);
        static_cast<void>(posix::send_message(socket_.get(), bytes.bytes(), fds));
        return;
      } catch (const std::exception&) {
        if (i == 100) throw;
      }
      fds = {};  // the pool can do without, and they may be what is too much
      posix::poll_until({}, posix::deadline_after(std::chrono::milliseconds(10)));
    }
  }

  bool greet() {
    posix::received got =
        posix::recv_message(socket_.get(), buffer_, static_cast<std::size_t>(hello_fd::count));
    if (got.status != posix::recv_status::message) return false;
    try {
      if (got.size != 1 || buffer_.front() != hello_mark)
        throw start_error(
            "tandem: process_pool: the program on disk was replaced while it ran, by one with another "
            "version of this library; restart it");
      if (got.fds.size() != static_cast<std::size_t>(hello_fd::count))
        throw start_error("not all descriptors arrived: too many are open");
      pool_ = std::move(got.fds[static_cast<std::size_t>(hello_fd::pool)]);
      posix::unique_fd greeting = std::move(got.fds[static_cast<std::size_t>(hello_fd::greeting)]);
      config_ = read_greeting(greeting.get());
      reader modules(std::as_bytes(std::span(config_.modules)));
      modules_ = std::make_unique<detail::peer_modules>(modules);
      const std::string mismatch = modules_->program_mismatch();
      if (!mismatch.empty()) throw start_error(mismatch);
      if (config_.spawn)
        greeting_ = std::move(greeting);
      else
        preload();
    } catch (const std::exception& e) {
      say({.what = report::kind::refused, .text = e.what()});
      return false;
    } catch (...) {
      say({.what = report::kind::refused, .text = "something that is no std::exception"});
      return false;
    }
    // To ignore it, as a static initializer or a preloaded library may have asked, is to have the kernel reap our children.
    posix::reset_signal_to_default(SIGCHLD);
    say({.what = report::kind::ready, .pid = posix::current_pid(), .text = {}});
    return true;
  }

  // What workers that are copies of this process shall find in it.
  void preload() {
    if (config_.preloads.empty()) return;
    say({.what = report::kind::preloading, .pid = posix::current_pid(), .text = {}});
    for (const hook& each : config_.preloads) call(each, *modules_);
    flush_standard_streams();  // or each worker would write what is in the buffers once more, at its end
    if (const int threads = posix::thread_count(); threads != 1) {
      throw start_error(
          "it has left " + std::to_string(threads - 1) +
          " threads running, and a lock that one of them holds would stay locked in the workers for "
          "ever. Join them before it returns, or start them in an initializer");
    }
  }

  // False at the end of the pool.
  bool obey() {
    posix::received got = posix::recv_message(socket_.get(), buffer_,
                                              static_cast<std::size_t>(start_fd::count), posix::blocking::no);
    if (got.status == posix::recv_status::end_of_file) return false;
    if (got.status != posix::recv_status::message) return true;
    reader in(std::span<const std::byte>(buffer_).first(got.size));
    const command order = decode_command(in);
    if (order.what == command::kind::start) {
      start(order.worker, std::move(got.fds));
    } else if (order.what == command::kind::sweep) {
      sweep_ = true;
    } else if (const auto it = children_.find(order.worker); it != children_.end()) {
      signal_tree(it->second.pid, order.signal);
    }
    return true;
  }

  void start(std::uint32_t id, std::vector<posix::unique_fd> fds) {
    if (fds.size() != static_cast<std::size_t>(start_fd::count)) {
      say({.what = report::kind::start_failed,
           .worker = id,
           .text = "not all descriptors arrived: too many are open"});
      return;
    }
    pid_t pid = 0;
    int pidfd = -1;
    try {
      const pid_t self = posix::current_pid();
      pid = posix::fork_child();
      if (pid == 0) posix::exit_now(be_worker(self, id, std::move(fds)));
      posix::set_process_group(pid, pid);  // here and there: whoever comes first
      child born{pid, posix::pidfd_open(pid)};
      pidfd = born.pidfd.get();
      children_.emplace(id, std::move(born));
    } catch (const std::exception& e) {
      if (pid > 0) {
        posix::kill_process(pid, SIGKILL);
        static_cast<void>(posix::reap(pid));
      }
      say({.what = report::kind::start_failed, .worker = id, .text = e.what()});
      return;
    }
    say({.what = report::kind::started, .worker = id, .pid = pid, .text = {}}, std::span(&pidfd, 1));
  }

  // The worker's whole group, so that what its task started goes too; and the worker, should the task have left the
  // group. Not reaped yet, so the numbers are still its own.
  static void signal_tree(pid_t pid, int signal) noexcept {
    try {
      posix::kill_group(pid, signal);
      if (posix::process_group(pid) != pid) posix::kill_process(pid, signal);
    } catch (const std::exception&) {
      // Not permitted: a task has made itself another user's.
    }
  }

  // In the child.
  int be_worker(pid_t parent, std::uint32_t id, std::vector<posix::unique_fd> fds) noexcept {
    try {
      posix::set_process_group(0, 0);
      if (!posix::set_parent_death_signal(SIGKILL, parent)) return 0;
      const auto take = [&](start_fd which) { return std::move(fds[static_cast<std::size_t>(which)]); };
      socket_.reset();
      pool_.reset();
      children_.clear();
      child_ends_.reset();
      if (greeting_) become_spawned_worker(parent, id, greeting_.get(), fds);
      worker_setup setup{ring::open(take(start_fd::ring)), take(start_fd::socket),
                         posix::event_fd(take(start_fd::bell)), static_cast<int>(id % max_places)};
      return run_worker(std::move(setup), config_, *modules_);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "tandem: a worker process could not start: %s\n", e.what());
      return 71;
    }
  }

  void bury(std::uint32_t id) {
    const auto it = children_.find(id);
    const pid_t pid = it->second.pid;
    // Before it is reaped: until then nobody else can get the group's number. What a worker that left in good order
    // has started in the background is the user's.
    if (!posix::ended_well(pid)) signal_tree(pid, SIGKILL);
    posix::reaped dead;
    try {
      dead = posix::reap(pid);
    } catch (const std::system_error&) {
      // Somebody else has reaped it, in this process of which the user's static objects are a part.
    }
    children_.erase(it);
    say({.what = report::kind::died,
         .worker = id,
         .pid = pid,
         .exit_code = dead.exit_code(),
         .signal = dead.signal(),
         .peak_rss = dead.peak_rss,
         .text = {}});
  }

  // Those who cannot be reaped are better left to init.
  void adopt_orphans() {
    try {
      child_ends_.emplace();
    } catch (const std::system_error&) {
      return;  // the kernel denies it, or has no memory
    }
    posix::adopt_orphans();
  }

  // What a task has started and left without a parent is ours to reap, not to kill: it may be meant to stay.
  void reap_orphans() {
    if (!child_ends_) return;
    child_ends_->lower();
    const auto is_worker = [this](pid_t pid) {
      return std::any_of(children_.begin(), children_.end(),
                         [pid](const auto& c) { return c.second.pid == pid; });
    };
    while (const pid_t ended = posix::ended_child()) {
      if (is_worker(ended)) return;  // hides those behind it: once more when it is buried, which is next
      static_cast<void>(posix::reap(ended));
    }
  }

  int end() {
    for (const auto& [id, c] : children_) signal_tree(c.pid, SIGKILL);
    for (const auto& [id, c] : children_) static_cast<void>(posix::reap(c.pid));
    if (sweep_) posix::end_children(posix::deadline_after(longest_sweep));
    return 0;
  }

  posix::unique_fd socket_;
  // The pool's process: its end is the pool's end even if a forked child of it holds a copy of the socket.
  posix::unique_fd pool_;
  std::vector<std::byte> buffer_;
  hello config_;
  posix::unique_fd greeting_;  // config_ again, for workers that are spawned; else none
  std::unique_ptr<detail::peer_modules> modules_;
  std::map<std::uint32_t, child> children_;
  std::optional<posix::child_signal> child_ends_;
  bool sweep_ = false;  // nothing that a task has started shall outlive the pool
};

}  // namespace

void flush_standard_streams() noexcept {
  try {
    std::cout.flush();
  } catch (const std::exception&) {
    // The user has asked the stream to throw.
  }
  std::fflush(nullptr);
}

int serve_pool(posix::unique_fd socket) {
  try {
    flush_standard_streams();  // what static initializers have printed
    const int keep = socket.get();
    posix::close_range_from(3, std::span(&keep, 1));
    posix::set_close_on_exec(keep, true);  // nothing that preload() functions or tasks start gets it
    posix::set_process_group(0, 0);   // the terminal's Ctrl-C is for the user's program, which then decides
    posix::redirect_stdin_to_null();  // workers must not take lines meant for the user's program
    posix::set_name("tandem-server");
    return server(std::move(socket)).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tandem: the fork server ends: %s\n", e.what());
    return 1;
  }
}

}  // namespace tandem::process
