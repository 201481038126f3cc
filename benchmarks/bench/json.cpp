#include "bench/json.hpp"

#include <nlohmann/json.hpp>

namespace bench {
namespace {

using json = nlohmann::ordered_json;

json describe(const setting& on) {
  const compare::machine& m = on.machine;
  json libraries = json::object();
  for (const libraries::version& one : on.libraries) libraries[one.library] = one.number;
  return {{"cpu", m.cpu},
          {"cpus_usable", m.cpus_usable},
          {"cpus_online", m.cpus_online},
          {"memory_bytes", m.memory_bytes},
          {"kernel", m.kernel},
          {"compiler", m.compiler},
          {"build_type", m.build_type},
          {"flags", on.flags},
          {"libc", on.libc},
          {"tandem", m.version},
          {"commit", m.commit},
          {"libraries", libraries},
          {"date", m.date},
          {"workers", on.given.workers},
          {"seed", on.seed},
          {"quick", on.given.quick}};
}

json describe(const compare::spread& s) { return {{"median", s.median}, {"low", s.low}, {"high", s.high}}; }

json describe(const series& s) {
  return {{"contestant", s.contestant}, {"is_reference", s.is_reference},
          {"median", s.summary.median}, {"low", s.summary.low},
          {"high", s.summary.high},     {"ratio", s.ratio ? describe(*s.ratio) : json(nullptr)},
          {"samples", s.samples}};
}

json describe(const workload_result& result) {
  json metrics = json::array();
  for (const metric_result& m : result.metrics) {
    json contestants = json::array();
    for (const series& s : m.contestants) contestants.push_back(describe(s));
    metrics.push_back({{"name", m.metric.name}, {"unit", m.metric.unit}, {"contestants", contestants}});
  }
  return {{"name", result.name},        {"title", result.title}, {"reference", result.reference},
          {"rounds", result.rounds},    {"metrics", metrics},    {"absent", result.absent},
          {"failures", result.failures}};
}

}  // namespace

std::string json_of(const setting& on, const std::vector<workload_result>& results) {
  json workloads = json::array();
  for (const workload_result& result : results) workloads.push_back(describe(result));
  return json{{"setting", describe(on)}, {"workloads", workloads}}.dump(1) + "\n";
}

}  // namespace bench
