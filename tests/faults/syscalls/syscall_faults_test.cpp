// Every system call that src/posix makes, failed once: at its first use, at its second, ... until a scene with all that a
// pool does no longer reaches it; in the pool's process, in its fork server and in its workers. Each future ends with its
// value or with a documented error, nothing hangs (the watchdog), and nothing is left behind.
#include "faults/syscalls/fault_plan.hpp"
#include "faults/tasks.hpp"
#include "support/leak_check.hpp"
#include "support/watchdog.hpp"

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/shared_buffer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::start_method;
using tandem::test::call;
using tandem::test::role;

/// Runs `step`: it has its value, or throws an error that a user was told to expect.
template <class Step>
void expect_value_or_error(Step step) {
  try {
    step();
  } catch (const tandem::worker_died_error&) {
  } catch (const tandem::broken_pool_error&) {
  } catch (const tandem::start_error&) {
  } catch (const tandem::timeout_error&) {
  } catch (const tandem::cancelled_error&) {
  } catch (const tandem::decode_error&) {  // a large payload's descriptor did not arrive
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()), "");
  } catch (const std::bad_alloc&) {
  } catch (const std::exception& error) {
    ADD_FAILURE() << "undocumented: " << typeid(error).name() << ": " << error.what();
  }
}

void nothing_to_prepare() {}

int wait_for_a_signal() {
  ::pause();
  return 0;
}

long sum_of(tandem::shared_buffer<int> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0L);
}

/// What a pool does: small and large tasks, a shared buffer, a worker that is killed for its time limit, one that crashes, one
/// that has had enough tasks, one that is idle for too long, and the end.
void use_a_pool(start_method how) {
  process_pool pool({.max_workers = 2,
                     .start = how,
                     .initializer = nothing_to_prepare,
                     .finalizer = nothing_to_prepare,
                     .max_tasks_per_worker = 6,
                     .idle_timeout = 1ms});
  std::vector<tandem::future<int>> small;
  for (int i = 0; i < 8; ++i) small.push_back(pool.submit(tandem::test::add_one, i));
  auto endless = pool.submit({.timeout = 5ms}, wait_for_a_signal);
  auto dies = pool.submit(tandem::test::die, tandem::test::death::sigsegv);
  const std::string text(200'000, 'x');
  auto large = pool.submit(tandem::test::echo, text);
  tandem::future<long> sum;
  expect_value_or_error([&] {
    const tandem::shared_buffer<int> ones(1000,
                                          [](std::span<int> to) { std::fill(to.begin(), to.end(), 1); });
    sum = pool.submit(sum_of, ones);
  });
  for (int i = 0; i < 8; ++i)
    expect_value_or_error([&] { EXPECT_EQ(small[static_cast<std::size_t>(i)].get(), i + 1); });
  expect_value_or_error([&] {
    endless.get();
    ADD_FAILURE() << "a task that ends only by a signal has a value";
  });
  expect_value_or_error([&] {
    dies.get();
    ADD_FAILURE() << "a task whose worker dies has a value";
  });
  expect_value_or_error([&] { EXPECT_EQ(large.get(), text); });
  if (sum.valid()) expect_value_or_error([&] { EXPECT_EQ(sum.get(), 1000); });
  expect_value_or_error([&] { EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2); });
  expect_value_or_error([&] { pool.shutdown(); });
}

/// The other end: by force, while a task runs and another one waits.
void end_a_pool_by_force(start_method how) {
  process_pool pool({.max_workers = 1, .start = how});
  auto small = pool.submit(tandem::test::add_one, 1);
  auto endless = pool.submit(wait_for_a_signal);
  auto waits = pool.submit(tandem::test::add_one, 1);
  expect_value_or_error([&] { EXPECT_EQ(small.get(), 2); });
  expect_value_or_error([&] { pool.terminate(); });
  expect_value_or_error([&] { endless.get(); });
  expect_value_or_error([&] { waits.get(); });
}

/// Memory of a pool that is mapped here.
int mapped_pool_memory() {
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  for (std::string line; std::getline(maps, line);) found += line.find("/memfd:tandem") != std::string::npos;
  return found;
}

struct fault {
  call which;
  std::initializer_list<int> errors;
};

// What each may say, other than of its arguments.
const std::initializer_list<fault> faults = {
    {call::memfd_create, {EMFILE, ENFILE, ENOMEM}},
    {call::ftruncate, {EINTR, ENOSPC, ENOMEM}},
    {call::fstat, {ENOMEM}},
    {call::mmap, {ENOMEM, EAGAIN}},
    {call::mprotect, {ENOMEM}},
    {call::duplicate, {EMFILE}},
    {call::seal, {EBUSY}},
    {call::set_flags, {EBADF}},
    {call::socketpair, {EMFILE, ENFILE, ENOMEM}},
    {call::sendmsg, {EINTR, ENOBUFS, ENOMEM, ETOOMANYREFS}},
    {call::recvmsg, {EINTR, ENOMEM, EAGAIN}},
    {call::eventfd, {EMFILE, ENFILE, ENOMEM}},
    {call::read, {EINTR, EAGAIN}},
    {call::write, {EINTR}},
    {call::ppoll, {EINTR, ENOMEM}},
    {call::open, {EINTR, EMFILE, ENOMEM}},
    {call::opendir, {EMFILE, ENOMEM}},
    {call::readlink, {ENOMEM}},
    {call::clone, {EAGAIN, ENOMEM}},
    {call::fork, {EAGAIN, ENOMEM}},
    {call::kill, {EPERM}},
    {call::setpgid, {EPERM, EACCES}},
    {call::prctl, {EINVAL}},
    {call::wait4, {EINTR, ECHILD}},
    {call::waitid, {EINTR, ECHILD}},
    {call::waitpid, {EINTR, ECHILD}},
    {call::dup2, {EINTR, EMFILE}},
    {call::pread, {EINTR, EIO}},
    {call::pwrite, {EINTR, ENOSPC, ENOMEM}},
    {call::fallocate, {EINTR, ENOSPC}},
    {call::fstatfs, {ENOMEM}},
    {call::signalfd, {EMFILE, ENOMEM}},
    {call::sigaltstack, {ENOMEM}},
    {call::getrlimit, {EINVAL}},
    {call::setrlimit, {EPERM}},
    {call::affinity, {EPERM}},
    {call::futex_wait, {EINTR, EAGAIN}},
    {call::pidfd_open, {EMFILE, ENFILE, ENOMEM}},
    {call::pidfd_send_signal, {EPERM}},
    {call::close_range, {ENOSYS, ENOMEM}},
    {call::exec, {EAGAIN, ENOMEM, ENOENT}},
};

