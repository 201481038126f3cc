// parallel_invoke() on a worker: all functions but the first are forked, from frames on the caller's stack.
#ifndef TANDEM_DETAIL_INVOKE_HPP
#define TANDEM_DETAIL_INVOKE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/branch.hpp>
#include <tandem/detail/fork_place.hpp>

#include <cstdint>
#include <exception>
#include <functional>

namespace tandem::detail {

[[nodiscard]] TANDEM_API std::exception_ptr make_cancelled_error() noexcept;
[[noreturn]] TANDEM_API void throw_cancelled();
/// In a catch block, when all branches are back: throws the exception again, or, if that only says that something was
/// cancelled, the join's, if it has one: that is why.
[[noreturn]] TANDEM_API void throw_cause(join& all);

/// Calls a function that lives as long as the join; its exception is the join's.
template <class F>
class invoked_branch final : public branch {
 public:
  invoked_branch(F& f, join& meets) noexcept : branch(&call, meets), f_(f) {}

  [[nodiscard]] F& function() const noexcept { return f_; }

 private:
  static void call(branch& self) noexcept {
    if (self.meets().cancelled()) return self.meets().fail(make_cancelled_error());
    try {
      static_cast<void>(std::invoke(static_cast<invoked_branch&>(self).f_));
    } catch (...) {
      self.meets().fail(std::current_exception());
    }
  }

  F& f_;
};

/// All functions of a parallel_invoke() but the first. They are forked without a count: what is taken back has never been away.
template <class... F>
class forked_functions {
 public:
  explicit forked_functions(join&) noexcept {}
  static int offer(fork_place&) noexcept { return 0; }
  static void call(fork_place&, int&) noexcept {}
};

template <class F, class... More>
class forked_functions<F, More...> {
 public:
  explicit forked_functions(join& meets, F& f, More&... more) noexcept
      : first_(f, meets), behind_(meets, more...) {}

  /// Forks as many as there is room for, the last one first, so that the caller finds them in their order, and others take the
  /// last one. How many these are: the last ones.
  [[nodiscard]] int offer(fork_place& here) noexcept {
    const int forked = behind_.offer(here);
    if (forked != sizeof...(More) || !here.offer(first_, here.run_number())) return forked;
    return forked + 1;
  }

  /// Calls them in their order, up to one that somebody else has begun: all behind that are others' too. `away`: how many are
  /// forked and not taken back.
  void call(fork_place& here, int& away) {
    if (away == sizeof...(More) + 1) {
      if (!here.take_back(first_)) return;
      --away;
    }
    if constexpr (sizeof...(More) == 0) this_join = first_.meets().within();  // none of the others' is left
    if (first_.meets().cancelled()) [[unlikely]]
      throw_cancelled();
    static_cast<void>(std::invoke(first_.function()));
    behind_.call(here, away);
  }

 private:
  invoked_branch<F> first_;
  [[no_unique_address]] forked_functions<More...> behind_;
};

template <class F, class... More>
void invoke_all(fork_place& here, F& f, More&... more) {
  join all(&here);
  forked_functions<More...> others(all, more...);
  // As if the functions that are called here were branches, too, as long as there is another one: they hear of its exception.
  // Not a join_scope: that would keep more at hand than what is in `all` anyhow.
  this_join = &all;
  int away = others.offer(here);
  try {
    static_cast<void>(std::invoke(f));
    others.call(here, away);
  } catch (...) {
    this_join = all.within();
    all.cancel();
    here.leave_out(all, away);
    throw_cause(all);
  }
  if (away == 0) return;
  this_join = all.within();
  here.wait_for_stolen(all, away);
  if (const std::exception_ptr error = all.take_error()) std::rethrow_exception(error);
}

}  // namespace tandem::detail

#endif
