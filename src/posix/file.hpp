// Reading small text files, such as those of /proc and /sys, without std::ifstream, whose descriptors are not
// close-on-exec.
#ifndef TANDEM_POSIX_FILE_HPP
#define TANDEM_POSIX_FILE_HPP

#include <optional>
#include <string>

namespace tandem::posix {

/// Returns the content of the file; nothing if it cannot be opened or read, for whatever reason.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_FILE_HPP
