"""Mutants of bounded queues, priorities and the size of pools.

src/executor/README.md, src/dispatch/README.md and src/process_pool/README.md have the protocols that they weaken.
"""
from mutant import Mutant

BOUND = "src/executor/queue_bound.cpp"
COUNT = "src/executor/waiting_count.hpp"
LANES = "src/dispatch/lanes.hpp"
AGEING = "src/dispatch/ageing.hpp"
THREADS = "src/thread_pool/thread_pool_state.cpp"
CALLS = "src/thread_pool/thread_pool_calls.cpp"
THREADS_HPP = "src/thread_pool/thread_pool_state.hpp"

MUTANTS = [
    # --- who sleeps until there is room is woken ---
    Mutant(
        "sleeper_looks_before_it_says_so", BOUND,
        """    sleepers_.store(1, std::memory_order_seq_cst);
    queue.throw_if_closed();
    if (queue.try_enter()) return;
""",
        """    queue.throw_if_closed();
    if (queue.try_enter()) return;
    sleepers_.store(1, std::memory_order_seq_cst);
""",
        "ORDER room-sleep: who is about to sleep looks once more",
        "executor_parts_test", "QueueBound.RoomThatIsMadeBehindTheLookIsNotMissed"),
    Mutant(
        "begun_task_wakes_no_submitter", THREADS_HPP,
        "    waiting_.begin();\n    bound_.wake();\n", "    waiting_.begin();\n",
        "who takes a task out of the queue wakes those who wait for room",
        "contract_thread", "Bound/*.BlockedSubmitGoesOnWhenATaskStarts"),
    Mutant(
        "left_task_wakes_no_submitter", THREADS_HPP,
        "    waiting_.leave();\n    bound_.wake();\n", "    waiting_.leave();\n",
        "so does who finds a cancelled task in the queue",
        "contract_thread", "Bound/*.CancelledTaskMakesRoomForABlockedSubmit"),
    Mutant(
        "answered_task_wakes_no_submitter", "src/process_pool/manager.cpp",
        "  bound_.wake();\n", "",
        "so does who takes an answer from a worker process",
        "contract_process", "Bound/*.BlockedSubmitGoesOnWhenATaskStarts"),
    Mutant(
        "shutdown_wakes_no_submitter", THREADS,
        "  bound_.wake();\n  crew_.dismiss_resting();\n  cancel_not_due",
        "  crew_.dismiss_resting();\n  cancel_not_due",
        "so does who closes the pool",
        "contract_thread", "Bound/*.ShutdownWakesBlockedSubmitters", repeat=10),
    Mutant(
        "workers_wait_for_themselves", BOUND,
        "(queue.is_own_worker() || in_callback())", "in_callback()",
        "a submit on a worker of the same pool does not wait",
        "executor_parts_test", "QueueBound.WorkerOfThePoolDoesNotWaitForItself"),
    Mutant(
        "callbacks_wait_for_room", BOUND,
        "(queue.is_own_worker() || in_callback())", "queue.is_own_worker()",
        "nor does one in a callback",
        "contract_thread", "BoundProgress/*.SubmitInACallbackThatIsOnNoWorkerNeverWaits"),

    # --- many tasks at once call one worker ---
    Mutant(
        "each_task_of_a_batch_calls", THREADS,
        "      push(task, which);\n",
        "      push(task, which);\n      if (!roster_.is_served(roster_.look())) call_worker();\n",
        "submit_each() looks for a worker once per batch",
        "submit_each_stall_test", "SubmitEachStall.NoWorkerIsCalledBeforeTheWholeBatchIsThere"),

    # --- the queue is counted exactly ---
    Mutant(
        "counted_twice_for_a_moment", COUNT,
        "word_.fetch_add(one_begun - 1, std::memory_order_seq_cst); }",
        "word_.fetch_add(one_begun, std::memory_order_seq_cst);\n    word_.fetch_sub(1, std::memory_order_seq_cst); }",
        "a task goes from waiting to begun in one step",
        "executor_parts_test", "WaitingCount.TaskThatIsBegunIsNeverCountedTwiceOrNotAtAll", repeat=50),
    Mutant(
        "leaving_is_not_counted", COUNT,
        "  void leave() noexcept { word_.fetch_sub(1, std::memory_order_seq_cst); }", "  void leave() noexcept {}",
        "what leaves the queue without being run makes room",
        "contract_thread", "BoundProgress/*.TaskThatIsRunInPlaceMakesRoomWhenItsTurnComes"),
    Mutant(
        "room_is_believed_without_a_second_look", COUNT,
        "if (word_.compare_exchange_weak(now, now + 1, std::memory_order_seq_cst)) return true;\n        continue;",
        "word_.fetch_add(1, std::memory_order_seq_cst);\n        return true;",
        "of two submitters that see room for one, one gets it",
        "executor_parts_test", "WaitingCount.NeverMoreEnterThanMay", repeat=30),

    # --- tasks that run in their submitters ---
    Mutant(
        "callers_are_not_awaited", THREADS,
        "  if (is_bounded()) bound_.await_callers();\n", "",
        "ORDER outsiders: shutdown() waits for what runs in its submitter",
        "contract_thread", "Bound/*.ShutdownWaitsForWhatRunsInACaller", repeat=50),
    Mutant(
        "outsiders_wake_nobody", "src/executor/outsiders.cpp",
        "    posix::futex_wake(whom_.word_, posix::wake_all, posix::scope::process_private);\n", "    return;\n",
        "ORDER outsiders: the last one wakes who waits",
        "contract_thread", "Bound/*.ShutdownWaitsForWhatRunsInACaller"),
    Mutant(
        "caller_looks_not_again", BOUND,
        "  queue.throw_if_closed();\n  if (task.try_start()) {", "  static_cast<void>(queue);\n  if (task.try_start()) {",
        "ORDER outsiders: who is about to run a task here looks whether the pool is closed",
        "executor_parts_test", "QueueBound.RunsNothingInTheCallerOnceThePoolIsClosed"),

    Mutant(
        "resolvers_are_not_awaited", THREADS,
        "  resolvers_.await_none();", "  if (false) resolvers_.await_none();",
        "ORDER outsiders: shutdown() waits for what another thread is cancelling",
        "contract_thread", "ShutdownWithin/*.ThatWaitsAlsoWaitsForWhatAnotherThreadIsCancelling"),

    # --- who stands in for a blocked worker of a tbb_pool ---
    Mutant(
        "blocked_worker_looks_at_no_queue", "src/tbb_pool/tbb_pool_state.cpp",
        "  if (!queue_.empty()) call_worker();  // ORDER call-rest\n", "",
        "ORDER call-rest: who blocks calls a spare for what waits",
        "contract_tbb", "Then/*.TaskOfTheOnlyWorkerMayWaitForIt"),
    Mutant(
        "spares_stay", "src/tbb_pool/tbb_worker.cpp",
        "    if (pool_.crew().is_surplus(*this)) return false;\n", "",
        "a spare that is not needed any more takes no further task",
        "tbb_pool_test", "TbbPool.SpareThatIsNotNeededAnyMoreTakesNoFurtherTask"),

    # --- priorities ---
    Mutant(
        "late_lane_is_born_open", LANES,
        "    if (closed_) {\n", "    if (false) {\n",
        "a lane that is made behind close() is closed",
        "dispatch_test", "Lanes.RefuseEveryPriorityOnceClosed"),
    Mutant(
        "high_lane_is_not_looked_at", LANES,
        "return extra == nullptr || (extra->high.empty() && extra->low.empty());",
        "return extra == nullptr || extra->low.empty();",
        "work is what lies in any lane",
        "dispatch_test", "Lanes.AreEmptyOnlyIfAllAre"),
    Mutant(
        "normal_ones_starve", AGEING,
        "if (normal && passed_normal_ >= normal_patience) next = priority::normal;", "",
        "a normal task is passed over 15 times in a row at the most",
        "dispatch_test", "Ageing.EverySixteenthIsNormalAndEverySixtyFourthIsLow"),
    Mutant(
        "low_ones_starve", AGEING,
        "    if (low && passed_low_ >= low_patience)\n      next = priority::low;  // waits longer",
        "    // waits longer",
        "a low task is passed over 63 times in a row at the most",
        "dispatch_test", "Ageing.EverySixteenthIsNormalAndEverySixtyFourthIsLow"),
    Mutant(
        "ring_is_not_overtaken", "src/thread_pool/thread_worker.cpp",
        "  if (!pool_.lanes().in_use()) [[likely]]\n    return ring_.pop();\n", "  return ring_.pop();\n",
        "urgent tasks come before those that a worker has taken",
        "contract_thread", "Priority/*.OvertakesWhatAWorkerHasTakenButNotBegun"),
    Mutant(
        "nothing_makes_way", "src/process_pool/submission.cpp",
        "  for (const worker_ptr& w : workers_) w->recall_less_urgent(rank, recalled);\n",
        "  static_cast<void>(recalled);\n",
        "urgent tasks come before those that lie in a worker's ring",
        "contract_process", "Priority/*.OvertakesWhatAWorkerHasTakenButNotBegun"),
    Mutant(
        "aged_task_makes_way_again", "src/process_pool/backlog.hpp",
        "out_of_turn ? priority::high : which", "out_of_turn ? which : which",
        "a task whose turn has come by ageing is not taken back",
        "process_pool_parts_test", "Backlog.TaskWhoseTurnHasComeMayNotBeOvertakenAnyMore"),

    # --- more and fewer workers ---
    Mutant(
        "larger_pool_calls_nobody", THREADS,
        "  bound_.wake();  // there may be room for more\n  call_if_needed();\n",
        "  bound_.wake();  // there may be room for more\n",
        "who makes the pool larger calls workers for what waits",
        "thread_pool_test", "Resize.MoreWorkersComeForWhatWaits"),
    Mutant(
        "sleepers_stay_though_too_many", CALLS,
        "surplus > 0 && wake_any(); --surplus) {}", "surplus > 1000000 && wake_any(); --surplus) {}",
        "who makes the pool smaller takes sleepers out of their beds",
        "thread_pool_test", "Resize.SleepersThatAreTooManyGo"),
    Mutant(
        "leaving_worker_says_nothing", "src/thread_pool/thread_worker.cpp",
        "      if (!ring_.empty()) pool_.leave_behind();  // only after a resize\n", "",
        "what a worker that goes had taken is not overtaken for ever",
        "thread_pool_test", "Resize.WhatALeavingWorkerHadNotBegunIsNotOvertakenForEver"),
    Mutant(
        "vacant_bed_is_not_filled", CALLS,
        "  const std::string error = crew_.start_at(call.index);\n", "  const std::string error;\n",
        "who pops the bed of a worker that has ended idly starts a thread",
        "thread_pool_test", "IdleTimeout.WorkersEndAndComeAgain"),
]
