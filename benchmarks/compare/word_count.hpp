// Counting the words of files: which files there are, how they are grouped into tasks, and the function that counts
// one group. Knows nothing of executors; the function takes and returns only what can cross to another process.
#ifndef TANDEM_COMPARE_WORD_COUNT_HPP
#define TANDEM_COMPARE_WORD_COUNT_HPP

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace compare {

/// Paths of files that one task reads.
using file_batch = std::vector<std::string>;

/// What was skipped, and why.
struct skipped_files {
  long binary = 0;      ///< A zero byte among the first 8 KiB, as git and grep decide it.
  long unreadable = 0;  ///< Could not be opened or read to the end, for whatever reason.
};

/// Words and how often each occurs; no order. A flat list, because it crosses a process boundary quicker than
/// a map does, and is merged once anyway.
struct word_tally {
  std::vector<std::pair<std::string, long>> counts;
  skipped_files skipped;
};

/// The files below a directory, grouped into tasks.
struct file_plan {
  std::vector<file_batch> batches;  ///< The largest first, so that none of them is the last to start.
  long files = 0;
  std::uintmax_t bytes = 0;
  long unreadable_directories = 0;
};

/// Finds the regular files below `directory` in the order of their names, until they hold `most_bytes`, and groups
/// neighbours until a group holds `batch_bytes`. Symbolic links are not followed.
[[nodiscard]] file_plan plan_files(const std::filesystem::path& directory, std::uintmax_t most_bytes,
                                   std::uintmax_t batch_bytes);

/// Counts the words of the files of one batch. A word is a run of ASCII letters, digits, underscores, and bytes above
/// 127 (so that UTF-8 letters hold together), ASCII letters in lower case; the 200th byte ends it.
/// Throws only when memory runs out: a file that cannot be read is counted as skipped.
[[nodiscard]] word_tally count_words(const file_batch& paths);

}  // namespace compare

#endif
