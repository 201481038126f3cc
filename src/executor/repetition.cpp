#include <tandem/detail/repetition.hpp>

#include "executor/enqueue_or_end.hpp"
#include "timer/timer.hpp"

#include <stdexcept>
#include <string>

namespace tandem::detail {
namespace {

constexpr std::chrono::hours never{24 * 365 * 100};

}  // namespace

// Holds one reference to its repetition.
class repetition::tick final : public timer::alarm {
 public:
  explicit tick(repetition& of) noexcept : of_((of.add_ref(), &of)) {}
  void ring() noexcept override { of_->ring(); }
  void drop() noexcept override { (void)of_->cancel_pending(); }

 private:
  const core_ptr<repetition> of_;
};

void repetition::begin() {
  if (!sink_.is_open()) return refuse();
  next_ = std::chrono::steady_clock::now() + period_;
  set_alarm(next_);
  if (!sink_.is_open()) refuse();  // ORDER alarm-close
}

// By a sink that is closed.
void repetition::refuse() {
  (void)cancel_pending();
  add_ref();
  sink_.enqueue(core_ptr<core>(this));  // throws the error that fits
}

void repetition::set_alarm(time_point when) {
  auto alarm = std::make_unique<tick>(*this);
  const std::lock_guard held(mutex_);
  if (ended_) return;
  const timer::handle set = timer::set(when, std::move(alarm), sink_.owner());
  alarm_when_ = set.when;
  alarm_number_ = set.number;
}

// On the timer's thread: whoever ends the sink waits for us.
void repetition::ring() noexcept {
  core_ptr<core> run;
  try {
    // While it runs there is an alarm too, that never rings: by that the end of the sink finds us.
    set_alarm(next_ + never);
    std::shared_ptr<void> call;
    {
      const std::lock_guard held(mutex_);
      if (ended_) return;
      call = call_;
    }
    run = new_run(std::move(call));
    run->set_options(std::make_unique<task_options>(options_));
  } catch (...) {
    return end(std::current_exception());
  }
  {
    const std::lock_guard held(mutex_);
    if (ended_) return;
    run_ = run;
  }
  add_ref();
  if (!run->try_attach(this)) return fire_or_put_off(*run, *this);  // cancelled, between the lock and here
  enqueue_or_end(sink_, run);
}

void repetition::fire(core& run) noexcept {
  const core_ptr<repetition> self(this);
  {
    const std::lock_guard held(mutex_);
    run_ = {};
  }
  switch (word::phase(run.load())) {
    case word::value:
      return wait_for_next();
    case word::cancelled:
      (void)cancel_pending();
      return;
    default:
      return end(run.error());
  }
}

// The next multiple of the period that is still ahead: late runs are left out, and none of the later ones is late for it.
// The sink may be gone.
void repetition::wait_for_next() noexcept {
  next_ += period_;
  if (const auto late = std::chrono::steady_clock::now() - next_; late >= std::chrono::nanoseconds::zero())
    next_ += (late / period_ + 1) * period_;
  const std::lock_guard held(mutex_);
  if (ended_) return;
  // If it is not there, the end of the sink has taken it out and is about to cancel us.
  const timer::handle moved = timer::move({alarm_when_, alarm_number_}, next_);
  alarm_when_ = moved.when;
  alarm_number_ = moved.number;
}

void repetition::end(std::exception_ptr error) noexcept {
  if (!try_start()) return;  // cancelled meanwhile
  drop_payload();
  complete_error(std::move(error));
}

void repetition::drop_payload() noexcept {
  core_ptr<core> run;
  std::shared_ptr<void> call;
  timer::handle alarm;
  {
    const std::lock_guard held(mutex_);
    ended_ = true;
    run = std::exchange(run_, {});
    call = std::move(call_);
    alarm = {alarm_when_, alarm_number_};
  }
  (void)timer::stop(alarm);
  if (run) (void)run->cancel();
}

void throw_bad_period(std::chrono::nanoseconds period) {
  throw std::invalid_argument("tandem: submit_every(): the period is " + std::to_string(period.count()) +
                              " ns; it must be positive and shorter than a hundred years");
}

}  // namespace tandem::detail
