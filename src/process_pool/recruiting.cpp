// The manager's part that starts workers: as many as demand has asked for, not faster than the fork server can tell.
#include "process_pool/pool_state.hpp"

#include "posix/socket.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace tandem::detail {

namespace {

constexpr std::ptrdiff_t most_unreported = 32;  // workers that were asked for

}  // namespace

void process_pool_state::start_workers() {
  for (;;) {
    std::uint32_t place = 0;
    {
      const lock held(mutex_);
      if (closing_workers_ || broken_ || ending_ != ending::in_order || workers_.size() >= wanted_) return;
      // The server reads no commands while it waits for us to read its reports: neither may have many under way.
      const auto unreported =
          std::count_if(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->pid == 0; });
      if (unreported >= most_unreported) return;
      const auto taken = [&](std::uint32_t p) {
        return std::any_of(workers_.begin(), workers_.end(),
                           [p](const worker_ptr& w) { return w->id % process::max_places == p; });
      };
      while (taken(place)) ++place;
    }
    if (recruiting_.must_wait(std::chrono::steady_clock::now())) return;
    try {
      if (!start_worker(place)) return;
      dismiss_surplus_workers();
    } catch (const std::exception& e) {
      no_worker_started(e.what());
      return;
    }
  }
}

// The worker counts as there from now on: its ring can be filled while it is being forked.
// False if that is not to be had now, or the server turns out to be dead: that is the next thing that read_reports() finds.
bool process_pool_state::start_worker(std::uint32_t place) {
  if (!link_) {
    if (options_.start == start_method::fork) {
      break_pool(
          "the fork server, a fork of this process, has died, and start_method::fork cannot make another "
          "one: "
          "this process has had threads since, the pool's own among them");
      return false;
    }
    link_ = process::server_link::start(options_.start, greeting());
  }
  auto [here, there] = posix::make_socket_pair();
  const std::uint32_t id = place + process::max_places * (workers_started_++ % process::max_places);
  auto worker = std::make_shared<process::remote_worker>(id, recruiting_.round(), std::move(here));
  if (options_.start_timeout.has_value())
    worker->must_serve_by = std::chrono::steady_clock::now() + options_.start_timeout.value();
  const std::array<int, static_cast<std::size_t>(process::start_fd::count)> fds{worker->ring_fd(),
                                                                                there.get(), bell_.fd()};
  {
    const lock held(mutex_);
    workers_.reserve(workers_.size() + 1);  // what may fail does so before it is told
  }
  // There is no room for it only behind signals that the server has yet to read: what comes of those wakes the manager.
  if (link_.send({.what = process::command::kind::start, .worker = id}, fds) != posix::send_status::sent)
    return false;
  const lock held(mutex_);
  workers_.push_back(std::move(worker));
  return true;
}

void process_pool_state::no_worker_started(const char* why) noexcept {
  recruiting_.refused(recruiting_.round(), std::chrono::steady_clock::now());
  if (workers_.empty() && recruiting_.none_can_be_started())
    break_pool("no worker can be started: ", [why] { return std::string(why); });
}

}  // namespace tandem::detail
