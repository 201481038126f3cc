// submit() and as_completed() with something attached to each future: here the URL that it belongs to.
//
// as_completed() takes any forward range and a projection that leads from an element to its future. It gives
// references to the range's own elements, so the URL is at hand when the result comes. An exception stays with the
// task that threw it: get() rethrows it, and the loop goes on.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

// Stands for a download: waits a while, gives the text or throws. fetch_pages.cpp does it over a real connection.
std::string load(const std::string& url) {
  static const std::map<std::string, std::string> web{
      {"https://example.com/", "Example Domain"},
      {"https://example.com/about", "About examples"},
      {"https://example.org/", "Another example"},
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(url.size() % 7));
  const auto page = web.find(url);
  if (page == web.end()) throw std::runtime_error("404 not found");
  return page->second;
}

}  // namespace

int main() {
  const std::vector<std::string> urls{"https://example.com/", "https://example.com/about",
                                      "https://example.com/missing", "https://example.org/"};

  // Tasks that wait rather than compute: more workers than CPUs are fine.
  tandem::thread_pool pool({.max_workers = 4, .name_prefix = "load"});

  using job = std::pair<std::string, tandem::future<std::string>>;
  std::vector<job> jobs;
  for (const std::string& url : urls) jobs.emplace_back(url, pool.submit(load, url));

  std::vector<std::string> report;
  for (auto& [url, page] : tandem::as_completed(jobs, &job::second)) {
    try {
      report.push_back(url + ": " + page.get());
    } catch (const std::exception& e) {
      report.push_back(url + " failed: " + e.what());
    }
    std::cout << report.size() << " of " << jobs.size() << " done\n";
  }

  // The pages came in any order; sorted, the output is the same every time.
  std::sort(report.begin(), report.end());
  for (const std::string& line : report) std::cout << line << '\n';
}
