#include "bench/output_files.hpp"

#include <fstream>
#include <stdexcept>
#include <system_error>

#include "bench/chart.hpp"
#include "bench/json.hpp"
#include "bench/page.hpp"

namespace bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path) { throw std::runtime_error("cannot write " + path.string()); }

// Beside the file and then into its place: a reader never sees half of it.
void write_file(const fs::path& path, const std::string& text) {
  fs::path half = path;
  half += ".part";
  std::ofstream file(half);
  file << text;
  file.close();
  if (!file) fail(path);
  std::error_code error;
  fs::rename(half, path, error);
  if (error) fail(path);
}

// Leaves an existing file as it is.
void check_file(const fs::path& path) {
  fs::path half = path;
  half += ".part";
  std::error_code error;
  if (fs::is_directory(path, error) || !std::ofstream(half)) fail(path);
  fs::remove(half, error);
}

fs::path absolute(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

std::string file_name(const std::string& workload, const std::string& metric) {
  std::string name = workload + "-";
  for (const char c : metric) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    if (plain || name.back() != '-') name += plain ? c : '-';
  }
  return name + ".svg";
}

}  // namespace

output_files::output_files(const std::string& json, const std::string& page, const std::string& charts)
    : json_(absolute(json)), page_(absolute(page)), charts_(absolute(charts)) {
  if (!json_.empty()) check_file(json_);
  if (!page_.empty()) check_file(page_);
  if (charts_.empty()) return;
  std::error_code error;
  fs::create_directories(charts_, error);
  check_file(charts_ / "chart.svg");
}

void output_files::write(const setting& on, const std::vector<workload_result>& results) const {
  if (!json_.empty()) write_file(json_, json_of(on, results));
  if (!page_.empty()) write_file(page_, page_of(on, results));
  if (charts_.empty() || results.empty()) return;
  const workload_result& last = results.back();
  for (const metric_result& m : last.metrics)
    if (!m.contestants.empty()) write_file(charts_ / file_name(last.name, m.metric.name), chart_of(last, m));
}

std::vector<std::string> output_files::paths() const {
  std::vector<std::string> all;
  for (const fs::path& path : {json_, page_, charts_})
    if (!path.empty()) all.push_back(path.string());
  return all;
}

}  // namespace bench
