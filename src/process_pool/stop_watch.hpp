// this_task::stop_token() in a worker process: a thread that sleeps on the slot's stop word, only for tasks that ask for
// their token.
#ifndef TANDEM_PROCESS_POOL_STOP_WATCH_HPP
#define TANDEM_PROCESS_POOL_STOP_WATCH_HPP

#include <tandem/detail/context.hpp>

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <thread>

namespace tandem::process {

/// Lives while its task runs. All members on the worker's thread.
class stop_watch final : public detail::task_context::token_source {
 public:
  /// `word`: bit 0 is set, and the futex woken, by the parent when the task shall stop.
  explicit stop_watch(std::atomic<std::uint32_t>& word) noexcept : word_(word) {}
  stop_watch(const stop_watch&) = delete;
  stop_watch& operator=(const stop_watch&) = delete;
  ~stop_watch();

  /// Starts the thread, the first time. @throws std::system_error, std::bad_alloc
  [[nodiscard]] std::stop_token stop_token() override;

 private:
  static constexpr std::uint32_t requested = 1;  // the parent's
  static constexpr std::uint32_t task_over = 2;  // ours

  std::atomic<std::uint32_t>& word_;
  std::stop_source source_{std::nostopstate};
  std::thread thread_;
};

}  // namespace tandem::process

#endif
