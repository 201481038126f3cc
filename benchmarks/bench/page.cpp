#include "bench/page.hpp"

#include "bench/chart.hpp"
#include "bench/number.hpp"
#include "compare/escape.hpp"
#include "compare/format.hpp"

namespace bench {
namespace {

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tandem-bench</title>
<style>
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1b2430;--muted:#56616f;--line:#dce1e8;--mark:#eaf2fb;--edge:#0b63b0}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1a2029;--ink:#e7ebf0;--muted:#9aa6b4;--line:#2c3541;--mark:#1c2c3f;--edge:#63b0f2}}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2.5rem 0 .2rem}
p{margin:.2rem 0 .8rem}.muted,nav{color:var(--muted)}.failed{color:#c0392b}
nav a{color:var(--edge);margin-right:.8rem;text-decoration:none}nav a:hover{text-decoration:underline}
.scroll{overflow-x:auto;margin-bottom:1rem}
table{border-collapse:collapse;background:var(--card);border:1px solid var(--line);font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}tbody tr.reference{background:var(--mark);font-weight:600}
td small,th small{color:var(--muted);font-weight:400}
svg{display:block;max-width:100%;height:auto;margin:0 0 1rem}
</style>
</head>
<body>
<h1>tandem-bench</h1>
)";

const series* find(const metric_result& m, const std::string& contestant) {
  for (const series& s : m.contestants)
    if (s.contestant == contestant) return &s;
  return nullptr;
}

std::string cell(const series& s) {
  std::string text = "<td>" + three_digits(s.summary.median) + " <small>[" + three_digits(s.summary.low) +
                     "-" + three_digits(s.summary.high) + "]";
  if (s.ratio) text += "<br>" + ratio_text(s.ratio->median) + " " + ratio_range(*s.ratio);
  return text + "</small></td>";
}

std::string table(const workload_result& result) {
  std::string html = "<div class=\"scroll\"><table>\n<thead><tr><th></th>";
  for (const metric_result& m : result.metrics)
    html += "<th>" + compare::escaped(m.metric.name) + "<br><small>" + compare::escaped(m.metric.unit) +
            "</small></th>";
  html += "</tr></thead>\n<tbody>\n";
  // A contestant that failed is in no metric, and all others are in the first.
  for (const series& row : result.metrics.front().contestants) {
    html += std::string(row.is_reference ? "<tr class=\"reference\">" : "<tr>") + "<td>" +
            compare::escaped(row.contestant) + "</td>";
    for (const metric_result& m : result.metrics) {
      const series* s = find(m, row.contestant);
      html += s != nullptr ? cell(*s) : "<td>-</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string section(const workload_result& result) {
  const std::vector<series>& rows = result.metrics.front().contestants;
  std::string html = "<section id=\"" + compare::escaped(result.name) + "\">\n<h2>" +
                     compare::escaped(result.name) + "</h2>\n<p>" + compare::escaped(result.title) + "</p>\n";
  if (!rows.empty()) {
    html += "<p class=\"muted\">Median of " + compare::counted(result.rounds, "round", "rounds") + " [" +
            rows.front().summary.range_name() + "]; the ratio to " + compare::escaped(result.reference) +
            " in the same round, likewise.</p>\n" + table(result);
  }
  for (const std::string& name : result.absent)
    html += "<p class=\"muted\">not installed: " + compare::escaped(name) + "</p>\n";
  for (const std::string& failure : result.failures)
    html += "<p class=\"failed\">failed: " + compare::escaped(failure) + "</p>\n";
  for (const metric_result& m : result.metrics)
    if (!m.contestants.empty()) html += chart_of(result, m);
  return html + "</section>\n";
}

}  // namespace

std::string page_of(const setting& on, const std::vector<workload_result>& results) {
  std::string html = head;
  for (const std::string& line : setting_lines(on))
    html += "<p class=\"muted\">" + compare::escaped(line) + "</p>\n";
  html += "<p>Less is better everywhere.</p>\n<nav>";
  for (const workload_result& result : results)
    html += "<a href=\"#" + compare::escaped(result.name) + "\">" + compare::escaped(result.name) + "</a>";
  html += "</nav>\n";
  for (const workload_result& result : results) html += section(result);
  return html + "</body>\n</html>\n";
}

}  // namespace bench
