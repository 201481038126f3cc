#include "text_report.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "format.hpp"

namespace compare {
namespace {

// Columns that a terminal needs: bytes that continue a UTF-8 character take none.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

// The first column holds words and leans left; all others hold numbers and lean right.
std::string padded(const std::string& cell, std::size_t width, bool left) {
  const std::string space(width - columns(cell), ' ');
  return left ? cell + space : space + cell;
}

std::string spread_text(const spread& time, time_unit unit) {
  return time.runs < 2 ? "-" : "±" + in_unit(time.half_width(), unit);
}

std::vector<std::string> cells_of(const row& r, time_unit unit) {
  return {r.backend,
          std::to_string(r.workers),
          in_unit(r.time.median, unit),
          spread_text(r.time, unit),
          factor(r.speedup),
          fixed(100 * r.efficiency, 0) + "%",
          fixed(r.cpu_seconds, 3),
          grouped(std::llround(r.tasks_per_second)),
          r.peak_bytes ? bytes(*r.peak_bytes) : "-",
          r.start_seconds > 0 ? duration(r.start_seconds) : "-"};
}

}  // namespace

std::vector<std::vector<std::string>> table_cells(const comparison& all) {
  const time_unit unit = unit_for(all.rows.front().time.median);
  std::vector<std::vector<std::string>> cells;
  cells.push_back({"backend", "workers", "time/" + std::string(unit.name), "+/-", "speed-up", "efficiency",
                   "CPU/s", "tasks/s", "peak", "start"});
  for (const row& r : all.rows) cells.push_back(cells_of(r, unit));
  return cells;
}

std::string wrap(const std::string& text, const std::string& indent, int width) {
  std::istringstream words(text);
  std::string wrapped;
  std::string line = indent;
  for (std::string word; words >> word;) {
    const bool first = line.size() == indent.size();
    if (!first && columns(line) + 1 + columns(word) > static_cast<std::size_t>(width)) {
      wrapped += line + "\n";
      line = indent + word;
    } else {
      line += (first ? "" : " ") + word;
    }
  }
  return wrapped + line + "\n";
}

std::string text_report(const comparison& all, bool bold, int width) {
  const auto cells = table_cells(all);
  std::vector<std::size_t> widths(cells.front().size(), 0);
  for (const auto& line : cells) {
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], columns(line[c]));
  }
  std::string text = wrap(all.workload + " (" + all.kind + "): " + all.description, "", width);
  if (!all.remark.empty()) text += wrap(all.remark, "", width);
  text += "\n";
  for (std::size_t at = 0; at < cells.size(); ++at) {
    const bool advised = at == all.advice.row + 1;  // the headings are the first line
    std::string line = advised ? "* " : "  ";
    for (std::size_t c = 0; c < widths.size(); ++c) line += padded(cells[at][c], widths[c], c == 0) + "  ";
    line.erase(line.find_last_not_of(' ') + 1);
    text += advised && bold ? "\x1b[1m" + line + "\x1b[0m\n" : line + "\n";
  }
  return text + "\n" + wrap(all.advice.text, "  ", width);
}

}  // namespace compare
