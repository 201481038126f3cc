#include "measurement.hpp"

#include <algorithm>

namespace compare {
namespace {

double median_of(const std::vector<sample>& samples, double sample::*field) {
  std::vector<double> values;
  values.reserve(samples.size());
  for (const sample& s : samples) values.push_back(s.*field);
  return summarize(values).median;
}

// The median of peaks, like that of times, so that one odd run does not stand for all.
std::optional<double> median_peak(const std::vector<sample>& samples) {
  std::vector<double> values;
  for (const sample& s : samples) {
    if (!s.peak_bytes) return std::nullopt;
    values.push_back(*s.peak_bytes);
  }
  return summarize(values).median;
}

}  // namespace

void summarize_rows(comparison& all) {
  double serial = 0;
  for (row& r : all.rows) {
    std::vector<double> seconds;
    for (const sample& s : r.samples) seconds.push_back(s.seconds);
    r.time = summarize(seconds);
    r.start_seconds = median_of(r.samples, &sample::start_seconds);
    r.cpu_seconds = median_of(r.samples, &sample::cpu_seconds);
    r.peak_bytes = median_peak(r.samples);
    if (&r == &all.rows.front()) serial = r.time.median;
    const double median = std::max(r.time.median, 1e-9);  // a run of no work must not divide by zero
    r.speedup = serial / median;
    r.efficiency = r.speedup / r.workers;
    r.tasks_per_second = all.tasks / median;
  }
}

std::string row_label(const row& r) {
  if (r.backend == serial_backend || r.backend == "inline") return r.backend;
  return r.backend + " with " + std::to_string(r.workers) + (r.workers == 1 ? " worker" : " workers");
}

}  // namespace compare
