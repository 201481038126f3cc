// What requests stop of the token that branches of a join have asked for: the join's own cancellation, and all that it is in.
#ifndef TANDEM_FUTURE_STOP_RELAY_HPP
#define TANDEM_FUTURE_STOP_RELAY_HPP

#include <tandem/detail/branch.hpp>

#include <mutex>
#include <stop_token>

namespace tandem::detail {

/// Made when a token is asked for, the join's from then on. `around`: of the join around it; `task`: of its task.
class join::stop_relay {
 public:
  stop_relay(std::stop_token around, std::stop_token task)
      : around_(std::move(around), request{own_}), task_(std::move(task), request{own_}) {}
  stop_relay(const stop_relay&) = delete;
  stop_relay& operator=(const stop_relay&) = delete;

  [[nodiscard]] std::stop_source& source() noexcept { return own_; }

 private:
  struct request {
    std::stop_source& of;
    void operator()() const noexcept { of.request_stop(); }
  };

  std::stop_source own_;
  std::stop_callback<request> around_;  // their destructors wait for a request that is on its way
  std::stop_callback<request> task_;
};

/// Guards all pointers to relays; nothing of the user's is called under it.
[[nodiscard]] std::mutex& stop_relays() noexcept;

}  // namespace tandem::detail

#endif
