// What is urgent goes first: orders of customers who wait, between the mail of the day and the report of the month.
#include <tandem/tandem.hpp>

#include <iostream>
#include <latch>
#include <string>

int main() {
  tandem::thread_pool pool({.max_workers = 1});
  std::latch opening_time(1);
  pool.post([&] { opening_time.wait(); });  // until then everything waits

  const auto work = [](std::string what) { std::cout << what << '\n'; };
  pool.post({.priority = tandem::priority::low}, work, "the report of the month");
  pool.post(work, "a letter");
  pool.post({.priority = tandem::priority::high}, work, "a customer");
  pool.post(work, "another letter");
  pool.post({.priority = tandem::priority::high}, work, "another customer");

  opening_time.count_down();
  pool.shutdown();
}
