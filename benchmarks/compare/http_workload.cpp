// Waiting with some work around it: a connection, a request, a wait and a page that comes back to the caller.
#include <functional>
#include <tandem/as_completed.hpp>
#include <tandem/future.hpp>

#include "format.hpp"
#include "page_server.hpp"
#include "workload.hpp"

namespace compare {
namespace {

class http_workload final : public workload {
 public:
  http_workload(int pages, std::chrono::microseconds latency)
      : pages_(pages), latency_(latency), server_(latency) {}

  [[nodiscard]] std::string name() const override { return "http"; }
  [[nodiscard]] std::string kind() const override { return "IO-bound"; }
  [[nodiscard]] std::string description() const override {
    return counted(pages_, "page", "pages") + " from a server on loopback that takes " +
           milliseconds(latency_) + " for each";
  }
  [[nodiscard]] int tasks() const override { return pages_; }
  [[nodiscard]] double helper_cpu_seconds() const override { return server_.cpu_seconds(); }

  [[nodiscard]] results run_serial() override {
    results found;
    for (int n = 0; n < pages_; ++n) found.insert(entry(n, fetch_page(server_.port(), n)));
    return found;
  }

  [[nodiscard]] results run_on(tandem::executor& pool) override {
    struct job {
      int number;
      tandem::future<std::string> page;
    };
    std::vector<job> jobs;
    jobs.reserve(static_cast<std::size_t>(pages_));
    for (int n = 0; n < pages_; ++n)
      jobs.push_back({n, pool.submit(fetch_page, static_cast<int>(server_.port()), n)});
    results found;
    for (job& ready : tandem::as_completed(jobs, &job::page))
      found.insert(entry(ready.number, ready.page.get()));
    return found;
  }

 private:
  // A hash stands for the text: all backends run in this process, where equal texts hash alike.
  static std::pair<std::string, long> entry(int number, const std::string& text) {
    return {"page " + std::to_string(number), static_cast<long>(std::hash<std::string>{}(text))};
  }

  int pages_;
  std::chrono::microseconds latency_;
  page_server server_;
};

}  // namespace

std::unique_ptr<workload> make_http(const options& wanted) {
  return std::make_unique<http_workload>(wanted.pages, wanted.latency);
}

}  // namespace compare
