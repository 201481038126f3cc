// What is urgent goes first: orders of customers who wait, between the mail of the day and the report of the month. And
// many tasks at once.
#include <tandem/tandem.hpp>

#include <iostream>
#include <latch>
#include <string>
#include <vector>

int main() {
  tandem::thread_pool pool({.max_workers = 1});
  std::latch opening_time(1);
  pool.post([&] { opening_time.wait(); });  // until then everything waits

  const auto work = [](const std::string& what) { std::cout << what << '\n'; };
  pool.post({.priority = tandem::priority::low}, work, "the report of the month");
  pool.post(work, "a letter");
  pool.post({.priority = tandem::priority::high}, work, "a customer");
  pool.post(work, "another letter");
  pool.post({.priority = tandem::priority::high}, work, "another customer");

  // All invoices of the day in one call: a future for each, in order.
  const std::vector<int> amounts{120, 80, 310};
  auto invoices = pool.submit_each(
      {.name = "invoice", .priority = tandem::priority::low}, [](int amount) { return amount * 119 / 100; },
      amounts);

  opening_time.count_down();
  pool.shutdown();
  for (auto& invoice : invoices) std::cout << "an invoice of " << invoice.get() << '\n';
}
