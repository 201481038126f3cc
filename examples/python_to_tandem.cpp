// The snippets of docs/python.md: what a Python program does with threading, queue, concurrent.futures, multiprocessing,
// joblib and asyncio, each in C++.
#include <tandem/tandem.hpp>

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <boost/thread/concurrent_queues/sync_bounded_queue.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <latch>
#include <mutex>
#include <numeric>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int add(int a, int b) { return a + b; }
int fail_for(int n) {
  if (n == 2) throw std::out_of_range("2 is too far");
  return n;
}
void leave_with(int code) { std::_Exit(code); }

// --- concurrent.futures --------------------------------------------------------------------------------------------

void futures() {
  tandem::process_pool pool({.max_workers = 2});  // ProcessPoolExecutor(max_workers=2)
  std::vector<tandem::future<long>> fs;
  for (int n : {20, 21, 22}) fs.push_back(pool.submit(fib, n));
  long sum = 0;
  for (auto& f : tandem::as_completed(fs)) sum += f.get();
  std::cout << "as_completed: " << sum << '\n';

  const std::vector<int> ns{5, 6, 7};
  for (long result : pool.imap(fib, ns)) std::cout << "map: " << result << '\n';  // lazy, as Executor.map

  auto f = pool.submit(fail_for, 2);
  try {
    f.get(10s);  // future.result(timeout=10)
  } catch (const std::out_of_range& e) {
    std::cout << "result: " << e.what() << '\n';
  }
}

void waiting() {
  tandem::thread_pool pool({.max_workers = 2});
  std::vector<tandem::future<int>> fs;
  for (int n : {1, 2, 3}) fs.push_back(pool.submit(fail_for, n));
  auto [done, not_done] = tandem::wait(fs, tandem::return_when::first_exception);
  bool failed = false;
  for (auto i : done) failed = failed || fs[i].exception() != nullptr;
  std::cout << "wait: failed " << std::boolalpha << failed << '\n';
}

// --- threading -----------------------------------------------------------------------------------------------------

void threads() {
  std::mutex lock;                // Lock
  std::condition_variable ready;  // Condition
  bool set = false;               // with the two: Event
  std::latch started(2);

  std::jthread waiter([&] {  // Thread(target=...).start(), and join() at the end of the scope
    started.count_down();
    std::unique_lock held(lock);
    ready.wait(held, [&] { return set; });  // event.wait()
    std::cout << "threads: set\n";
  });
  started.arrive_and_wait();
  {
    const std::lock_guard held(lock);  // with lock:
    set = true;                        // event.set()
  }
  ready.notify_all();
}

// --- queue ---------------------------------------------------------------------------------------------------------

void queues() {
  boost::concurrent::sync_bounded_queue<int> items(10);  // Queue(maxsize=10)
  std::jthread producer([&] {
    for (int i = 1; i <= 100; ++i) items.push_back(i);  // put(); blocks while it is full
    items.close();                                      // instead of a sentinel
  });
  int item = 0;
  int sum = 0;
  while (items.wait_pull_front(item) == boost::concurrent::queue_op_status::success) sum += item;  // get()
  std::cout << "queue: " << sum << '\n';
}

// --- multiprocessing -----------------------------------------------------------------------------------------------

void pools() {
  tandem::process_pool pool({.max_workers = 2});  // Pool(2)
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  const std::vector<int> sums = pool.starmap(add, pairs);
  std::cout << "starmap: " << sums[0] << ' ' << sums[1] << '\n';

  const std::vector<int> ns{10, 11, 12};
  long total = 0;
  for (long x : pool.imap_unordered({.chunk_size = 1}, fib, ns)) total += x;
  std::cout << "imap_unordered: " << total << '\n';

  auto later = pool.submit(add, 1, 2);  // apply_async(add, (1, 2), callback=...)
  later.on_done([](tandem::future<int>& f) { std::cout << "callback: " << f.get() << '\n'; });
  later.wait();
}

void processes() {
  tandem::process_pool one({.max_workers = 1});
  auto process = one.submit(leave_with, 3);  // Process(target=leave_with, args=(3,)).start()
  try {
    process.get();  // join()
  } catch (const tandem::worker_died_error& e) {
    std::cout << "exitcode: " << e.exit_code() << '\n';
  }
}

// A worker finds the memory by its name, as with shared_memory.SharedMemory(name=...).
long sum_of_shared(const std::string& name, std::size_t count) {
  namespace ipc = boost::interprocess;
  const ipc::shared_memory_object memory(ipc::open_only, name.c_str(), ipc::read_only);
  const ipc::mapped_region region(memory, ipc::read_only);
  const auto* numbers = static_cast<const int*>(region.get_address());
  return std::accumulate(numbers, numbers + count, 0L);
}

void shared_memory() {
  namespace ipc = boost::interprocess;
  const std::string name =
      "python_to_tandem." + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  constexpr std::size_t count = 1000;
  ipc::shared_memory_object memory(ipc::create_only, name.c_str(), ipc::read_write);
  memory.truncate(count * sizeof(int));
  const ipc::mapped_region region(memory, ipc::read_write);
  std::iota(static_cast<int*>(region.get_address()), static_cast<int*>(region.get_address()) + count, 1);

  tandem::process_pool pool({.max_workers = 1});
  std::cout << "shared memory: " << pool.submit(sum_of_shared, name, count).get() << '\n';
  ipc::shared_memory_object::remove(name.c_str());  // unlink()
}

// --- joblib --------------------------------------------------------------------------------------------------------

void parallel() {
  tandem::process_pool pool({.max_workers = 2});
  const std::vector<int> ns{1, 2, 3, 4, 5};
  const std::vector<long> results = pool.map(fib, ns);  // Parallel(n_jobs=2)(delayed(fib)(n) for n in ns)
  std::cout << "Parallel: " << results.back() << '\n';
}

// --- asyncio -------------------------------------------------------------------------------------------------------

void chains() {
  tandem::thread_pool pool({.max_workers = 2});

  // a, b = await asyncio.gather(asyncio.to_thread(fib, 10), asyncio.to_thread(fib, 11))
  auto both = tandem::when_all(pool.submit(fib, 10), pool.submit(fib, 11));
  auto sum = both.then([](auto parts) {  // what stands behind the await
    auto& [a, b] = parts;
    return a.get() + b.get();
  });
  std::cout << "gather: " << sum.get() << '\n';

  // await asyncio.wait_for(..., timeout=10)
  try {
    std::cout << "wait_for: " << pool.submit(fib, 12).get(10s) << '\n';
  } catch (const tandem::timeout_error&) {
    std::cout << "wait_for: too late\n";
  }
}

// One source ends many tasks, those that wait and those that run: what cancelling a TaskGroup does.
void cancelling(const std::stop_source& stop) {
  std::latch running(2);
  tandem::thread_pool pool({.max_workers = 1});
  auto runs = pool.submit({.stop_token = stop.get_token()}, [&] {
    running.count_down();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
    return 1;
  });
  auto waits = pool.submit({.stop_token = stop.get_token()}, [] { return 2; });
  running.arrive_and_wait();
  stop.request_stop();
  std::cout << "cancel: " << runs.get() << ' ' << std::boolalpha << waits.cancelled() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);  // as `if __name__ == "__main__":` and freeze_support(), but for everything below
  futures();
  waiting();
  threads();
  queues();
  pools();
  processes();
  shared_memory();
  parallel();
  chains();
  cancelling(std::stop_source());
}
