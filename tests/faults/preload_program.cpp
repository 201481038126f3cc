// What preload() does, in a program of its own: what it was given stays for the rest of a process. Prints what it sees.
#include "support/process_gate.hpp"

#include <tandem/tandem.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <unistd.h>

namespace {

using tandem::process_pool;
using tandem::start_method;
using tandem::test::shared_counter;

constexpr char calls_variable[] = "TANDEM_TEST_CALLS";
constexpr char met_variable[] = "TANDEM_TEST_MET";

std::string table;
std::string order;

void load() {
  table = "loaded";
  order += "1";
  shared_counter(std::getenv(calls_variable)).add();
}
void load_more() { order += "2"; }
void load_into_the_output() { std::printf("written once, "); }
void fail() { throw std::out_of_range("no such table"); }
void crash() { std::abort(); }
void fail_at_length() { throw std::out_of_range("no such table: " + std::string(100'000, 'x')); }
// A copy of the server's end of the socket, which no close-on-exec takes away; until it has no parent but this program's.
void leave_a_process() {
  if (fork() != 0) return;
  shared_counter(std::getenv(met_variable)).wait_for(1);
  _exit(0);
}
void ignore_children() { std::signal(SIGCHLD, SIG_IGN); }
void leave_a_thread() {
  std::thread([] {
    for (;;) pause();
  }).detach();
}

// Two of these need two workers.
std::string meet_and_tell() {
  shared_counter met(std::getenv(met_variable));
  met.add();
  met.wait_for(2);
  return table + " " + order;
}

int server_of_worker() { return static_cast<int>(getppid()); }

std::string tell() { return table + " " + order; }

int nested() {
  process_pool pool({.max_workers = 1});
  return pool.submit([] { return static_cast<int>(table.size()); }).get();
}

void show_shared(start_method how) {
  tandem::preload(load);
  tandem::preload([] { load_more(); });
  process_pool pool({.max_workers = 2, .start = how});
  auto one = pool.submit(meet_and_tell);
  auto other = pool.submit(meet_and_tell);
  const std::string first = one.get();
  const std::string second = other.get();
  const int calls = shared_counter(std::getenv(calls_variable)).value();
  std::printf("%s, %s, %d calls, here '%s'\n", first.c_str(), second.c_str(), calls, table.c_str());
}

void show_replaced_server() {
  tandem::preload(load);
  process_pool pool({.max_workers = 1});
  const shared_counter calls(std::getenv(calls_variable));
  std::printf("%s, ", pool.submit(tell).get().c_str());
  kill(pool.submit(server_of_worker).get(), SIGKILL);
  while (calls.value() < 2) static_cast<void>(pool.submit({.retries = 5}, tell).get());
  std::printf("%s, %d calls\n", pool.submit(tell).get().c_str(), calls.value());
}

void show_silent_end() {
  tandem::preload(leave_a_process);
  process_pool pool({.max_workers = 1});
  const int server = pool.submit(server_of_worker).get();
  kill(server, SIGKILL);
  while (pool.submit({.retries = 5}, server_of_worker).get() == server) {
    // The old worker may live for a moment.
  }
  shared_counter(std::getenv(met_variable)).add();
  std::printf("another server\n");
}

void show_exit_code() {
  tandem::preload(ignore_children);
  process_pool pool({.max_workers = 1});
  try {
    pool.submit([] { _exit(9); }).get();
  } catch (const tandem::worker_died_error& e) {
    std::printf("exit code %d\n", e.exit_code());
  }
}

void show_error(tandem::worker_hook f) {
  tandem::preload(std::move(f));
  try {
    const process_pool pool({.max_workers = 1});
  } catch (const tandem::start_error& e) {
    std::printf("start_error: %s\n", e.what());
  }
}

void show_broken_spawn() {
  tandem::preload(fail);
  process_pool pool({.max_workers = 1, .start = start_method::spawn});
  try {
    static_cast<void>(pool.submit(tell).get());
  } catch (const tandem::broken_pool_error& e) {
    std::printf("broken_pool_error: %s\n", e.what());
  }
}

void show_empty() {
  try {
    tandem::preload(nullptr);
  } catch (const std::invalid_argument& e) {
    std::printf("invalid_argument: %s\n", e.what());
  }
}

void show_nested() {
  tandem::preload(load);
  process_pool pool({.max_workers = 1});
  std::printf("%d bytes\n", pool.submit(nested).get());
}

void show_output() {
  tandem::preload(load_into_the_output);
  process_pool pool({.max_workers = 2});
  auto one = pool.submit(meet_and_tell);
  auto other = pool.submit(meet_and_tell);
  one.wait();
  other.wait();
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const std::string_view what = argc > 1 ? argv[1] : "";
  const tandem::test::scratch_directory files;
  setenv(calls_variable, (files / "calls").c_str(), 1);
  setenv(met_variable, (files / "met").c_str(), 1);
  if (what == "fork_server") show_shared(start_method::fork_server);
  if (what == "fork") show_shared(start_method::fork);
  if (what == "spawn") show_shared(start_method::spawn);
  if (what == "replaced_server") show_replaced_server();
  if (what == "throws") show_error(fail);
  if (what == "throws_at_length") show_error(fail_at_length);
  if (what == "exit_code") show_exit_code();
  if (what == "silent_end") show_silent_end();
  if (what == "crashes") show_error(crash);
  if (what == "threads") show_error(leave_a_thread);
  if (what == "throws_in_spawn") show_broken_spawn();
  if (what == "empty") show_empty();
  if (what == "nested") show_nested();
  if (what == "output") show_output();
}
