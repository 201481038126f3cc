// Futures that go on: then() says what is done with a result, when_all() and when_any() make one future of many.
// Nothing here waits but the last line of each part.
#include <tandem/tandem.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

std::string fetch(int page) {
  if (page == 13) throw std::out_of_range("there is no page 13");
  return "page " + std::to_string(page) + ": " + std::string(static_cast<std::size_t>(page), '#');
}

std::size_t measure(const std::string& text) { return text.size(); }

}  // namespace

int main() {
  tandem::thread_pool network({.max_workers = 4});
  tandem::thread_pool compute({.max_workers = 2});

  // Each step is a task of the pool that it names; without one it runs where the step before it ends.
  auto size = network.submit(fetch, 5).then(compute, measure).then([](std::size_t n) {
    return std::to_string(n) + " bytes";
  });
  std::cout << size.get() << '\n';

  // A failure skips the steps that want a value. A step that takes the future itself is called whatever has happened.
  auto rescued = network.submit(fetch, 13).then(compute, measure).then([](tandem::future<std::size_t> done) {
    try {
      return done.get();
    } catch (const std::out_of_range& e) {
      std::cout << "rescued: " << e.what() << '\n';
      return std::size_t{0};
    }
  });
  std::cout << rescued.get() << " bytes\n";

  // A step that returns a future is as good as one that returns its value.
  auto follow = network.submit(fetch, 1).then(
      [&](const std::string& text) { return network.submit(fetch, static_cast<int>(text.size()) - 5); });
  std::cout << follow.get() << '\n';

  std::vector<tandem::future<std::string>> pages;
  for (int page = 1; page <= 3; ++page) pages.push_back(network.submit(fetch, page));
  auto total = when_all(std::move(pages)).then([](std::vector<tandem::future<std::string>> all) {
    std::size_t sum = 0;
    for (auto& page : all) sum += page.get().size();
    return sum;
  });
  std::cout << "all pages: " << total.get() << " bytes\n";

  // The first of two: the other one is left as it is, and may be cancelled.
  tandem::promise<std::string> slow;
  auto first = when_any(slow.get_future(), network.submit(fetch, 2)).get();
  std::cout << "number " << first.index << " was first: " << std::get<1>(first.futures).get() << '\n';
  std::get<0>(first.futures).cancel();
}
