#include "posix/file.hpp"

#include "posix/check.hpp"
#include "posix/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace tandem::posix {

std::optional<std::string> read_text(const std::string& path) {
  const unique_fd file(retry_on_eintr([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    // Until 0: files of /proc have no size, and may come in pieces.
    const ssize_t size = retry_on_eintr([&] { return ::read(file.get(), buffer.data(), buffer.size()); });
    if (size < 0) return std::nullopt;
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::vector<int> numbers_in(const char* directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory),
                                                 ::closedir);  // Close-on-exec: glibc's rule.
  if (!open) {
    const int error = errno;
    throw_system_error(error, std::string("opening ") + directory);
  }
  std::vector<int> result;
  // readdir is not to be called by two threads for the same stream; this one is ours alone.
  while (const dirent* entry = ::readdir(open.get())) {  // NOLINT(concurrency-mt-unsafe)
    int number = -1;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, number).ptr == end) result.push_back(number);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace tandem::posix
