#include "progress_bar.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace compare {
namespace {

constexpr int usual_width = 80;
constexpr int bar_cells = 24;
constexpr const char* erase_line = "\r\x1b[K";

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_width;
  return size.ws_col;
}

std::string clock_text(double seconds) {
  const long whole = std::lround(seconds);
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + ":" + (rest.size() < 2 ? "0" : "") + rest;
}

}  // namespace

std::string bar_line(int done, int runs, double elapsed_seconds, const std::string& what, int width) {
  const double part = runs > 0 ? static_cast<double>(done) / runs : 1;
  const int filled = static_cast<int>(part * bar_cells);
  std::string line = "[" + std::string(static_cast<std::size_t>(filled), '#') +
                     std::string(static_cast<std::size_t>(bar_cells - filled), '.') + "] ";
  line += std::to_string(done) + "/" + std::to_string(runs) + "  ";
  line += clock_text(elapsed_seconds) + "  " + what;
  line.resize(static_cast<std::size_t>(width), ' ');
  return line;
}

progress_bar::progress_bar(int runs, bool visible) : runs_(runs), visible_(visible) {}

progress_bar::~progress_bar() { hide(); }

void progress_bar::begin(const std::string& what) { draw(what); }

void progress_bar::advance() { done_ = std::min(done_ + 1, runs_); }

void progress_bar::hide() {
  if (visible_) std::fputs(erase_line, stderr);
}

void progress_bar::draw(const std::string& what) const {
  if (!visible_) return;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_;
  // One column short of the edge: a full line would wrap and scroll.
  const int width = std::max(terminal_width() - 1, 20);
  std::fprintf(stderr, "\r%s", bar_line(done_, runs_, elapsed.count(), what, width).c_str());
  std::fflush(stderr);
}

bool terminal_on_stderr() {
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace compare
