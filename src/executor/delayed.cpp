#include <tandem/detail/delayed.hpp>

#include <tandem/error.hpp>

#include "executor/enqueue_or_end.hpp"
#include "timer/timer.hpp"

#include <memory>
#include <utility>

namespace tandem::detail {
namespace {

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

void enqueue_at(task_sink& sink, time_point when, core_ptr<core> task) {
  if (!sink.is_open()) return sink.enqueue(std::move(task));  // throws the error that fits
  if (when <= std::chrono::steady_clock::now()) return sink.enqueue_from_elsewhere(std::move(task));
  task->set_reports_to(sink.owner());
  auto link = std::make_unique<alarm_link>();  // before there is anything to take back
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

void stop_delayed(const void* owner) noexcept { timer::stop_all(owner); }

void cancel_delayed(const void* owner) noexcept { timer::drop_all(owner); }

}  // namespace tandem::detail
