// One function, any backend: code takes an executor& and leaves the choice to main, even to the command line.
//
//   choose_backend [thread|process|tbb|inline]      without an argument: all of them
#include <tandem/tandem.hpp>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::string reversed(const std::string& word) { return {word.rbegin(), word.rend()}; }

// Knows nothing of threads or processes. What is submitted through an executor& must suit the backend: a lambda
// that captures by reference is fine for threads; with a process pool its future would hold not_portable_error.
std::string reverse_words(tandem::executor& pool, const std::vector<std::string>& words) {
  std::string sentence;
  for (const std::string& word : pool.map(reversed, words)) sentence += (sentence.empty() ? "" : " ") + word;
  return sentence;
}

std::unique_ptr<tandem::executor> make_executor(const std::string& backend) {
  if (backend == "thread")
    return std::make_unique<tandem::thread_pool>(tandem::thread_pool_options{.max_workers = 2});
  if (backend == "process")
    return std::make_unique<tandem::process_pool>(tandem::process_pool_options{.max_workers = 2});
  if (backend == "tbb") return std::make_unique<tandem::tbb_pool>(tandem::tbb_pool_options{.max_workers = 2});
  if (backend == "inline") return std::make_unique<tandem::inline_executor>();
  throw std::invalid_argument("no backend '" + backend + "'; there are thread, process, tbb and inline");
}

}  // namespace

int main(int argc, char** argv) try {
  tandem::init(argc, argv);
  std::vector<std::string> backends(argv + 1, argv + argc);
  if (backends.empty()) backends = {"thread", "process", "tbb", "inline"};
  for (const std::string& backend : backends) {
    const auto pool = make_executor(backend);
    std::cout << backend << ": " << reverse_words(*pool, {"one", "interface", "for", "all"}) << '\n';
  }
} catch (const std::exception& e) {
  std::cerr << "choose_backend: " << e.what() << '\n';
  return 1;
}
