// Pure computation in a few tasks of very unequal length: the last one takes over a third of all the time, so
// that no number of workers can be more than about 2.6 times as fast as one.
#include <tandem/as_completed.hpp>
#include <tandem/future.hpp>

#include "format.hpp"
#include "workload.hpp"

namespace compare {
namespace {

// Doubly recursive on purpose: the work is the calls. Left to itself, GCC inlines several levels of them, and the whole
// table takes 16 ms, hardly more than the system needs to spread threads over CPUs.
[[gnu::noinline]] long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

std::string call(int n) { return "fib(" + std::to_string(n) + ")"; }

class fib_workload final : public workload {
 public:
  fib_workload(int first, int last) : first_(first), last_(last) {}

  [[nodiscard]] std::string name() const override { return "fib"; }
  [[nodiscard]] std::string kind() const override { return "CPU-bound"; }
  [[nodiscard]] std::string description() const override {
    return call(first_) + " ... " + call(last_) + ", one task each";
  }
  [[nodiscard]] int tasks() const override { return last_ - first_ + 1; }

  [[nodiscard]] results run_serial() override {
    results found;
    for (int n = first_; n <= last_; ++n) found[call(n)] = fib(n);
    return found;
  }

  [[nodiscard]] results run_on(tandem::executor& pool) override {
    std::vector<tandem::future<long>> futures;
    for (int n = first_; n <= last_; ++n) futures.push_back(pool.submit(fib, n));
    results found;
    for (int n = first_; n <= last_; ++n)
      found[call(n)] = futures[static_cast<std::size_t>(n - first_)].get();
    return found;
  }

 private:
  int first_;
  int last_;
};

}  // namespace

std::unique_ptr<workload> make_fib(const options& wanted) {
  return std::make_unique<fib_workload>(wanted.fib_first, wanted.fib_last);
}

}  // namespace compare
