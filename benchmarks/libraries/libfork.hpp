// libfork's lazy_pool: tasks are coroutines, idle workers sleep.
#ifndef TANDEM_BENCH_LIBRARIES_LIBFORK_HPP
#define TANDEM_BENCH_LIBRARIES_LIBFORK_HPP

#include <libfork.hpp>
#include <type_traits>
#include <utility>

namespace libraries {

class libfork_pool {
 public:
  using tasks_must_not_block = void;
  explicit libfork_pool(int workers) : pool_(static_cast<std::size_t>(workers)) {}
  /// From outside only: libfork has no such thing for its workers.
  template <class F>
  auto submit(F f) {
    constexpr auto call = [](auto /*self*/, F g) -> lf::task<std::invoke_result_t<F&>> { co_return g(); };
    return lf::schedule(pool_, call, std::move(f));
  }
  /// Runs a coroutine and waits for its result.
  template <class Coroutine, class... Args>
  auto run(Coroutine coroutine, Args&&... args) {
    return lf::sync_wait(pool_, coroutine, std::forward<Args>(args)...);
  }

 private:
  lf::lazy_pool pool_;
};

}  // namespace libraries

#endif
