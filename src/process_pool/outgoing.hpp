// A task on its way into a ring, from the promise of a slot until it is there or has to go elsewhere. dispatching.cpp moves it.
#ifndef TANDEM_PROCESS_POOL_OUTGOING_HPP
#define TANDEM_PROCESS_POOL_OUTGOING_HPP

#include "process_pool/remote_worker.hpp"

#include <tandem/detail/core.hpp>
#include <tandem/detail/function_name.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

namespace tandem::process {

struct outgoing {
  enum class stage {
    waiting,    // not started yet
    cancelled,  // before it was
    encoded,
    in_ring,    // the task is the ring's
    elsewhere,  // started, and not in this ring
    unsent,     // `error` says why
    nowhere     // cancelled when it had been started
  };

  detail::core_ptr<detail::core> task;
  priority rank = priority::normal;
  std::shared_ptr<remote_worker> worker;   // that has promised the slot
  std::optional<encoded_request> request;  // once it is encoded
  detail::function_name name;
  std::uint32_t collections = 0;  // how often room had been made before it was encoded
  std::exception_ptr error;
  bool starved = false;  // ... for want of descriptors or memory
  bool wakes = false;    // it is the first that its worker gets in this batch
  bool timed = false;
  stage now = stage::waiting;

  /// Within a catch clause.
  void fail(bool for_want_of_resources) noexcept {
    error = std::current_exception();
    starved = for_want_of_resources;
    now = stage::unsent;
  }
};

}  // namespace tandem::process

#endif
