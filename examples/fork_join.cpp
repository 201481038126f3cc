// Divide and conquer on a thread pool: task_group, parallel_invoke, parallel_for and parallel_reduce.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct node {
  int value = 0;
  std::vector<node> children;
};

node make_tree(int depth) {
  node made{depth, {}};
  for (int i = 0; i < depth; ++i) made.children.push_back(make_tree(depth - 1));
  return made;
}

void sort(std::vector<int>::iterator first, std::vector<int>::iterator last) {
  if (last - first < 5000) return std::sort(first, last);
  const auto middle = first + (last - first) / 2;
  tandem::parallel_invoke([&] { sort(first, middle); }, [&] { sort(middle, last); });
  std::inplace_merge(first, middle, last);
}

long sum(const node& tree) {
  std::vector<long> below(tree.children.size());
  tandem::task_group group;
  for (std::size_t i = 0; i < below.size(); ++i) group.run([&, i] { below[i] = sum(tree.children[i]); });
  group.wait();
  return std::accumulate(below.begin(), below.end(), long{tree.value});
}

}  // namespace

int main() {
  tandem::thread_pool pool;

  std::vector<int> numbers(100'000);
  std::iota(numbers.rbegin(), numbers.rend(), 0);
  tandem::parallel_invoke(pool, [&] { sort(numbers.begin(), numbers.end()); });
  std::cout << "sorted: " << std::boolalpha << std::ranges::is_sorted(numbers) << '\n';

  const node tree = make_tree(6);
  std::cout << "sum of the tree: " << pool.submit([&] { return sum(tree); }).get() << '\n';

  std::vector<double> roots(1'000'000);
  tandem::parallel_for(pool, 0, 1'000'000, [&](int i) { roots[i] = std::sqrt(i); });
  const double largest =
      tandem::parallel_reduce(pool, roots, 0.0, [](double a, double b) { return std::max(a, b); });
  std::cout << "largest root: " << std::round(largest) << '\n';

  const std::string text = tandem::parallel_reduce(pool, std::span(numbers).first(10), std::string(),
                                                   std::plus<>(), [](int i) { return std::to_string(i); });
  std::cout << "in order: " << text << '\n';

  try {
    tandem::parallel_for(pool, {.chunk_size = 1000}, 0, 100'000, [&](int i) {
      if (numbers[i] == 4711) throw std::runtime_error("4711 is not allowed");
    });
  } catch (const std::runtime_error& e) {
    std::cout << e.what() << '\n';
  }

  tandem::task_group search(pool);
  for (int begin = 0; begin < 100'000; begin += 10'000) {
    search.run([&, begin] {
      for (int i = begin; i < begin + 10'000 && !tandem::this_task::stop_requested(); ++i) {
        if (numbers[i] == 77'777) search.cancel();  // found: the others need not go on
      }
    });
  }
  std::cout << "found: " << (search.wait() == tandem::task_group_status::cancelled) << '\n';
}
