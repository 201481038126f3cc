#include "html_report.hpp"

#include <map>
#include <string_view>

#include "embedded.hpp"
#include "escape.hpp"
#include "format.hpp"
#include "json_report.hpp"
#include "text_report.hpp"
#include "verdict.hpp"

namespace compare {
namespace {

// JSON inside a script element: "</script" and "<!--" in a string would end or change the element.
std::string for_script(std::string text) {
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) text.replace(at, 1, "\\u003c");
  return text;
}

// Replaces each {{name}} in one pass, so that what is filled in is never searched again.
std::string fill(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string filled;
  for (;;) {
    const std::size_t open = page.find("{{");
    filled += page.substr(0, open);
    if (open == std::string_view::npos) return filled;
    const std::size_t close = page.find("}}", open);
    filled += parts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
}

std::string fact(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  return "<div><dt>" + std::string(name) + "</dt><dd>" + escaped(value) + "</dd></div>\n";
}

std::string facts(const machine& on, const options& wanted) {
  const std::string cpus = std::to_string(on.cpus_usable) + " usable of " + std::to_string(on.cpus_online);
  const std::string runs =
      "median of " + std::to_string(wanted.repeat) + (wanted.quick ? ", quick inputs" : "");
  return fact("processor", on.cpu) + fact("CPUs", cpus) + fact("memory", bytes(on.memory_bytes)) +
         fact("system", on.kernel) + fact("compiler", on.compiler + " " + on.build_type) +
         fact("tandem", on.version) + fact("commit", on.commit) + fact("Boost", on.boost) +
         fact("oneTBB", on.tbb) + fact("runs", runs) + fact("date", on.date);
}

std::string card(const comparison& one) {
  const row& advised = one.rows[one.advice.row];
  const row& serial = one.rows.front();
  const bool stay = &advised == &serial;
  std::string html = "<a class=\"card\" href=\"#" + one.workload + "\"><div class=\"what\"><span>" +
                     escaped(one.workload) + "</span><span>" + escaped(one.kind) + "</span></div>\n";
  html += "<div class=\"gain\">" + factor(advised.speedup) + "</div>\n";
  html += "<div class=\"use\">" + escaped(stay ? "stay serial" : row_label(advised)) + "</div>\n";
  html += "<div class=\"times\">" + duration(advised.time.median);
  if (!stay) html += ", serial " + duration(serial.time.median);
  html += "</div>\n";
  if (disturbed(one)) html += "<div class=\"doubt\">busy machine: repeat</div>\n";
  return html + "</a>\n";
}

std::string table(const comparison& one) {
  const auto cells = table_cells(one);
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption>" + escaped(one.workload) +
                     ": all measurements</caption>\n<thead><tr>";
  for (const std::string& heading : cells.front()) html += "<th scope=\"col\">" + escaped(heading) + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t at = 1; at < cells.size(); ++at) {
    const std::string& backend = cells[at].front();
    html += at == one.advice.row + 1 ? "<tr class=\"advised\">" : "<tr>";
    html += "<th scope=\"row\"><span class=\"key key-" + backend + "\"></span>" + escaped(backend) + "</th>";
    for (std::size_t c = 1; c < cells[at].size(); ++c) html += "<td>" + escaped(cells[at][c]) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string section(const comparison& one, bool charts) {
  const std::string name = escaped(one.workload);
  std::string html = "<article id=\"" + name + "\">\n<header><h2>" + name + "</h2><span class=\"kind\">" +
                     escaped(one.kind) + "</span></header>\n<p class=\"what-ran\">" +
                     escaped(one.description) + "</p>\n<p class=\"advice\">" + escaped(one.advice.text) +
                     "</p>\n";
  if (charts) {
    html += "<figure hidden><div class=\"chart\"><canvas id=\"chart-" + name +
            "\" role=\"img\" aria-label=\"" + name +
            ": time by workers, one line for each backend; the table below has the same "
            "numbers\"></canvas></div></figure>\n";
  }
  html += table(one);
  if (!one.remark.empty()) html += "<p class=\"remark\">" + escaped(one.remark) + ".</p>\n";
  return html + "</article>\n";
}

}  // namespace

std::string html_report(const std::vector<comparison>& all, const machine& on, const options& wanted) {
  const bool charts = !embedded::chart_library().empty();
  std::map<std::string_view, std::string> parts;
  parts["title"] = "tandem-compare, " + escaped(on.date);
  parts["style"] = embedded::page_style();
  parts["facts"] = facts(on, wanted);
  for (const comparison& one : all) {
    parts["cards"] += card(one);
    parts["workloads"] += section(one, charts);
  }
  parts["credits"] = charts ? "Charts by Chart.js (MIT License; the notice is in the source of this page)."
                            : "There are no charts: Chart.js (Debian's libjs-chart.js) was missing when "
                              "tandem-compare was built.";
  parts["data"] = for_script(json_report(all, on, wanted, -1));
  parts["charts"];
  if (charts) {
    parts["charts"] = "<script>\n" + std::string(embedded::chart_license()) +
                      std::string(embedded::chart_library()) + "\n</script>\n<script>\n" +
                      std::string(embedded::page_script()) + "</script>";
  }
  return fill(embedded::page_template(), parts);
}

}  // namespace compare
