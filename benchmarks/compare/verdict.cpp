#include "verdict.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <tuple>

#include "format.hpp"

namespace compare {
namespace {

// How much slower a simpler row may be and still be preferred: in any case, as the fastest of many rows is a little
// lucky by being picked for it; and where the two tie.
constexpr double always_as_good = 1.05;
constexpr double as_good_if_tied = 1.15;

constexpr std::array<std::string_view, 4> simplest_first{serial_backend, "thread", "tbb", "process"};

bool may_be_advised(const row& r) { return r.backend != "inline"; }

auto simplicity(const row& r) {
  const auto* at = std::find(simplest_first.begin(), simplest_first.end(), r.backend);
  return std::tuple(at - simplest_first.begin(), r.workers);
}

bool as_good(const row& r, const row& fastest) {
  const double ratio = r.time.median / std::max(fastest.time.median, 1e-9);
  return ratio <= always_as_good || (ratio <= as_good_if_tied && ties(r.time, fastest.time));
}

// The fastest of the rows that `counts`, or null.
template <class Predicate>
const row* fastest_row(const std::vector<row>& rows, Predicate counts) {
  const row* best = nullptr;
  for (const row& r : rows) {
    if (counts(r) && (best == nullptr || r.time.median < best->time.median)) best = &r;
  }
  return best;
}

std::size_t pick_row(const std::vector<row>& rows) {
  const row* fastest = fastest_row(rows, may_be_advised);
  const row* picked = fastest;
  for (const row& r : rows) {
    if (may_be_advised(r) && as_good(r, *fastest) && simplicity(r) < simplicity(*picked)) picked = &r;
  }
  return static_cast<std::size_t>(picked - rows.data());
}

const row* best_of(const std::vector<row>& rows, std::string_view backend) {
  return fastest_row(rows, [backend](const row& r) { return r.backend == backend; });
}

// "ties", "takes 1.31x as long", or the same of several: how `other` compares with what was picked.
std::string against(const row& other, const row& picked, bool several = false) {
  const std::string ending = several ? "" : "s";
  if (ties(other.time, picked.time)) return "tie" + ending;
  return "take" + ending + " " + factor(other.time.median / picked.time.median) + " as long";
}

std::string headline(const std::vector<row>& rows, const row& picked) {
  const row& serial = rows.front();
  if (&picked == &serial) {
    const row* best =
        fastest_row(rows, [&serial](const row& r) { return may_be_advised(r) && &r != &serial; });
    std::string text = "Stay serial: no backend is faster by more than 5% or the spread";
    if (best != nullptr) text += " (" + row_label(*best) + " " + against(*best, serial) + ")";
    return text + ".";
  }
  const std::string times = duration(picked.time.median) + " instead of " + duration(serial.time.median);
  const std::string text = "Use " + row_label(picked) + ": ";
  if (ties(picked.time, serial.time)) return text + times + ", but serial is within the spread.";
  return text + factor(picked.speedup) + " as fast as serial (" + times + ").";
}

std::string nature(const comparison& all) {
  // Waiting for input and waiting for a processor look alike.
  if (disturbed(all)) return "The work is " + all.kind;
  const row& serial = all.rows.front();
  // Of the least disturbed run: in the others, some of the waiting was for a processor.
  double busy = 0;
  for (const sample& s : serial.samples) busy = std::max(busy, s.cpu_seconds / std::max(s.seconds, 1e-9));
  busy = std::clamp(busy, 0.0, 1.0);
  const bool waits = busy < 0.5;
  return std::string(waits ? "The work waits " : "The work computes ") +
         fixed(100 * (waits ? 1 - busy : busy), 0) + "% of its time";
}

// How rows with more workers on the same backend did.
struct more_workers {
  bool gain = false;  // by under 5 %, or one of them would have been picked
  bool tie = false;
  bool lose = false;
};

std::string said_of(const more_workers& more) {
  if (!more.gain && !more.tie && !more.lose) return {};
  std::string text = more.gain ? "more workers gain under 5%" : more.tie ? "more workers gain nothing" : "";
  if (!more.lose) return text;
  return text.empty() ? "more workers are slower" : text + " or are slower";
}

// What other numbers of workers on the same backend did.
std::string why_so_many(const comparison& all, const row& picked, int usable_cpus) {
  const row* fewer = nullptr;
  const row* most = nullptr;
  more_workers more;
  for (const row& r : all.rows) {
    if (r.backend != picked.backend) continue;
    if (r.workers < picked.workers && (fewer == nullptr || r.workers > fewer->workers)) fewer = &r;
    if (most == nullptr || r.workers > most->workers) most = &r;
    if (r.workers <= picked.workers) continue;
    const bool tied = ties(r.time, picked.time);
    (tied ? more.tie : r.time.median < picked.time.median ? more.gain : more.lose) = true;
  }
  std::string text;
  if (fewer != nullptr && !ties(fewer->time, picked.time)) {
    text += "; " + counted(fewer->workers, "worker", "workers") + " " +
            against(*fewer, picked, fewer->workers != 1);
  }
  if (const std::string of_more = said_of(more); !of_more.empty()) {
    text += "; " + of_more + " with " + counted(usable_cpus, "usable CPU", "usable CPUs");
  }

  const bool still_gaining = most == &picked && picked.workers < all.tasks && !text.empty();
  const bool room = all.kind == "IO-bound" || picked.workers < usable_cpus;
  if (still_gaining && room) {
    text += "; that is the most tried, more may gain (--workers " + std::to_string(2 * picked.workers) + "," +
            std::to_string(4 * picked.workers) + ")";
  }
  return text;
}

// The other backends at their best.
std::string why_this_backend(const std::vector<row>& rows, const row& picked) {
  std::string text;
  for (const std::string_view backend : {"thread", "tbb"}) {
    const row* other = best_of(rows, backend);
    if (other == nullptr || picked.backend == backend) continue;
    text += (text.empty() ? " Of the others, " : ", ") + row_label(*other) + " " + against(*other, picked);
  }
  if (!text.empty()) text += ".";
  if (picked.backend == "process") return text + " A crash costs one task only.";
  if (const row* process = best_of(rows, "process"); process != nullptr) {
    text += " Where a crash must cost one task only: " + row_label(*process) + " " +
            against(*process, picked) + ", and starts in " + duration(process->start_seconds);
    if (picked.start_seconds > 0) text += " instead of " + duration(picked.start_seconds);
    text += ".";
  }
  return text;
}

}  // namespace

bool disturbed(const comparison& all) { return all.others > 0.2; }

verdict judge(const comparison& all, int usable_cpus) {
  verdict advice;
  advice.row = pick_row(all.rows);
  const row& serial = all.rows.front();
  const row& picked = all.rows[advice.row];
  if (disturbed(all)) {
    advice.text = "Repeat on a quieter machine: other programs took " + fixed(100 * all.others, 0) +
                  "% of the CPUs meanwhile. By these figures: ";
  }
  advice.text += headline(all.rows, picked);
  if (&picked != &serial) {
    advice.text += " " + nature(all) + why_so_many(all, picked, usable_cpus) + ".";
    advice.text += why_this_backend(all.rows, picked);
  } else {
    advice.text += " " + nature(all) + ".";
  }
  if (picked.time.runs == 1) advice.text += " One run each: repeat before relying on it (--repeat 5).";
  return advice;
}

}  // namespace compare
