#include <tandem/detail/delayed.hpp>

#include <tandem/error.hpp>

#include "timer/timer.hpp"

#include <stdexcept>
#include <string>

namespace tandem::detail {

namespace {

constexpr std::chrono::hours never{24 * 365 * 100};

void enqueue_or_end(task_sink& sink, const core_ptr<core>& task) noexcept {
  try {
    sink.enqueue_from_elsewhere(task);
  } catch (const shutdown_error&) {
    (void)task->cancel_pending();  // as if shutdown() had found its alarm
  } catch (...) {
    if (!task->try_start()) return;
    task->drop_payload();
    task->complete_error(std::current_exception());
  }
}

class delayed_task final : public timer::alarm {
 public:
  delayed_task(task_sink& sink, core_ptr<core> task) noexcept : sink_(sink), task_(std::move(task)) {}
  void ring() noexcept override { enqueue_or_end(sink_, task_); }
  void drop() noexcept override { (void)task_->cancel_pending(); }

 private:
  task_sink& sink_;  // alive: its destructor waits for us
  const core_ptr<core> task_;
};

// Takes the alarm back when the task has been cancelled before its time.
class alarm_link final : public callback {
 public:
  alarm_link() noexcept : callback(kind::wake) {}
  void set(const timer::handle& alarm) noexcept { alarm_ = alarm; }
  void fire(core&) noexcept override {
    (void)timer::stop(alarm_);
    delete this;
  }
  void drop() noexcept override { delete this; }

 private:
  timer::handle alarm_;
};

}  // namespace

void enqueue_at(task_sink& sink, time_point when, core_ptr<core> task) {
  if (!sink.is_open()) return sink.enqueue(std::move(task));  // throws the error that fits
  auto link = std::make_unique<alarm_link>();                 // before there is anything to take back
  const timer::handle alarm = timer::set(when, std::make_unique<delayed_task>(sink, task), sink.owner());
  // ORDER alarm-close: the alarm is set, then we look; shutdown() closes, then drops what is set. If it has not found
  // ours, we see that it is closed.
  if (!sink.is_open() && timer::stop(alarm)) {
    sink.enqueue(std::move(task));
    return;
  }
  link->set(alarm);
  if (task->try_attach(link.get())) {
    (void)link.release();
  } else {
    link.release()->fire(*task);
  }
}

// --- repetition ----------------------------------------------------------------------------------------------------

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

void stop_delayed(const void* owner) noexcept { timer::stop_all(owner); }

void cancel_delayed(const void* owner) noexcept { timer::drop_all(owner); }

void throw_bad_period(std::chrono::nanoseconds period) {
  throw std::invalid_argument("tandem: submit_every(): the period is " + std::to_string(period.count()) +
                              " ns; it must be positive and shorter than a hundred years");
}

}  // namespace tandem::detail
