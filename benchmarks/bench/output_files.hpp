// The files that a run leaves: all samples as JSON, a page, charts. Each is optional.
#ifndef TANDEM_BENCH_OUTPUT_FILES_HPP
#define TANDEM_BENCH_OUTPUT_FILES_HPP

#include <filesystem>
#include <string>
#include <vector>

#include "bench/result.hpp"
#include "bench/setting.hpp"

namespace bench {

/// Writes them anew behind each workload, so that a run which is broken off leaves what it has measured.
class output_files {
 public:
  /// Empty paths: no such file. Looks now whether all can be written, rather than after half an hour.
  /// @throws std::runtime_error if one cannot
  output_files(const std::string& json, const std::string& page, const std::string& charts);

  /// @throws std::runtime_error if a file cannot be written
  void write(const setting& on, const std::vector<workload_result>& results) const;

  /// What was written, as absolute paths.
  [[nodiscard]] std::vector<std::string> paths() const;

 private:
  std::filesystem::path json_;
  std::filesystem::path page_;
  std::filesystem::path charts_;
};

}  // namespace bench

#endif
