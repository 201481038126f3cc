#include "json_report.hpp"

#include <nlohmann/json.hpp>

namespace compare {
namespace {

// Ordered, so that the file reads from the general to the particular.
using json = nlohmann::ordered_json;

constexpr int schema = 1;

json or_null(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json of_sample(const sample& s) {
  return {{"seconds", s.seconds},
          {"start_seconds", s.start_seconds},
          {"cpu_seconds", s.cpu_seconds},
          {"peak_bytes", or_null(s.peak_bytes)}};
}

json of_row(const row& r) {
  json samples = json::array();
  for (const sample& s : r.samples) samples.push_back(of_sample(s));
  return {{"backend", r.backend},
          {"workers", r.workers},
          {"seconds", {{"median", r.time.median}, {"low", r.time.low}, {"high", r.time.high}}},
          {"speedup", r.speedup},
          {"efficiency", r.efficiency},
          {"cpu_seconds", r.cpu_seconds},
          {"tasks_per_second", r.tasks_per_second},
          {"peak_bytes", or_null(r.peak_bytes)},
          {"start_seconds", r.start_seconds},
          {"runs", samples}};
}

json of_comparison(const comparison& one) {
  json rows = json::array();
  for (const row& r : one.rows) rows.push_back(of_row(r));
  const row& advised = one.rows[one.advice.row];
  return {{"name", one.workload},
          {"kind", one.kind},
          {"description", one.description},
          {"remark", one.remark},
          {"tasks", one.tasks},
          {"others", one.others},
          {"advice", {{"backend", advised.backend}, {"workers", advised.workers}, {"text", one.advice.text}}},
          {"rows", rows}};
}

json of_machine(const machine& on) {
  return {{"cpu", on.cpu},
          {"cpus_usable", on.cpus_usable},
          {"cpus_online", on.cpus_online},
          {"memory_bytes", on.memory_bytes},
          {"kernel", on.kernel}};
}

json of_build(const machine& on) {
  return {{"version", on.version},       {"commit", on.commit}, {"compiler", on.compiler},
          {"build_type", on.build_type}, {"boost", on.boost},   {"onetbb", on.tbb}};
}

}  // namespace

std::string json_report(const std::vector<comparison>& all, const machine& on, const options& wanted,
                        int indent) {
  json workloads = json::array();
  for (const comparison& one : all) workloads.push_back(of_comparison(one));
  const json report{{"tool", "tandem-compare"},  {"schema", schema},      {"date", on.date},
                    {"machine", of_machine(on)}, {"build", of_build(on)}, {"repeat", wanted.repeat},
                    {"quick", wanted.quick},     {"workloads", workloads}};
  // Paths and words may hold any bytes; a report with a replacement character beats none.
  return report.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace compare
