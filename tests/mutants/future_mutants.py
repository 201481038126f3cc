"""Mutants of a future's shared state: src/future/README.md has the protocol that they weaken."""
from mutant import Mutant

CALLBACKS = "src/future/callbacks.cpp"
CORE = "src/future/core.cpp"
QUEUE = "src/future/completion_queue.cpp"
CONTINUATION = "include/tandem/detail/continuation.hpp"

MUTANTS = [
    # --- waking and firing ---
    Mutant(
        "notify_wakes_nobody", CORE,
        """  if ((old & word::has_waiter) != 0)
    posix::futex_wake(state_, posix::wake_all, posix::scope::process_private);
""",
        "  static_cast<void>(old);\n",
        "completion wakes whoever sleeps on the word",
        "future_test", "BlockedWaiter.WakesWithTheValue:BlockedWaiter.WakesWithTheException", repeat=50),
    Mutant(
        "notify_wakes_only_one", CORE,
        "posix::futex_wake(state_, posix::wake_all,", "posix::futex_wake(state_, 1,",
        "completion wakes all who sleep",
        "future_test", "BlockedWaiter.AllOfManyWake", repeat=20),
    Mutant(
        "attach_sets_no_flag", CALLBACKS,
        "state_.fetch_or(word::has_callback, std::memory_order_acq_rel)", "state_.load(std::memory_order_acquire)",
        "a callback that was pushed is seen by finish()",
        "future_test", "OnDone.BeforeCompletionIsCalledOnceWithTheFinishedFuture"),
    Mutant(
        "attach_looks_not_again", CALLBACKS,
        "  if (word::done(old)) fire_callbacks();\n", "  static_cast<void>(old);\n",
        "who attaches behind finish() fires himself",
        "future_race_test", "FutureRace.CallbackIsNotMissedWhileTheFutureCompletes", repeat=50),
    Mutant(
        "give_back_drops", CALLBACKS,
        "head == nullptr ? list : nullptr,", "nullptr,",
        "a wait that gives up gives back what is not its own",
        "future_test", "OnDone.CallbacksStayInOrderWhenAWaiterGivesUpMeanwhile"),
    Mutant(
        "give_back_fires_nothing", CALLBACKS,
        "  callback_runner::run(*this, list);  // it completed while", "  // it completed while",
        "what completes while its list is out is fired by who has the list",
        "future_test", "OnDone.CallbacksAreCalledThoughItCompletesWhileAWaiterGivesUp"),
    Mutant(
        "detach_side_by_side", CALLBACKS,
        "while ((state_.fetch_or(word::detaching, std::memory_order_acquire) & word::detaching) != 0)\n"
        "    std::this_thread::yield();",
        "(void)state_.fetch_or(word::detaching, std::memory_order_acquire);",
        "two detach() of one core come one after the other",
        "future_test", "OnDone.WaiterThatGivesUpWaitsForAnotherOneThatDoes"),
    Mutant(
        "calls_are_nested", CALLBACKS,
        "    if (runner.active_) return;\n", "",
        "a chain of completions needs no stack",
        "future_test", "OnDone.ChainOfCompletionsDoesNotGrowTheStack"),
    Mutant(
        "wait_keeps_what_it_put_off", CORE,
        """  while (run_put_off_callbacks()) {
    if (done()) return true;
  }
  if (const std::shared_ptr<task_owner> helper""",
        "  if (const std::shared_ptr<task_owner> helper",
        "who waits inside a callback first fires what he has put off",
        "future_test", "OnDone.CallbackMayWaitForWhatItCompleted"),

    # --- who may end a phase ---
    Mutant(
        "start_without_claim", CORE,
        """    if (state_.compare_exchange_weak(w, w | word::running, std::memory_order_acq_rel,
                                     std::memory_order_relaxed)) {
      return true;
    }""",
        "    state_.store(w | word::running, std::memory_order_seq_cst);\n    return true;",
        "of try_start() and cancel() one wins",
        "future_race_test", "FutureRace.TaskThatIsTriedAgainIsStoppedOrCancelledNeverBoth", repeat=20),
    Mutant(
        "start_whatever_it_is", CORE,
        "while (word::phase(w) == word::pending && (w & word::settling) == 0) {\n    // ORDER start: acquire",
        "for (;;) {\n    // ORDER start: acquire",
        "what was cancelled or started is not started",
        "future_test", "Cancel.PendingIsCancelledAndNeverRuns"),
    Mutant(
        "cancel_without_claim", CORE,
        "if (!state_.compare_exchange_weak(w, word::cancelled, std::memory_order_acq_rel)) continue;",
        "w = state_.exchange(word::cancelled, std::memory_order_acq_rel);",
        "of cancel() and try_start() one wins",
        "future_race_test", "FutureRace.TaskThatIsTriedAgainIsStoppedOrCancelledNeverBoth", repeat=20),
    Mutant(
        "settle_twice", CORE,
        "while (!word::done(w) && (w & word::settling) == 0) {", "while (!word::done(w)) {",
        "a promise has one outcome, and one setter stores it",
        "future_race_test", "FutureRace.ExactlyOneOfSetCancelAndBreakWins", repeat=10),
    Mutant(
        "tried_again_though_stopped", CORE,
        "while ((w & word::stop_requested) == 0) {", "for (;;) {",
        "a task that was asked to stop is not tried again",
        "future_test", "Cancel.OfARunningTaskIsNotForgottenWhenItIsToBeTriedAgain"),

    # --- memory orders: x86 hides them, ThreadSanitizer does not ---
    Mutant(
        "finish_relaxed", CORE,
        "state_.exchange(phase, std::memory_order_acq_rel)", "state_.exchange(phase, std::memory_order_relaxed)",
        "ORDER finish: the result is published before the phase",
        "future_race_test", "FutureRace.PromiseAndFutureMayBeDestroyedAsSoonAsTheFutureIsReady", preset="tsan"),
    Mutant(
        "load_relaxed", "include/tandem/detail/core.hpp",
        "return state_.load(std::memory_order_acquire); }", "return state_.load(std::memory_order_relaxed); }",
        "ORDER finish: who sees the phase sees the result",
        "future_race_test", "FutureRace.PromiseAndFutureMayBeDestroyedAsSoonAsTheFutureIsReady", preset="tsan"),
    Mutant(
        "release_without_acquire", CORE,
        "refs_.load(std::memory_order_acquire) == 1 || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1",
        "refs_.load(std::memory_order_relaxed) == 1 || refs_.fetch_sub(1, std::memory_order_release) == 1",
        "ORDER release: the last one sees what all have written",
        "future_race_test", "FutureRace.PromiseAndFutureMayBeDestroyedAsSoonAsTheFutureIsReady", preset="tsan"),
    Mutant(
        "push_relaxed", CALLBACKS,
        "callbacks_.compare_exchange_weak(head, c, std::memory_order_release, std::memory_order_acquire)",
        "callbacks_.compare_exchange_weak(head, c, std::memory_order_relaxed, std::memory_order_relaxed)",
        "who takes the list sees its nodes",
        "future_race_test", "FutureRace.CallbacksAreCalledOnceWhileOthersComeAndGo", preset="tsan"),

    # --- waiting for several ---
    Mutant(
        "sleep_flag_behind_the_look", QUEUE,
        """      shared_->sleeping.store(1, std::memory_order_seq_cst);  // ORDER complete-sleep
      if (shared_->completed.load(std::memory_order_seq_cst) != nullptr) break;
""",
        """      if (shared_->completed.load(std::memory_order_seq_cst) != nullptr) break;
      shared_->sleeping.store(1, std::memory_order_seq_cst);  // ORDER complete-sleep
""",
        "ORDER complete-sleep: no completion is missed by who goes to sleep",
        "future_race_test", "FutureRace.FirstOneIsNotMissedWhileTheWaitBegins", repeat=10),
    Mutant(
        "completer_wakes_nobody", QUEUE,
        "      posix::futex_wake(queue->sleeping, 1, posix::scope::process_private);\n", "",
        "a completer wakes the consumer that sleeps",
        "future_race_test", "FutureRace.FirstOneIsNotMissedWhileTheWaitBegins"),
    Mutant(
        "push_to_who_is_gone", QUEUE,
        "      if (next == shared::closed()) {", "      if (false) {",
        "a completer that comes late finds the stack closed",
        "future_test", "OnDone.CompletionThatComesTooLateFindsTheWaiterGone", preset="asan"),
    Mutant(
        "queue_leaves_its_callbacks", QUEUE,
        "    s.watched->detach([mine](const callback* c) { return c == mine; });\n",
        "    static_cast<void>(mine);\n",
        "a wait that gives up leaves nothing behind",
        "future_test", "OnDone.WaitThatIsOverLeavesNothingInTheFuture"),

    # --- continuations ---
    Mutant(
        "continuation_counted_once", CONTINUATION,
        "      : result<value_type>(2),", "      : result<value_type>(1),",
        "the predecessor's list holds a reference to the continuation",
        "future_test", "Then.GetsTheValueWhenItIsThere:Then.DroppedOneIsStillCalled", preset="asan"),
    Mutant(
        "follower_not_counted", CONTINUATION,
        "    follow_ = &followed<T>;\n    this->add_ref();\n", "    follow_ = &followed<T>;\n",
        "the inner future's list holds a reference to the continuation",
        "future_test", "Then.FutureOfAFutureIsUnwrapped:Then.FailureOfTheInnerFutureIsTheOutcome", preset="asan"),
    Mutant(
        "continuation_of_a_failure_runs", CONTINUATION,
        "    if (call_type::of_value && word::phase(done.load()) != word::value) {", "    if (false) {",
        "a failure skips functions of the value",
        "future_test", "Then.ExceptionSkipsToTheEnd"),
    Mutant(
        "cancelled_continuation_runs", CONTINUATION,
        """    if (this->done()) return;  // cancelled
    if (sink_ == nullptr) {
      if (this->try_start()) execute_in_context(*this);
      return;
    }
""",
        """    if (sink_ == nullptr) {
      (void)this->try_start();
      execute_in_context(*this);
      return;
    }
""",
        "a continuation that was cancelled is not called",
        "future_test", "Then.CancelledByAnEarlierCallbackOfItsPredecessorIsNotCalled", preset="asan"),
    Mutant(
        "cancelled_continuation_stays", CONTINUATION,
        "    if (source && !source->done()) source->detach([this](const callback* c) { return c == this; });\n", "",
        "a cancelled continuation leaves nothing in its predecessor",
        "future_test", "Then.CancelledOnesLeaveNothingInAPredecessorThatLives"),

    # --- stop tokens ---
    Mutant(
        "stop_link_stays", "src/future/stop_link.cpp",
        "void fire(core&) noexcept override { delete this; }", "void fire(core&) noexcept override {}",
        "a done task is taken out of its stop source",
        "future_test", "Cancel.DoneTaskIsTakenOutOfItsStopSource", preset="asan"),
    Mutant(
        "canceller_holds_nothing", "src/future/stop_link.cpp",
        "    task->add_ref();\n    const core_ptr<core> keep(task);\n", "",
        "a task lives while its stop callback cancels it",
        "future_test", "Cancel.StopRequestMayDropAllElseThatHoldsTheTask", preset="asan"),
]
