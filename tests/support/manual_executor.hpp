// An executor that runs a task when the test says so: every "pending" and "running" in a test is certain. It can
// also make the calling thread one of its workers, so that what waiting does on a worker is tested without threads.
#ifndef TANDEM_TESTS_SUPPORT_MANUAL_EXECUTOR_HPP
#define TANDEM_TESTS_SUPPORT_MANUAL_EXECUTOR_HPP

#include <tandem/detail/context.hpp>
#include <tandem/executor.hpp>

#include <deque>
#include <limits>
#include <mutex>
#include <utility>

namespace tandem::test {

class manual_executor final : public executor,
                              public detail::submit_front<manual_executor, detail::remote_mode::never> {
  using front = detail::submit_front<manual_executor, detail::remote_mode::never>;

 public:
  using front::imap;
  using front::imap_unordered;
  using front::map;
  using front::post;
  using front::starmap;
  using front::submit;
  using front::submit_after;
  using front::submit_at;
  using front::submit_each;
  using front::submit_every;

  explicit manual_executor(int max_workers = 1) : max_workers_(max_workers) {}
  ~manual_executor() override {
    shutdown();
    run_all();
  }

  [[nodiscard]] int max_workers() const noexcept override { return max_workers_; }
  void shutdown(shutdown_options = {}) override {
    {
      const std::lock_guard lock(mutex_);
      open_ = false;
    }
    detail::stop_delayed(this);
  }
  [[nodiscard]] bool is_open() const noexcept override {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  [[nodiscard]] executor_stats stats() const override { return {}; }
  void enqueue(detail::core_ptr<detail::core> task) override {
    task->set_owner(this);
    const std::lock_guard lock(mutex_);
    if (!open_ || accepts_ == 0) throw shutdown_error("tandem: submit on a manual_executor after shutdown()");
    --accepts_;
    queue_.push_back(std::move(task));
  }

  /// Accepts only so many tasks from now on.
  void accept_only(int tasks) {
    const std::lock_guard lock(mutex_);
    accepts_ = tasks;
  }

  /// How many are queued, the cancelled ones included.
  [[nodiscard]] std::size_t queued() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

  /// Takes the oldest queued task and starts it; null if there is none or it was cancelled.
  [[nodiscard]] detail::core_ptr<detail::core> start_one() {
    detail::core_ptr<detail::core> task;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return {};
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    return task->try_start() ? std::move(task) : detail::core_ptr<detail::core>();
  }

  /// Runs the oldest queued task here, if it was not cancelled.
  void run_one() {
    if (const auto task = start_one()) detail::execute_in_context(*task);
  }

  /// Until none is queued.
  void run_all() {
    while (queued() != 0) run_one();
  }

  /// While one lives, this thread is a worker of the executor.
  class worker_scope final : public detail::worker_context {
   public:
    explicit worker_scope(manual_executor& owner) : owner_(&owner), outer_(detail::current_worker()) {
      detail::set_current_worker(this);
    }
    worker_scope(const worker_scope&) = delete;
    worker_scope& operator=(const worker_scope&) = delete;
    ~worker_scope() { detail::set_current_worker(outer_); }

    [[nodiscard]] bool try_run(detail::core& task) noexcept override {
      if (task.owner() != owner_ || !task.try_start()) return false;
      ++ran_in_place;
      detail::execute_in_context(task);
      return true;
    }
    [[nodiscard]] bool can_be_stood_in_for() const noexcept override { return has_stand_in; }
    void begin_blocking() noexcept override { ++blocked; }
    void end_blocking() noexcept override { ++unblocked; }
    [[nodiscard]] int index() const noexcept override { return 0; }

    bool has_stand_in = false;
    int ran_in_place = 0;
    int blocked = 0;
    int unblocked = 0;

   private:
    const manual_executor* owner_;
    detail::worker_context* outer_;
  };

 private:
  const int max_workers_;
  mutable std::mutex mutex_;  // guards what follows
  bool open_ = true;
  int accepts_ = std::numeric_limits<int>::max();
  std::deque<detail::core_ptr<detail::core>> queue_;
};

}  // namespace tandem::test

#endif
