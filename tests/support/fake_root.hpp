// A root directory in a temporary place, for code that reads /proc and /sys.
#ifndef TANDEM_TESTS_SUPPORT_FAKE_ROOT_HPP
#define TANDEM_TESTS_SUPPORT_FAKE_ROOT_HPP

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace tandem::test {

/// Holds what a test writes into it, and goes with it.
class fake_root {
 public:
  fake_root() {
    std::string name = (std::filesystem::temp_directory_path() / "tandem-root-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  fake_root(const fake_root&) = delete;
  fake_root& operator=(const fake_root&) = delete;
  ~fake_root() { std::filesystem::remove_all(path_); }

  /// `file` begins with a slash. Makes the directories too.
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path_ + file).substr(0, (path_ + file).rfind('/')));
    std::ofstream(path_ + file) << text;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tandem::test

#endif
