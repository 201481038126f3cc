#include "bench/runner.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "bench/subprocess.hpp"

namespace bench {
namespace {

constexpr std::chrono::seconds longest_run{300};  // the slowest takes 15 s; none should wait for ever

using rows = std::vector<figures>;  // one per round

figures run_once(const workload& work, const contestant& who, const conditions& given) {
  std::vector<std::string> command{"/proc/self/exe",
                                   "--alone",
                                   who.name,
                                   "--workers",
                                   std::to_string(given.workers),
                                   "--steps",
                                   std::to_string(given.steps_per_microsecond),
                                   work.name};
  if (given.quick) command.emplace_back("--quick");
  figures all = figures_in(output_of(std::move(command), longest_run));
  if (all.size() != work.metrics.size())
    throw std::logic_error("gave " + std::to_string(all.size()) + " figures, not " +
                           std::to_string(work.metrics.size()));
  return all;
}

std::vector<std::size_t> draw_order(std::size_t count, std::mt19937& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  return order;
}

// Round by round: what disturbs a round changes both of its samples, but not so much their quotient.
std::optional<compare::spread> ratio_of(const series& one, const series& reference, double resolution) {
  if (reference.summary.median <= resolution) return std::nullopt;
  std::vector<double> quotients;
  for (std::size_t round = 0; round < one.samples.size() && round < reference.samples.size(); ++round) {
    if (reference.samples[round] <= resolution) return std::nullopt;
    quotients.push_back(one.samples[round] / reference.samples[round]);
  }
  const compare::spread ratio = compare::summarize(std::move(quotients));
  if (ratio.low <= 0) return std::nullopt;  // a difference that came out below zero
  return ratio;
}

metric_result summarize(const workload& work, std::size_t which, const std::vector<rows>& runs,
                        const std::vector<std::string>& errors) {
  metric_result result{work.metrics[which], {}};
  for (std::size_t who = 0; who < runs.size(); ++who) {
    if (!errors[who].empty()) continue;
    series one{work.contestants[who].name, work.contestants[who].name == work.reference, {}, {}, {}};
    for (const figures& row : runs[who])
      if (row[which]) one.samples.push_back(*row[which]);
    if (one.samples.empty()) continue;
    one.summary = compare::summarize(one.samples);
    result.contestants.push_back(std::move(one));
  }
  const auto reference = std::find_if(result.contestants.begin(), result.contestants.end(),
                                      [](const series& one) { return one.is_reference; });
  if (reference == result.contestants.end()) return result;
  for (series& one : result.contestants)
    if (!one.is_reference) one.ratio = ratio_of(one, *reference, work.metrics[which].resolution);
  return result;
}

}  // namespace

workload_result run(const workload& work, const run_options& options) {
  const std::size_t count = work.contestants.size();
  const int rounds = options.rounds > 0 ? options.rounds : work.rounds;
  std::mt19937 random(options.seed);
  std::vector<rows> runs(count);
  std::vector<std::string> errors(count);
  for (int round = 0; round < rounds; ++round) {
    for (const std::size_t who : draw_order(count, random)) {
      const contestant& one = work.contestants[who];
      if (!errors[who].empty()) continue;
      if (options.progress) options.progress(round + 1, rounds, one.name);
      try {
        runs[who].push_back(run_once(work, one, options.given));
      } catch (const std::exception& error) {
        errors[who] = std::string(error.what()).empty() ? "failed" : error.what();
      }
    }
  }
  workload_result result{work.name, work.title, work.reference, rounds, {}, work.absent, {}};
  for (std::size_t m = 0; m < work.metrics.size(); ++m)
    result.metrics.push_back(summarize(work, m, runs, errors));
  for (std::size_t who = 0; who < count; ++who)
    if (!errors[who].empty()) result.failures.push_back(work.contestants[who].name + ": " + errors[who]);
  return result;
}

figures run_alone(const workload& work, const std::string& name) {
  for (const contestant& one : work.contestants)
    if (one.name == name) return one.run();
  throw std::invalid_argument("workload '" + work.name + "' has no contestant '" + name + "'");
}

}  // namespace bench
