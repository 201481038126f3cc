// A task on its way into a ring, from the promise of a slot until it is there or has to go elsewhere. dispatching.cpp moves it.
#ifndef TANDEM_PROCESS_POOL_OUTGOING_HPP
#define TANDEM_PROCESS_POOL_OUTGOING_HPP

#include "process_pool/remote_worker.hpp"

#include <tandem/detail/core.hpp>
#include <tandem/detail/function_name.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace tandem::process {

struct outgoing {
  enum class stage {
    elsewhere,  // started, and in no ring yet, or not in this one
    in_ring,    // the task is the ring's
    unsent,     // `error` says why
    cancelled,  // before it was started
    nowhere     // cancelled when it had been
  };

  detail::core_ptr<detail::core> task;
  priority rank = priority::normal;
  std::shared_ptr<remote_worker> worker;   // that has promised the slot
  std::optional<encoded_request> request;  // once it is encoded
  detail::function_name name;
  std::exception_ptr error;
  bool starved = false;  // ... for want of descriptors or memory
  bool wakes = false;    // it is the first that its worker gets in this batch
  stage now = stage::elsewhere;

  /// Within a catch clause.
  void fail(bool for_want_of_resources) noexcept {
    error = std::current_exception();
    starved = for_want_of_resources;
    now = stage::unsent;
  }
};

}  // namespace tandem::process

#endif
