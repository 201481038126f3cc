#include "posix/file.hpp"

#include "posix/check.hpp"
#include "posix/unique_fd.hpp"

#include <array>

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

}  // namespace tandem::posix
