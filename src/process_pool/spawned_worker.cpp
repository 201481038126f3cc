// From the server's child through exec to a worker.
#include "process_pool/spawned_worker.hpp"

#include "posix/memfd.hpp"
#include "posix/process.hpp"
#include "posix/spawn.hpp"

#include "process_pool/worker.hpp"

#include <tandem/error.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace tandem::process {

namespace {

// What follows worker_argument: numbers with commas between, in this order. Then the descriptors, as start_fd has them.
enum class word : std::size_t { parent, id, greeting, first_fd };

constexpr std::size_t fd_count = static_cast<std::size_t>(start_fd::count);
constexpr std::size_t word_count = static_cast<std::size_t>(word::first_fd) + fd_count;
using words = std::array<std::int64_t, word_count>;

int at(const words& all, std::size_t which) { return static_cast<int>(all[which]); }
int at(const words& all, word which) { return at(all, static_cast<std::size_t>(which)); }

// Nothing if it is anything else: a user who tries the argument by hand.
std::optional<words> parse(std::string_view text) {
  words all{};
  const char* next = text.data();
  const char* const end = next + text.size();
  for (std::size_t i = 0; i < word_count; ++i) {
    const auto [stop, error] = std::from_chars(next, end, all[i]);
    const bool last = i + 1 == word_count;
    if (error != std::errc() || (last ? stop != end : stop == end || *stop != ',')) return {};
    next = stop + 1;
  }
  return all;
}

}  // namespace

void become_spawned_worker(pid_t parent, std::uint32_t id, int greeting,
                           std::span<const posix::unique_fd> fds) {
  std::string argument =
      worker_argument + std::to_string(parent) + "," + std::to_string(id) + "," + std::to_string(greeting);
  std::array<int, 1 + fd_count> keep{greeting};
  for (std::size_t i = 0; i < fd_count; ++i) {
    keep[1 + i] = fds[i].get();
    argument += "," + std::to_string(fds[i].get());
  }
  posix::exec_again(std::array<std::string, 2>{posix::executable_path(), argument}, keep);
}

int run_spawned_worker(std::string_view argument) {
  const std::optional<words> all = parse(argument);
  if (!all) {
    std::fprintf(stderr, "tandem: %s is for the library's own use\n", worker_argument);
    return 2;
  }
  try {
    // The request survives exec, but not that of a program with privileges of its own.
    if (!posix::set_parent_death_signal(SIGKILL, at(*all, word::parent))) return 0;
    const auto take = [&](start_fd which) {
      posix::unique_fd fd(
          at(*all, static_cast<std::size_t>(word::first_fd) + static_cast<std::size_t>(which)));
      posix::set_close_on_exec(fd.get(), true);  // what a task starts gets none of them
      return fd;
    };
    worker_setup setup{ring::open(take(start_fd::ring)), take(start_fd::socket),
                       posix::event_fd(take(start_fd::bell)),
                       static_cast<int>((*all)[static_cast<std::size_t>(word::id)] % max_places)};
    posix::unique_fd memory(at(*all, word::greeting));
    const hello config = read_greeting(memory.get());
    memory.reset();
    reader table(std::as_bytes(std::span(config.modules)));
    const detail::peer_modules modules(table);
    return run_worker(std::move(setup), config, modules);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tandem: a worker process could not start: %s\n", e.what());
    return 71;
  }
}

}  // namespace tandem::process
