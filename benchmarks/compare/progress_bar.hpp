// A line on the terminal that says how far a comparison is. Draws nothing unless stderr is a terminal; never writes to
// stdout, where the tables go.
#ifndef TANDEM_COMPARE_PROGRESS_BAR_HPP
#define TANDEM_COMPARE_PROGRESS_BAR_HPP

#include <chrono>
#include <string>

namespace compare {

/// Counts runs. Not thread-safe. Erases itself when destroyed.
class progress_bar {
 public:
  /// `runs` in all are to come; `visible` only where a person watches.
  progress_bar(int runs, bool visible);

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;
  ~progress_bar();

  /// The next run begins; `what` names it.
  void begin(const std::string& what);

  /// The run begun last is through.
  void advance();

  /// Takes the line away, so that something else can be printed; the next begin() draws it again.
  void hide();

 private:
  void draw(const std::string& what) const;

  int runs_;
  int done_ = 0;
  bool visible_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// Whether stderr is a terminal that can redraw a line.
[[nodiscard]] bool terminal_on_stderr();

/// The text of the bar, with the time so far and none to come: runs of different workloads take too different times to
/// foresee it. Exactly `width` columns wide where `width` is at least 20.
[[nodiscard]] std::string bar_line(int done, int runs, double elapsed_seconds, const std::string& what,
                                   int width);

}  // namespace compare

#endif
