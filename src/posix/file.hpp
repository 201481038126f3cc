// Reading small text files and directories, such as those of /proc and /sys. Not with std::ifstream, whose
// descriptors are not close-on-exec.
#ifndef TANDEM_POSIX_FILE_HPP
#define TANDEM_POSIX_FILE_HPP

#include <optional>
#include <string>
#include <vector>

namespace tandem::posix {

/// Returns the content of the file; nothing if it cannot be opened or read, for whatever reason.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path);

/// Returns the entries of a directory whose names are numbers, ascending, as in /proc/self/fd (there, the
/// descriptor that the listing itself uses is among them). @throws std::system_error if it cannot be read.
[[nodiscard]] std::vector<int> numbers_in(const char* directory);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_FILE_HPP
