// What this process has used of the machine.
#ifndef TANDEM_BENCH_USAGE_HPP
#define TANDEM_BENCH_USAGE_HPP

namespace bench {

struct usage {
  double cpu_seconds = 0;  ///< In user code and in the kernel.
  double voluntary_switches = 0;
  double involuntary_switches = 0;

  [[nodiscard]] double switches() const { return voluntary_switches + involuntary_switches; }
  [[nodiscard]] usage operator-(const usage& b) const {
    return {cpu_seconds - b.cpu_seconds, voluntary_switches - b.voluntary_switches,
            involuntary_switches - b.involuntary_switches};
  }
};

/// Since their start. CPU time and switches of threads that have ended are in it, but for each one's last switch.
[[nodiscard]] usage usage_of_process();
[[nodiscard]] usage usage_of_this_thread();

/// Memory that is there now. Only as exact as pages are.
[[nodiscard]] double resident_bytes();

}  // namespace bench

#endif
