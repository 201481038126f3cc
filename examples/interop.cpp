// A program that is moved to tandem step by step: some of its parts give and want std::future or boost::future.
#include <tandem/interop.hpp>
#include <tandem/thread_pool.hpp>

#include <future>
#include <iostream>
#include <string>
#include <utility>

// Parts that stay as they are.
std::future<int> old_library(int x) {
  return std::async(std::launch::async, [x] { return 7 * x; });
}
void old_consumer(std::future<std::string> text) { std::cout << "consumer got " << text.get() << '\n'; }
boost::future<int> boost_library(int x) { return boost::make_ready_future(x + 1); }

int main() {
  tandem::thread_pool pool;

  // Theirs, to be continued by ours: a task of the pool waits, and a spare worker stands in for it.
  std::future<int> answer = old_library(6);
  auto text = tandem::from_std(pool, std::move(answer)).then([](int n) { return std::to_string(n); });

  // Ours, for those who want theirs: nobody waits.
  old_consumer(tandem::to_std(std::move(text)));

  boost::future<int> next = tandem::to_boost(tandem::from_boost(pool, boost_library(1)));
  std::cout << "Boost has " << next.get() << '\n';
}
