// Real files: reading, hashing, and results large enough that carrying them back to the caller costs something.
#include <stdexcept>

#include "format.hpp"
#include "word_count.hpp"
#include "workload.hpp"

namespace compare {
namespace {

// A few milliseconds of work: small enough to share out evenly, large enough that the counts sent back are far
// fewer than the words read.
constexpr std::uintmax_t batch_bytes = std::uintmax_t{1} << 20;

class words_workload final : public workload {
 public:
  explicit words_workload(const options& wanted)
      : directory_(wanted.directory.string()),
        plan_(plan_files(wanted.directory, wanted.directory_limit, batch_bytes)) {
    if (plan_.files == 0) throw std::invalid_argument("words: there are no files below '" + directory_ + "'");
  }

  [[nodiscard]] std::string name() const override { return "words"; }
  [[nodiscard]] std::string kind() const override { return "CPU-bound"; }
  [[nodiscard]] std::string description() const override {
    return "the words of " + counted(plan_.files, "file", "files") + " (" +
           bytes(static_cast<double>(plan_.bytes)) + ") below " + directory_ + ", in " +
           counted(tasks(), "task", "tasks");
  }
  [[nodiscard]] std::string remark() const override {
    std::string text = grouped(words_) + " words, " + grouped(distinct_) + " of them different; skipped " +
                       counted(skipped_.binary, "binary file", "binary files") + " and " +
                       counted(skipped_.unreadable, "unreadable file", "unreadable files");
    if (plan_.unreadable_directories > 0) {
      text += ", and " + counted(plan_.unreadable_directories, "directory", "directories") +
              " that cannot be listed";
    }
    return text;
  }
  [[nodiscard]] int tasks() const override { return static_cast<int>(plan_.batches.size()); }

  [[nodiscard]] results run_serial() override {
    results merged;
    skipped_ = {};
    for (const file_batch& batch : plan_.batches) merge(count_words(batch), merged);
    distinct_ = static_cast<long>(merged.size());
    words_ = 0;
    for (const auto& [word, count] : merged) words_ += count;
    return with_skipped(std::move(merged));
  }

  [[nodiscard]] results run_on(tandem::executor& pool) override {
    results merged;
    skipped_ = {};
    // Unordered and as they come: the caller merges while the workers count.
    for (word_tally& tally : pool.imap_unordered({.chunk_size = 1}, count_words, plan_.batches)) {
      merge(std::move(tally), merged);
    }
    return with_skipped(std::move(merged));
  }

 private:
  void merge(word_tally&& tally, results& merged) {
    for (auto& [word, count] : tally.counts) merged[std::move(word)] += count;
    skipped_.binary += tally.skipped.binary;
    skipped_.unreadable += tally.skipped.unreadable;
  }

  // Skipped files must agree too; a space keeps the names apart from any word.
  [[nodiscard]] results with_skipped(results merged) const {
    merged["binary files"] = skipped_.binary;
    merged["unreadable files"] = skipped_.unreadable;
    return merged;
  }

  std::string directory_;
  file_plan plan_;
  skipped_files skipped_;
  long words_ = 0;
  long distinct_ = 0;
};

}  // namespace

std::unique_ptr<workload> make_words(const options& wanted) {
  return std::make_unique<words_workload>(wanted);
}

}  // namespace compare
