// Copies a directory with many files at a time, and tells how far it is.
//
//   copy_directory SOURCE TARGET      without arguments: copies a small tree that it makes in a temporary directory
//
// Symbolic links are left out. imap_unordered() gives each result as soon as it is there: what a progress display needs.
#include <tandem/tandem.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Directories are made first and here, so that the tasks, one per file, need no order among themselves.
void copy_directory(const fs::path& source, const fs::path& target) {
  std::vector<fs::path> files;  // relative to source
  fs::create_directories(target);
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const fs::path name = entry.path().lexically_relative(source);
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) fs::create_directories(target / name);
    if (entry.is_regular_file()) files.push_back(name);
  }

  tandem::thread_pool pool({.max_workers = 4, .name_prefix = "copy"});
  const auto copy = [&source, &target](const fs::path& name) -> std::uintmax_t {
    fs::copy_file(source / name, target / name, fs::copy_options::overwrite_existing);
    return fs::file_size(target / name);
  };

  std::size_t done = 0;
  std::size_t failed = 0;
  std::uintmax_t bytes = 0;
  auto copied = pool.imap_unordered({.chunk_size = 1}, copy, files);
  // A range-based for would do; the explicit loop can go on behind a file that cannot be copied.
  for (auto it = copied.begin(); it != copied.end(); ++it) {
    try {
      bytes += *it;
    } catch (const fs::filesystem_error& e) {
      ++failed;
      std::cerr << e.what() << '\n';
    }
    const std::size_t percent = 100 * ++done / files.size();
    if (percent / 20 > 100 * (done - 1) / files.size() / 20) std::cout << percent << " %\n";
  }
  std::cout << "copied " << done - failed << " files, " << bytes << " bytes\n";
}

void make_tree(const fs::path& root) {
  for (int d = 0; d < 5; ++d) {
    const fs::path directory = root / ("part" + std::to_string(d)) / "deeper";
    fs::create_directories(directory);
    for (std::size_t f = 0; f < 10; ++f) {
      std::ofstream(directory / ("file" + std::to_string(f))) << std::string(1000 * (f + 1), 'x');
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 3) {
    copy_directory(argv[1], argv[2]);
    return 0;
  }
  if (argc != 1) throw std::invalid_argument("needs a source and a target directory, or nothing");
  std::string pattern = (fs::temp_directory_path() / "copy_directory.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  const fs::path scratch = pattern;
  make_tree(scratch / "source");
  copy_directory(scratch / "source", scratch / "target");
  fs::remove_all(scratch);
} catch (const std::exception& e) {
  std::cerr << "copy_directory: " << e.what() << '\n';
  return 1;
}