using scene = void (*)(start_method how);

/// One scene under one fault. True if it came to it.
bool meets(role who, call which, int use, int error, bool lasting, start_method how,
           scene play = use_a_pool) {
  const std::string what = std::string(name_of(which)) + " in " + name_of(who) + ", use " +
                           std::to_string(use) + (lasting ? " and later: " : ": ") + std::strerror(error);
  SCOPED_TRACE(what);
  std::printf("%s\n", what.c_str());  // a hang is told with it
  std::fflush(stdout);
  tandem::test::fault_plan& plan = tandem::test::the_plan();
  plan.who = static_cast<int>(who);
  plan.which = static_cast<int>(which);
  plan.error = error;
  plan.lasting = lasting;
  plan.left = use;
  plan.reached = false;
  plan.armed = true;
  const auto begin = std::chrono::steady_clock::now();
  expect_value_or_error([=] { play(how); });
  std::printf("%f s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  plan.armed = false;
  EXPECT_EQ(tandem::test::left_behind(), "");
  EXPECT_EQ(mapped_pool_memory(), 0);
  return plan.reached;
}

/// The n-th use of each call, n = 1, 2, 3, ..., one error after the other in turn. Of those that are made in loops (all of
/// /proc is read), not every one behind the eighth.
void fail_each(role who, start_method how, scene play = use_a_pool) {
  const int step = tandem::test::slowness();  // a sanitizer's programs take long to start
  for (const fault& f : faults) {
    std::size_t turn = 0;
    for (int use = 1;; use += step * (1 + use / 8)) {
      const int error = f.errors.begin()[turn++ % f.errors.size()];
      if (!meets(who, f.which, use, error, false, how, play) || testing::Test::HasFailure()) break;
    }
    if (testing::Test::HasFailure()) return;
  }
}

/// The same call fails from its n-th use on, for good. Few: a pool that can start nobody tries for some seconds before it
/// gives up.
void fail_for_good(role who, std::initializer_list<std::pair<call, int>> shortages,
                   std::initializer_list<int> uses) {
  for (const auto& [which, error] : shortages) {
    for (const int use : uses) {
      if (!meets(who, which, use, error, true, start_method::fork_server)) break;
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(SyscallFaults, InThePoolsProcess) { fail_each(role::parent, start_method::fork_server); }

TEST(SyscallFaults, InTheForkServer) { fail_each(role::server, start_method::fork_server); }

TEST(SyscallFaults, InAWorker) { fail_each(role::worker, start_method::fork_server); }

TEST(SyscallFaults, InThePoolsProcessThatForks) { fail_each(role::parent, start_method::fork); }

TEST(SyscallFaults, InAForkedServerOrAWorkerOfIt) { fail_each(role::worker, start_method::fork); }

TEST(SyscallFaults, InThePoolsProcessThatSpawns) { fail_each(role::parent, start_method::spawn); }

// A spawned worker is a start of the program, as the fork server is, and counts as one.
TEST(SyscallFaults, InASpawnedWorker) { fail_each(role::server, start_method::spawn); }

TEST(SyscallFaults, AtAnEndByForceInThePoolsProcess) {
  fail_each(role::parent, start_method::fork_server, end_a_pool_by_force);
}

TEST(SyscallFaults, AtAnEndByForceInTheForkServer) {
  fail_each(role::server, start_method::fork_server, end_a_pool_by_force);
}

TEST(SyscallFaults, ForGoodInThePoolsProcess) {
  fail_for_good(role::parent,
                {{call::memfd_create, EMFILE},
                 {call::mmap, ENOMEM},
                 {call::sendmsg, ENOBUFS},
                 {call::recvmsg, ENOMEM},
                 {call::socketpair, EMFILE},
                 {call::ppoll, ENOMEM},
                 {call::clone, ENOMEM},
                 {call::duplicate, EMFILE}},
                {1, 5});
}

TEST(SyscallFaults, ForGoodInTheForkServer) {
  fail_for_good(role::server,
                {{call::sendmsg, ENOBUFS},
                 {call::recvmsg, ENOMEM},
                 {call::ppoll, ENOMEM},
                 {call::fork, ENOMEM},
                 {call::pidfd_open, EMFILE},
                 {call::open, EMFILE}},
                {1});
}

TEST(SyscallFaults, ForGoodInAWorker) {
  fail_for_good(role::worker,
                {{call::memfd_create, EMFILE},
                 {call::mmap, ENOMEM},
                 {call::sendmsg, ENOBUFS},
                 {call::recvmsg, ENOMEM},
                 {call::open, EMFILE},
                 {call::duplicate, EMFILE}},
                {1, 5});
}

}  // namespace
