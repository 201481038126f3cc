#include "word_count.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace compare {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = std::size_t{256} << 10;
constexpr std::size_t bytes_that_show_binary = std::size_t{8} << 10;
constexpr std::size_t longest_word = 200;

// Lower case for bytes of words, 0 for those between words.
constexpr std::array<char, 256> make_word_bytes() {
  std::array<char, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool lower = byte >= 'a' && byte <= 'z';
    const bool digit = byte >= '0' && byte <= '9';
    if (upper) {
      table[byte] = static_cast<char>(byte - 'A' + 'a');
    } else if (lower || digit || byte == '_' || byte > 127) {
      table[byte] = static_cast<char>(byte);
    }
  }
  return table;
}

constexpr std::array<char, 256> word_bytes = make_word_bytes();

// Looks up a view without making a string of it: almost every word was seen before.
struct view_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

class word_counter {
 public:
  // Words may span blocks: what is begun here is ended by a later block or by end_file().
  void add(std::string_view block) {
    for (const char raw : block) {
      const char byte = word_bytes[static_cast<unsigned char>(raw)];
      if (byte == 0) {
        end_word();
      } else {
        word_[length_++] = byte;
        if (length_ == longest_word) end_word();
      }
    }
  }

  void end_word() {
    if (length_ == 0) return;
    const std::string_view word(word_.data(), length_);
    length_ = 0;
    if (const auto at = counts_.find(word); at != counts_.end()) {
      ++at->second;
    } else {
      counts_.emplace(word, 1);
    }
  }

  [[nodiscard]] std::vector<std::pair<std::string, long>> take() {
    std::vector<std::pair<std::string, long>> list;
    list.reserve(counts_.size());
    while (!counts_.empty()) {
      auto node = counts_.extract(counts_.begin());
      list.emplace_back(std::move(node.key()), node.mapped());
    }
    return list;
  }

 private:
  std::array<char, longest_word> word_{};
  std::size_t length_ = 0;
  std::unordered_map<std::string, long, view_hash, std::equal_to<>> counts_;
};

struct close_file {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// A read error in the middle leaves the words before it counted: they were there.
void count_file(const std::string& path, std::vector<char>& block, word_counter& words,
                skipped_files& skipped) {
  const std::unique_ptr<std::FILE, close_file> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    ++skipped.unreadable;
    return;
  }
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // the blocks are large enough; a second copy costs
  for (bool first = true;; first = false) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), file.get());
    const std::string_view text(block.data(), got);
    if (first && text.substr(0, bytes_that_show_binary).find('\0') != std::string_view::npos) {
      ++skipped.binary;
      return;
    }
    words.add(text);
    if (got < block.size()) break;
  }
  words.end_word();
  if (std::ferror(file.get()) != 0) ++skipped.unreadable;
}

struct found_file {
  std::string path;
  std::uintmax_t bytes = 0;
};

void collect(const fs::path& directory, std::vector<found_file>& files, long& unreadable) {
  std::error_code failure;
  std::vector<fs::path> below;
  fs::directory_iterator entry(directory, failure);
  if (failure) {
    ++unreadable;
    return;
  }
  while (entry != fs::directory_iterator()) {
    std::error_code unknown;
    const fs::file_status status = entry->symlink_status(unknown);
    if (fs::is_directory(status)) {
      below.push_back(entry->path());
    } else if (fs::is_regular_file(status)) {
      const std::uintmax_t size = entry->file_size(unknown);
      files.push_back({entry->path().string(), unknown ? 0 : size});
    }
    entry.increment(failure);
    if (failure) {
      ++unreadable;
      break;
    }
  }
  for (const fs::path& next : below) collect(next, files, unreadable);
}

}  // namespace

file_plan plan_files(const fs::path& directory, std::uintmax_t most_bytes, std::uintmax_t batch_bytes) {
  file_plan plan;
  std::vector<found_file> files;
  collect(directory, files, plan.unreadable_directories);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });

  std::vector<std::pair<std::uintmax_t, file_batch>> sized;
  for (found_file& file : files) {
    if (plan.bytes >= most_bytes) break;
    if (sized.empty() || sized.back().first >= batch_bytes) sized.emplace_back();
    sized.back().first += file.bytes;
    sized.back().second.push_back(std::move(file.path));
    plan.bytes += file.bytes;
    ++plan.files;
  }
  std::stable_sort(sized.begin(), sized.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& batch : sized) plan.batches.push_back(std::move(batch.second));
  return plan;
}

word_tally count_words(const file_batch& paths) {
  word_tally tally;
  word_counter words;
  std::vector<char> block(block_bytes);
  for (const std::string& path : paths) count_file(path, block, words, tally.skipped);
  tally.counts = words.take();
  return tally;
}

}  // namespace compare
