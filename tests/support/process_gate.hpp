// How tasks and the test wait for each other wherever the tasks run: a number in a small mapped file, known by its
// path, that goes up and can be waited for. The futex in it works between threads and between processes alike, so
// one test serves every backend. Also the directory for such files, gone with the test.
#ifndef TANDEM_TESTS_SUPPORT_PROCESS_GATE_HPP
#define TANDEM_TESTS_SUPPORT_PROCESS_GATE_HPP

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace tandem::test {

/// A temporary directory, removed at the end.
class scratch_directory {
 public:
  scratch_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "tandem-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + path);
    path_ = path;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  /// The path of a file in it.
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A number, at first 0, that all who know the path share.
class shared_counter {
 public:
  explicit shared_counter(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("cannot open " + path);
    void* memory = MAP_FAILED;
    if (ftruncate(fd, sizeof(word)) == 0)
      memory = mmap(nullptr, sizeof(word), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + path);
    word_ = static_cast<word*>(memory);
  }
  shared_counter(const shared_counter&) = delete;
  shared_counter& operator=(const shared_counter&) = delete;
  ~shared_counter() { munmap(word_, sizeof(word)); }

  /// Returns the new value.
  int add(int n = 1) {
    const int value = word_->fetch_add(n) + n;
    syscall(SYS_futex, word_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    return value;
  }
  void wait_for(int at_least) const {
    for (int now = value(); now < at_least; now = value())
      syscall(SYS_futex, word_, FUTEX_WAIT, now, nullptr, nullptr, 0);
  }
  [[nodiscard]] int value() const { return word_->load(); }

 private:
  using word = std::atomic<std::int32_t>;
  static_assert(sizeof(word) == 4 && word::is_always_lock_free);
  word* word_;
};

/// Opens a gate (a counter that tasks wait for to become 1) at the end of a scope, so that a failed assertion leaves
/// nobody behind it.
class shared_gate {
 public:
  explicit shared_gate(const std::string& path) : path_(path), counter_(path) {}
  shared_gate(const shared_gate&) = delete;
  shared_gate& operator=(const shared_gate&) = delete;
  ~shared_gate() { open(); }
  void open() { counter_.add(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  shared_counter counter_;
};

}  // namespace tandem::test

#endif
