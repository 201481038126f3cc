"""Mutants of the queues, of sleeping and waking, and of the pools on threads: src/dispatch/README.md."""
from mutant import Mutant

ROSTER = "src/dispatch/roster.cpp"
INJECTOR = "src/dispatch/injector.hpp"
RING = "src/dispatch/batch_ring.hpp"
WORKER = "src/thread_pool/thread_worker.cpp"
STATE = "src/thread_pool/thread_pool_state.cpp"
CALLS = "src/thread_pool/thread_pool_calls.cpp"
TBB = "src/tbb_pool/tbb_pool_state.cpp"
FORKS = "src/thread_pool/fork_place.cpp"

MUTANTS = [
    # --- nobody sleeps on work ---
    Mutant(
        "submit_calls_nobody", STATE,
        "  if (!roster_.is_served(roster_.look())) call_worker();\n", "",
        "rule 1: who publishes work looks at the roster",
        "thread_pool_test", "ThreadPool.RunsATask"),
    Mutant(
        "sleeper_looks_not_again", WORKER,
        "    pool_.call_if_needed();\n    if (!roster.sleep(index_,", "    if (!roster.sleep(index_,",
        "rule 2, lie_down: who lies down looks once more",
        "thread_pool_stress_test", "ThreadPoolStress.WorkersSleepAndWakeWithoutLosingATask", repeat=5),
    Mutant(
        "blocked_worker_calls_nobody", WORKER,
        "  pool_.roster().leave();\n  pool_.call_if_needed();", "  pool_.roster().leave();",
        "rule 2, leave: a worker that blocks lets another take its place",
        "thread_pool_test", "ThreadPool.WaitingTaskOfASingleWorkerIsStoodInFor:ThreadPool.NestedSubmitsCompleteOnOneWorker"),
    Mutant(
        "new_runner_leaves_the_rest", "src/thread_pool/task_intake.cpp",
        "    pool_.call_worker();\n  }\n  return batch[0];", "  }\n  return batch[0];",
        "rule 2, end_search: a wake is chained into the next",
        "thread_pool_test", "ThreadPool.BlockedTasksUseAllWorkersAndNoMore:ThreadPool.TwoWorkersRunTwoTasksAtOnce"),
    Mutant(
        "wake_without_signal", ROSTER,
        "const std::uint32_t was = signal(index);",
        "const std::uint32_t was = beds_[index].state.load(std::memory_order_acquire);",
        "wake_one: who is taken off the stack of sleepers is called",
        "dispatch_test", "Roster.WakesTheLastOneThatLayDownAndOnlyOne"),
    Mutant(
        "woken_one_is_no_searcher", ROSTER,
        "(old & ~top_mask) + below + searcher_unit + tag_unit", "(old & ~top_mask) + below + tag_unit",
        "who is called counts as a searcher from then on",
        "dispatch_test", "Roster.WakesTheLastOneThatLayDownAndOnlyOne"),
    Mutant(
        "falls_asleep_though_called", ROSTER,
        "  if (!mine.state.compare_exchange_strong(state, asleep, std::memory_order_acq_rel)) return true;",
        "  mine.state.store(state = asleep, std::memory_order_seq_cst);",
        "who is called before he sleeps does not fall asleep",
        "dispatch_test", "Roster.ANapEndsWithItsTimeOrARecall"),
    Mutant(
        "lies_down_though_closed", ROSTER,
        "    if (v.ending()) return false;\n    mine.below", "    mine.below",
        "nobody lies down in a pool that ends",
        "dispatch_test", "Roster.ClosedLetsNobodyLieDown"),
    Mutant(
        "end_wakes_nobody", CALLS,
        "  while (wake_any()) {}\n", "",
        "the end of a pool wakes all who sleep",
        "thread_pool_test", "ThreadPool.BlockedTasksUseAllWorkersAndNoMore", repeat=5),
    Mutant(
        "sleeper_does_not_see_a_resize", WORKER,
        "    pool_.wake_surplus();\n", "",
        "ORDER shrink: who lies down looks at the pool's size",
        "thread_pool_stress_test", "ThreadPoolSizeStress.NobodyWhoIsTooManyStays", repeat=5),
    Mutant(
        "taken_back_start_is_not_told", CALLS,
        "      crew_.note_start();\n      if (!has_work()) return;", "      if (!has_work()) return;",
        "who joins the workers does not wait for a start that is taken back",
        "thread_pool_parts_test", "ThreadPoolCalls.AStartThatIsTakenBackIsToldToWhoeverJoins"),
    Mutant(
        "spare_empties_its_ring", ROSTER,
        "  if (before.active() >= most_active()) shrunk_", "  if (before.active() > 1'000'000) shrunk_",
        "who comes back from blocking makes it seen that there is one too many",
        "thread_pool_test", "Resize.SpareGoesAfterItsTask"),
    Mutant(
        "callback_is_of_somebodys_group", "src/future/callbacks.cpp",
        "    const join_scope in_no_join(nullptr);  // what the thread has just ended is none of theirs\n", "",
        "a callback is no branch of what its thread has just run",
        "fork_join_test", "ForkJoinCancel.ACallbackIsNotOfTheGroupWhoseTaskCallsIt"),
    Mutant(
        "ending_worker_is_counted_on", ROSTER,
        "    undo_start();\n    result.passed = true;", "    result.passed = true;",
        "a worker that ends is not counted as a searcher",
        "dispatch_test", "Roster.OneThatIsEndingIsPassedAndMayNotStay"),
    Mutant(
        "called_worker_ends", ROSTER,
        "  return beds_[index].state.compare_exchange_strong(state, vacant, std::memory_order_acq_rel);",
        "  beds_[index].state.store(vacant, std::memory_order_seq_cst);\n  return state == ending;",
        "an idle worker that is called at the last moment does not end",
        "dispatch_test", "Roster.OneThatIsEndingIsPassedAndMayNotStay:Roster.OneThatIsCalledAtTheLastMomentDoesNotEnd"),

    # --- no task is lost, none comes twice ---
    Mutant(
        "overtaken_item_is_lost", INJECTOR,
        "      visited(home, ticket, 1);  // overtaken", "      visited(home, ticket, 1);\n      return true;  // overtaken",
        "a producer that was overtaken pushes again",
        "dispatch_stall_test", "InjectorStall.OvertakenProducerPushesAgain"),
    Mutant(
        "start_is_not_taken_back", CALLS,
        "    if (!has_work()) {\n      roster_.undo_start();\n", "    if (false) {\n      roster_.undo_start();\n",
        "no second thread is started for tasks that come one after the other",
        "thread_pool_test", "ThreadPool.SequentialTasksUseOneWorker", repeat=100),
    Mutant(
        "far_ones_are_asked_first", "src/dispatch/victims.hpp",
        "for (const bool near : {true, false}) {", "for (const bool near : {false, true}) {",
        "a worker asks those first that share its cache",
        "dispatch_test", "Victims.NearOnesComeFirst"),
    Mutant(
        "slow_slot_is_waited_for", INJECTOR,
        "for (int i = 0; item == nullptr && i < Sizes.patience; ++i) {", "for (; item == nullptr;) {",
        "a consumer does not wait for a producer that has lost the CPU",
        "dispatch_stall_test", "InjectorStall.OvertakenProducerPushesAgain"),
    Mutant(
        "publication_overwrites", INJECTOR,
        "if (home.slots[ticket % segment_slots].exchange(item, std::memory_order_seq_cst) == nullptr)\n        return true;",
        "home.slots[ticket % segment_slots].store(item, std::memory_order_seq_cst);\n      return true;",
        "a producer notices that its slot was given up",
        "dispatch_stall_test", "InjectorStall.OvertakenProducerPushesAgain"),
    Mutant(
        "closed_queue_accepts", INJECTOR,
        "      if ((ticket & closed_bit) != 0) return false;\n", "",
        "a closed queue refuses",
        "dispatch_test", "Injector.RefusesWhenClosedAndKeepsWhatItHas"),
    Mutant(
        "segment_is_freed_early", INJECTOR,
        "std::memory_order_acq_rel) + slots != segment_slots) return;",
        "std::memory_order_acq_rel) + slots < segment_slots - 3) return;",
        "a segment is freed by the last who can touch it",
        "dispatch_test", "Injector.LosesNothingAmongManyThreads", preset="asan"),
    Mutant(
        "pop_without_claim", INJECTOR,
        """    } while (!head_.compare_exchange_weak(ticket, ticket + count, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));""",
        "    } while (false);\n    head_.store(ticket + count, std::memory_order_seq_cst);",
        "a ticket has one consumer",
        "dispatch_test", "Injector.LosesNothingAmongManyThreads", repeat=20),
    Mutant(
        "steal_without_claim", RING,
        """      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return count;""",
        "      head_.store(head + count, std::memory_order_seq_cst);\n      return count;",
        "of owner and thieves one gets an item",
        "dispatch_test", "BatchRingStress.OwnerAndThievesGetEachItemOnce", repeat=30),
    Mutant(
        "ring_published_relaxed", RING,
        "tail_.store(tail + count, std::memory_order_seq_cst);", "tail_.store(tail + count, std::memory_order_relaxed);",
        "who sees the ring's tail sees the items",
        "dispatch_test", "BatchRingStress.ThiefSeesWhatIsInTheItems", preset="tsan"),
    Mutant(
        "cancelled_batch_runs", "src/thread_pool/task_intake.cpp",
        """    pool_.cancel(batch[0]);
    pool_.cancel_tasks(ring_);
    return nullptr;""",
        "    pool_.cancel_tasks(ring_);\n    return batch[0];",
        "ORDER cancel-fill: nothing starts behind shutdown({.cancel_pending = true})",
        "thread_pool_test", "ThreadPoolShutdown.TasksThatAreBeingCancelledAreNotRunMeanwhile", repeat=20),

    # --- fork-join: src/task_group/README.md ---
    Mutant(
        "initializers_fork_for_ever", CALLS,
        "  return forks != 0 && worker.is_initializing() && roster_.look().ending() ? 0 : forks;\n",
        "  return forks;\n",
        "no thread is started for what an initializer forks in a pool that ends",
        "fork_join_test", "InitializerOfAPoolThatEnds.StartsNoThread*", repeat=5),
    Mutant(
        "fork_calls_nobody", "include/tandem/detail/fork_place.hpp",
        "    if (!is_served()) [[unlikely]]\n      call();\n    return true;", "    return true;",
        "who forks looks at the roster",
        "fork_join_test", "ParallelInvoke.RunsItsFunctionsAtTheSameTime"),
    Mutant(
        "forks_are_no_work", CALLS,
        " || has_batches() || has_forks(); }", " || has_batches(); }",
        "what a blocked worker has forked is work for another one",
        "fork_join_test", "ForkJoinWait.ASpareTakesWhatABlockedWorkerHasForked"),
    Mutant(
        "helps_with_anything", FORKS,
        "[run](std::uint64_t tag) { return tag == run; }", "[](std::uint64_t) { return true; }",
        "a waiting worker runs nothing that it does not wait for",
        "fork_join_test", "ForkJoinWait.HelpsWithNothingThatItDoesNotWaitFor"),
    Mutant(
        "helper_looks_not_again", FORKS,
        "    if (help(all)) {\n      turns = 0;\n      look_here();", "    if (help(all)) {\n      turns = 0;",
        "no branch of a join lies in the deque of its home that sleeps",
        "fork_join_test", "ForkJoinWait.RunsWhatHasBeenAddedWhileItHelped"),
    Mutant(
        "callbacks_fork_unseen", FORKS,
        "others may wait for those\n      turns = 0;\n      look_here();", "others may wait for those\n      turns = 0;",
        "the same for what callbacks have forked",
        "fork_join_test", "ForkJoinWait.CallsPutOffCallbacksAndRunsWhatTheyFork"),
    Mutant(
        "callbacks_wait_for_the_end", FORKS,
        "} else if (run_put_off_callbacks()) {", "} else if (false) {",
        "a worker does not go to sleep with callbacks that it has put off",
        "fork_join_test", "ForkJoinWait.CallsPutOffCallbacksAndRunsWhatTheyFork"),
    Mutant(
        "put_back_without_its_tag", FORKS,
        "deque_.push(aside, aside->tag_)", "deque_.push(aside, 0)",
        "what has been put back can be helped with as before",
        "fork_join_test", "ForkJoinWait.HelpsWithWhatHasBeenPutBackMeanwhile"),
    Mutant(
        "caller_is_in_no_branch", "include/tandem/detail/invoke.hpp",
        "  this_join = &all;\n", "",
        "what the caller runs himself hears of the other functions' exceptions",
        "fork_join_test", "ForkJoinCancel.AFunctionsExceptionReachesWhatTheOthersHaveForked"),
    Mutant(
        "task_begins_in_a_branch", "src/future/context.cpp",
        "  const join_scope in_no_join(nullptr);", "  const join_scope in_no_join(this_join);",
        "what cancels a group does not reach a task that is run in place in it",
        "fork_join_test", "TaskGroup.CancellingDoesNotReachATaskThatIsAwaitedWithin"),
    Mutant(
        "token_knows_no_task", "src/future/stop_relay.cpp",
        "is_outermost ? stop_token_of(task_) : std::stop_token()", "is_outermost ? std::stop_token() : std::stop_token()",
        "a branch's token is requested with the task's",
        "fork_join_test", "StopToken.OfABranchIsRequestedWithTheTaskAndMayOutliveIt"),
    Mutant(
        "no_room_means_call", "include/tandem/task_group.hpp",
        "detail::fork_place::keep(*made, kept_);", "here.run(*made);",
        "run() calls nothing in a task of a pool",
        "fork_join_test", "TaskGroupFlood.RunUnderALockThatItsTasksWantDoesNotCallThem"),
    Mutant(
        "kept_ones_are_nobody_elses", FORKS,
        "if (!offer(newest, made_in)) return &newest;", "static_cast<void>(made_in);\n    return &newest;",
        "what had no room can be taken by others when there is some",
        "fork_join_test", "TaskGroupFlood.WhatHadNoRoomIsRunByOtherWorkersToo"),

    # --- oneTBB ---
    Mutant(
        "tbb_rest_looks_not_again", TBB,
        "    if (!surplus && !queue_.empty()) {", "    if (false && !queue_.empty()) {",
        "ORDER call-rest: a worker that rests looks at the queue once more",
        "tbb_pool_test", "TbbPool.MissesNoTaskThatComesWhenItsWorkerGoesToRest"),
    Mutant(
        "tbb_helpers_are_nobody", "src/tbb_pool/tbb_helpers.cpp",
        "  if (current_worker() == nullptr) set_current_worker(this);\n", "",
        "a thread that helps in an algorithm of a task may wait for the pool as a worker may",
        "tbb_pool_test", "TbbPool.HelpersOfAnAlgorithmMayWaitForTasksOfTheirPool"),
    Mutant(
        "tbb_submit_calls_nobody", TBB,
        "    refuse();\n  }\n  call_worker();", "    refuse();\n  }",
        "a submit calls an idle worker",
        "tbb_pool_test", "TbbPool.RunsAsManyBlockedTasksAsWorkersAlsoBeyondTheCpus"),
    Mutant(
        "tbb_unpark_without_wake", "src/tbb_pool/tbb_worker.cpp",
        "  posix::futex_wake(called_, 1, posix::scope::process_private);\n", "",
        "ORDER unpark: a parked worker that is called wakes",
        "tbb_pool_test", "TbbPool.HooksRunOnTheThreadOfTheirTasks", repeat=3),
]
