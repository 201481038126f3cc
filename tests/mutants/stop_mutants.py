"""Mutants of stopping and of time: stop tokens, interruption, limits, the timer, delayed and repeated tasks.

src/future/README.md, src/thread_pool/README.md and src/timer/README.md have the protocols that they weaken.
"""
from mutant import Mutant

CORE = "src/future/core.cpp"
INTERRUPTION = "src/thread_pool/interruption.cpp"
WORKER = "src/thread_pool/thread_worker.cpp"
TIMER = "src/timer/timer.cpp"
DELAYED = "src/executor/delayed.cpp"
REPETITION = "src/executor/repetition.cpp"

MUTANTS = [
    # --- limits: of the runner and the timer one may complete ---
    Mutant(
        "expire_without_claim", CORE,
        "  } while (!state_.compare_exchange_weak(w, w | word::settling | word::stop_requested,\n"
        "                                         std::memory_order_acq_rel, std::memory_order_acquire));\n",
        "  } while (false);\n  state_.fetch_or(word::settling | word::stop_requested);\n",
        "the time limit takes the right to complete before it completes",
        "stop_race_test", "StopRace.TimeLimitAndEndGiveOneOutcome", preset="tsan", repeat=50),
    Mutant(
        "contested_is_ignored", CORE,
        "return (state_.load(std::memory_order_relaxed) & word::contested) == 0 || try_settle();",
        "return true;",
        "the runner of a task with a time limit asks whether it may complete",
        "contract_thread", "TimeLimit/*.DestroysAResultThatCameTooLate"),

    # --- stop requests and tokens ---
    Mutant(
        "token_misses_an_earlier_cancel", CORE,
        "  if ((old & word::stop_requested) != 0) stop_source().request_stop();\n", "    static_cast<void>(old);\n",
        "ORDER stop: who asks for the token late hears of an earlier cancel",
        "contract_thread", "Stop/*.TokenThatIsAskedForLateKnowsOfAnEarlierCancel"),
    Mutant(
        "cancel_tells_no_token", CORE,
        "  if ((w & word::has_stop_source) != 0) stop_source().request_stop();\n  return is_cancelled;",
        "  static_cast<void>(w);\n  return is_cancelled;",
        "ORDER stop: who asks a task to stop tells its token",
        "contract_thread", "Stop/*.TokenOfARunningTaskIsRequestedByCancel"),

    # --- interruption reaches one task and no other ---
    Mutant(
        "interruption_is_left_to_the_next", CORE,
        "  if ((old & word::stop_requested) != 0 && context != nullptr && worker != nullptr) worker->task_left(*this);\n",
        "",
        "ORDER interrupt: a task that was asked to stop takes its interruption with it",
        "thread_pool_interruption_test", "Interruption.TaskThatDoesNotNoticeLeavesNothingToTheNext"),
    Mutant(
        "late_task_leaves_its_interruption", CORE,
        "  if (worker_context* worker = current_worker(); worker != nullptr) worker->task_left(*this);\n", "",
        "a task whose time is over takes its interruption with it",
        "thread_pool_interruption_test", "Interruption.OfATaskWhoseTimeIsOverIsNotLeftToTheNext"),
    Mutant(
        "left_task_is_still_claimed", "src/future/context.cpp",
        "  if (worker_ != nullptr) worker_->task_left(task);\n", "",
        "a worker that leaves its task to a future of its own takes the interruption back",
        "thread_pool_interruption_test", "Interruption.OfATaskThatIsLeftToAnotherIsNotLeftToTheNext"),
    Mutant(
        "done_task_is_still_claimed", WORKER,
        "  interruption_.release();  // while", "  // while",
        "an idle worker is not interrupted for a task that has got the memory of its last one",
        "thread_pool_interruption_test", "Interruption.DoesNotReachAnIdleWorkerWhoseLastTaskHadTheSameAddress"),
    Mutant(
        "void_claim_stays", WORKER,
        "    interruption_.withdraw();\n", "",
        "a worker that could not start a task is not interrupted for it",
        "thread_pool_interruption_test", "Interruption.DoesNotReachAWorkerWhoseTaskAnotherOneRuns"),
    Mutant(
        "interrupts_without_the_mutex", INTERRUPTION,
        "  const std::lock_guard held(mutex_);\n  if (claimed_.load(std::memory_order_relaxed) != &task) return;\n"
        "  interrupted_ = true;",
        "  interrupted_ = true;",
        "ORDER interrupt: while a worker is interrupted it does not go on to another task",
        "thread_pool_interruption_test", "Interruption.IsPreciseWheneverTheCancelComes", repeat=10),
    Mutant(
        "detour_claims_nothing", INTERRUPTION,
        "  of_.claim(inner);\n", "",
        "while a task runs in place of one that waits for it, its waiter is not interrupted",
        "thread_pool_interruption_test", "Interruption.DoesNotReachATaskThatRunsInPlaceOfTheOneThatWaitsForIt"),
    Mutant(
        "detour_does_not_restore", INTERRUPTION,
        "    of_.claimed_.store(outer_, std::memory_order_release);\n", "    of_.claimed_.store(nullptr);\n",
        "behind a task that ran in place, the waiting one can be interrupted again",
        "thread_pool_interruption_test", "Interruption.ReachesATaskThatHasRunAnotherOneInPlace"),
    Mutant(
        "detour_looks_not_again", INTERRUPTION,
        "  if (before_.unnoticed || (asked && !before_.delivered)) return outer_;",
        "  static_cast<void>(asked);\n  if (before_.unnoticed) return outer_;",
        "ORDER interrupt: a request that came while a task ran in place is made up for",
        "thread_pool_interruption_test",
        "InterruptionMoments.RequestThatIsOnItsWayWhenADetourBeginsIsDueBehindIt"),
    Mutant(
        "detour_forgets_what_was_due", INTERRUPTION,
        "  if (before_.unnoticed || (asked && !before_.delivered)) return outer_;",
        "  if (asked && !before_.delivered) return outer_;",
        "an interruption that was due before a task ran in place is due behind it",
        "thread_pool_interruption_test",
        "InterruptionMoments.InterruptionThatIsHereWhenADetourBeginsIsDueBehindIt"),

    Mutant(
        "detour_interrupts_twice", INTERRUPTION,
        "  if (before_.delivered) of_.remember_delivery();\n", "",
        "an interruption that a task has noticed does not come again",
        "thread_pool_interruption_test", "InterruptionMoments.InterruptionThatWasNoticedDoesNotComeAgain"),
    Mutant(
        "detour_keeps_what_it_found", INTERRUPTION,
        "    (void)of_.leave(outer_);  // whoever", "    of_.claimed_.store(outer_);  // whoever",
        "what met a worker that was too late for a task is not left to the task that it is in",
        "thread_pool_interruption_test",
        "InterruptionMoments.InterruptionOfATaskThatAnotherWorkerHasStartedIsNotLeftToTheOuterOne"),
    Mutant(
        "detour_takes_nothing_along", INTERRUPTION,
        "  if (outer_ != nullptr && outer_->was_asked_to_stop()) before_ = of_.leave(&inner);\n", "",
        "ORDER interrupt: a request that came before a detour does not reach the inner task",
        "thread_pool_interruption_test",
        "InterruptionMoments.InterruptionThatIsHereWhenADetourBeginsIsDueBehindIt"),

    Mutant(
        "disabled_interruption_is_not_taken_back", INTERRUPTION,
        "  return std::exchange(here.interrupt_requested, false);", "  return here.interrupt_requested;",
        "a task that has disabled interruptions leaves none of another task behind",
        "thread_pool_interruption_test", "Interruption.IsTakenBackWhereItIsDisabled"),

    # --- the timer ---
    Mutant(
        "timer_sleeps_on", TIMER,
        "    if (too_late) wake_thread();\n    return made;", "    static_cast<void>(too_late);\n    return made;",
        "whoever sets an alarm before all others wakes the timer",
        "timer_test", "Timer.SleepsShorterWhenAnEarlierAlarmIsSet"),
    Mutant(
        "timer_looks_at_no_change", TIMER,
        "    if (when >= sleeps_until_) return false;\n    changes_.fetch_add(1, std::memory_order_relaxed);\n",
        "    if (when >= sleeps_until_) return false;\n",
        "a timer that is about to sleep sees the alarm that was set meanwhile",
        "timer_stall_test", "TimerStall.ThreadThatIsAboutToSleepSeesTheAlarmThatWasSetMeanwhile"),
    Mutant(
        "timer_ends_though_something_waits", TIMER,
        "if (idle && waiting_.empty() && why", "if (idle && why",
        "the timer's thread does not end when something was set meanwhile",
        "timer_stall_test", "TimerStall.ThreadThatIsAboutToEndSeesTheAlarmThatWasSetMeanwhile"),
    Mutant(
        "stop_all_waits_for_nobody", TIMER,
        "    if (ringing_ == owner && self != thread_id_) return true;\n", "",
        "ORDER rung: stop_all() waits for the alarm that rings",
        "timer_test", "Timer.StopOfAllWaitsForTheOneThatRings", repeat=50),
    Mutant(
        "stop_all_waits_for_itself", TIMER,
        "ringing_ == owner && self != thread_id_", "ringing_ == owner",
        "an alarm may call stop_all()",
        "timer_test", "Timer.StopOfAllMayBeCalledByAnAlarm"),
    Mutant(
        "ringing_wakes_nobody", TIMER,
        "    if (due.owner != nullptr) tell_that_one_is_done();\n", "",
        "ORDER rung: who waits in stop_all() is woken",
        "timer_test", "Timer.StopOfAllWaitsForTheOneThatRings", repeat=50),
    Mutant(
        "stop_all_waits_for_no_dropper", TIMER,
        "    while (d != nullptr && (d->owner != owner || d->thread == self)) d = d->next;\n    return d != nullptr;",
        "    return false && d != nullptr;",
        "ORDER rung: stop_all() waits for those that another thread drops",
        "timer_test", "Timer.StopOfAllWaitsForAnotherThreadThatDrops", repeat=50),
    Mutant(
        "dropper_waits_for_itself", TIMER,
        "(d->owner != owner || d->thread == self)", "(d->owner != owner)",
        "an alarm that is dropped may call stop_all()",
        "timer_test", "Timer.StopOfAllMayBeCalledByAnAlarmThatIsDropped"),

    # --- delayed and repeated tasks against the end of the pool ---
    Mutant(
        "late_callbacks_are_not_awaited", "src/thread_pool/thread_pool_state.cpp",
        "  stop_delayed(this);       // callbacks of tasks that ran too long may still be under way\n", "",
        "shutdown() waits for callbacks of tasks that ran too long",
        "contract_thread", "TimeLimit/*.CallbacksAreOverWhenThePoolIsGone"),
    Mutant(
        "canceller_of_delayed_tasks_is_nobody", "src/thread_pool/thread_pool_state.cpp",
        "  const outsiders::visit here(resolvers_);\n  cancel_delayed(this);\n", "  cancel_delayed(this);\n",
        "shutdown() in a callback of a delayed task that another shutdown() cancels does not wait for that one",
        "contract_thread", "ShutdownWithin/*.ACallbackOfADelayedTaskThatItCancelsIsRefusedIfItWaits"),
    Mutant(
        "repetition_leaves_its_stop_link", "include/tandem/executor.hpp",
        "      raw->cancel_pending();  // takes the stop link along\n", "",
        "a repeated task that could not begin is taken out of its stop source",
        "out_of_memory_test", "OutOfMemory.RepeatedTaskThatCouldNotBeginLeavesNothingInItsStopSource", preset="asan"),
    Mutant(
        "shutdown_keeps_delayed_tasks", "src/thread_pool/thread_pool_state.cpp",
        "  cancel_not_due();\n  if", "  if",
        "shutdown() cancels what is not due",
        "contract_thread", "SubmitAfter/*.ShutdownThatDoesNotWaitCancelsWhatIsNotDueToo"),
    Mutant(
        "process_shutdown_keeps_delayed_tasks", "src/process_pool/pool_state.cpp",
        "  cancel_not_due();\n", "",
        "the same, of a process_pool",
        "contract_process", "SubmitAfter/*.ShutdownThatDoesNotWaitCancelsWhatIsNotDueToo"),
    Mutant(
        "delayed_task_looks_not_again", DELAYED,
        "  if (!sink.is_open() && timer::stop(alarm)) {", "  if (false) {",
        "ORDER alarm-close: who has set an alarm looks whether the pool is open",
        "contract_thread", "SubmitAfter/*.ThatRacesShutdownIsNotRunBeforeItsTime", repeat=10),
    Mutant(
        "repeated_task_looks_not_again", REPETITION,
        "  if (!sink_.is_open()) refuse();  // ORDER alarm-close\n", "",
        "ORDER alarm-close, of a repeated task",
        "contract_thread", "SubmitAfter/*.ThatRacesShutdownIsNotRunBeforeItsTime", repeat=10),
    Mutant(
        "repetition_drifts", REPETITION,
        "  next_ += period_;\n", "  next_ = std::chrono::steady_clock::now() + period_;\n",
        "runs come at multiples of the period from the start, however long they take",
        "contract_thread", "SubmitEvery/*.DoesNotDriftThoughRunsTakeMostOfAPeriod"),
    Mutant(
        "late_runs_are_made_up_for", REPETITION,
        "    next_ += (late / period_ + 1) * period_;\n", "    static_cast<void>(late);\n",
        "runs whose time came while another one lasted are left out",
        "contract_thread", "SubmitEvery/*.RunsThatAreLeftOutAreNotMadeUpFor"),
    Mutant(
        "run_has_no_alarm", REPETITION,
        "    set_alarm(next_ + never);\n", "",
        "the end of the pool finds a repeated task whose run is under way",
        "contract_thread", "SubmitEvery/*.ShutdownAsksARunThatIsUnderWayToStop"),
    Mutant(
        "tbb_pool_is_open_though_it_says_not", "src/tbb_pool/tbb_pool_state.cpp",
        "  queue_.close();\n  closing_.store(true, std::memory_order_seq_cst);\n",
        "  closing_.store(true, std::memory_order_seq_cst);\n  queue_.close();\n",
        "ORDER alarm-close: a pool that says that it is closed refuses",
        "mix_stress_tbb", "MixStress.EveryFutureIsResolvedOnceAndNothingLivesOn", repeat=10),
    Mutant(
        "cancelled_task_leaves_its_alarm", DELAYED,
        "    (void)timer::stop(alarm_);\n    delete this;", "    delete this;",
        "a delayed task that is cancelled takes its alarm along",
        "contract_thread", "SubmitAfter/*.CancelledOneLeavesNoAlarm"),
    Mutant(
        "imap_cancels_its_first_first", "include/tandem/detail/imap.hpp",
        "auto it = this->rbegin(); it != this->rend(); ++it", "auto it = this->begin(); it != this->end(); ++it",
        "behind an item that stops at once nothing begins",
        "cancel_order_test", "CancelOrder.ImapThatIsClosed"),
    Mutant(
        "submit_each_cancels_its_first_first", "include/tandem/detail/each.hpp",
        "auto it = futures.rbegin(); it != futures.rend(); ++it", "auto it = futures.begin(); it != futures.end(); ++it",
        "behind a task that stops at once nothing begins",
        "cancel_order_test", "CancelOrder.SubmitEachThatFails"),
]
