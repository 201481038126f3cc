#include <tandem/detail/stop_link.hpp>

#include <memory>
#include <utility>

namespace tandem::detail {

namespace {

struct canceller {
  core* task;
  void operator()() const noexcept {
    // Alive now: whoever else ends the task waits for us in ~stop_link, with a reference of its own. But when it is we
    // who end it, others may let go of it before we are done with it.
    task->add_ref();
    const core_ptr<core> keep(task);
    task->cancel();
  }
};

// Lives from the submit until the task is done: a callback of the stop state and one of the task. Whichever comes first,
// the task's callback ends it; the destructor of the stop callback waits for a stop request that is on its way, unless
// that is what has brought us here.
class stop_link final : public callback {
 public:
  stop_link(core& task, std::stop_token token)
      : callback(kind::wake), stop_callback_(std::move(token), canceller{&task}) {}

  void fire(core&) noexcept override { delete this; }
  void drop() noexcept override { delete this; }

 private:
  const std::stop_callback<canceller> stop_callback_;
};

}  // namespace

void link_stop(core& task, std::stop_token token) {
  auto link = std::make_unique<stop_link>(task, std::move(token));
  if (task.try_attach(link.get())) (void)link.release();  // otherwise stop was requested before
}

}  // namespace tandem::detail
