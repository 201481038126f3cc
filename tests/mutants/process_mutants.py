"""Mutants of the process pool, the pool's side and the worker's: src/process_pool/README.md."""
from mutant import Mutant

WORKER = "src/process_pool/worker.cpp"
REMOTE = "src/process_pool/remote_worker.cpp"
CANCELLATION = "src/process_pool/cancellation.cpp"
BURIAL = "src/process_pool/burial.cpp"
MANAGER = "src/process_pool/manager.cpp"
SUBMISSION = "src/process_pool/submission.cpp"
DISPATCHING = "src/process_pool/dispatching.cpp"
ATTENDANCE = "src/process_pool/attendance.cpp"

MUTANTS = [
    # --- both sides sleep and wake ---
    Mutant(
        "worker_parks_without_a_look", WORKER,
        "      const bool work = is_ours(s);\n", "      const bool work = false;\n",
        "ORDER worker-park: a worker that parks looks at its slot once more",
        "process_pool_stress", "ProcessPoolStress.TakesTasksFromManyThreads", repeat=5),
    Mutant(
        "worker_rings_no_bell", WORKER,
        "    const bool woke = head_.bell.ring([this] {\n      if (!setup_.bell.raise()) give_up(\"closed its descriptors\");\n    });\n",
        "    const bool woke = false;\n",
        "ORDER parent-park: a worker that has answered wakes the manager",
        "process_pool_stress", "ProcessPoolStress.TakesTasksFromManyThreads"),
    Mutant(
        "manager_parks_without_a_look", MANAGER,
        "work || (w->attendant == nullptr && w->answered(1) != 0) || begins_to_serve(*w);",
        "work || begins_to_serve(*w);",
        "ORDER parent-park: a manager that parks looks at the slots once more",
        "process_pool_stress", "ProcessPoolStress.MissesNoAnswerThatComesWhenTheManagerGoesToSleep", repeat=10),
    Mutant(
        "parent_wakes_no_worker", REMOTE,
        "    posix::futex_wake(parked, 1, posix::scope::process_shared);\n", "",
        "who fills a slot wakes its worker",
        "process_pool_stress", "ProcessPoolStress.TakesTasksFromManyThreads"),

    # --- who waits fetches the answer ---
    Mutant(
        "nobody_attends", SUBMISSION,
        "    task->set_attentive_owner(this);\n", "    task->set_owner(this);\n",
        "a task that somebody waits for does not wake the manager",
        "process_pool_attendance", "ProcessPoolAttendance.LeavesTheManagerAsleep"),
    Mutant(
        "ring_is_given_back_unwatched", ATTENDANCE,
        "give_back(parked_, ", "give_back(false, ",
        "ORDER parent-park: a manager that sleeps hears of a ring that is given back",
        "process_pool_attendance", "ProcessPoolAttendance.LeavesTheTaskToTheManagerWhenItGivesUp"),
    Mutant(
        "ring_is_given_back_with_an_answer", ATTENDANCE,
        "return worker.answered(1) != 0 || ", "return ",
        "whoever gives a ring back tells the manager of the answer in it",
        "process_pool_attendance", "ProcessPoolAttendance.LeavesCallbacksToTheManager"),
    Mutant(
        "ring_is_given_back_stuck", ATTENDANCE,
        "worker.is_stuck() || worker.front_is_timed();", "worker.front_is_timed();",
        "whoever gives a ring back tells the manager of a slot that its worker cannot get past",
        "process_pool_scribble", "FalseState.BehindATaskThatSomebodyHasFetchedIsFoundByTheManager"),
    Mutant(
        "ring_is_given_back_with_a_time_limit", ATTENDANCE,
        "worker.is_stuck() || worker.front_is_timed();", "worker.is_stuck();",
        "whoever gives a ring back tells the manager of a time limit that begins",
        "process_pool_attendance", "ProcessPoolAttendance.GivesTheRingBackWithATimeLimitThatBegins"),
    Mutant(
        "attendance_forgets_the_backlog", ATTENDANCE,
        "    return !backlog_.empty() ||\n", "    return\n",
        "a worker that becomes idle gets what waits",
        "process_pool_attendance", "ProcessPoolAttendance.LetsTheBacklogGoOn"),
    Mutant(
        "manager_is_not_told_who_is_idle", ATTENDANCE,
        "  return parked_ && parked_until_ > *worker.idle_since + options_.idle_timeout.value();\n", "  return false;\n",
        "idle_timeout counts from the moment in which a waiter has fetched the last answer",
        "process_pool_attendance", "ProcessPoolAttendance.TellsTheManagerSinceWhenTheWorkerIsIdle", repeat=5),
    Mutant(
        "waiter_runs_callbacks", ATTENDANCE,
        " && (task.load() & word::has_callback) == 0) {", ") {",
        "a callback is not run by a thread that it may wait for",
        "process_pool_attendance", "ProcessPoolAttendance.LeavesCallbacksToTheManager"),
    Mutant(
        "attendant_does_not_say_that_it_blocks", ATTENDANCE,
        "  const this_task::blocking_region blocked;\n", "",
        "a worker of another pool that waits is stood in for",
        "process_pool_attendance", "ProcessPoolAttendance.BlocksAWorkerOfAnotherPoolAsEveryWaitDoes"),
    Mutant(
        "attendant_is_not_called", "src/process_pool/remote_worker.cpp",
        "  if (behind_front == 0 && attendant != nullptr) ring_.head().bell.call_attendant();\n", "",
        "who waits for a task that is taken from its worker is told",
        "process_pool_attendance", "ProcessPoolAttendance.IsToldOfACancelBeforeTheWorkerBegins"),
    Mutant(
        "attendant_of_the_dead_is_not_called", "src/process_pool/remote_worker.cpp",
        "  attendant = nullptr;\n  ring_.head().bell.call_attendant();\n", "  attendant = nullptr;\n",
        "who waits for a task whose worker dies is told",
        "process_pool_attendance", "ProcessPoolAttendance.IsToldWhenTheWorkerDies"),
    Mutant(
        "attendance_counts_late", ATTENDANCE,
        "    ++finished_;\n    if (read.error)", "    if (read.error)",
        "a task is counted before its future is done",
        "process_pool_attendance", "ProcessPoolAttendance.CountsATaskBeforeItsFutureIsDone"),

    Mutant(
        "burial_while_somebody_reads", BURIAL,
        "    read_over_.wait(held, [&] { return !worker->is_being_read; });\n", "",
        "a ring in which somebody reads stays as it is",
        "process_pool_attendance", "ProcessPoolAttendance.WorkerThatDiesWhileItsAnswerIsReadIsBuriedBehindThat"),

    # --- of two who want a slot one gets it ---
    Mutant(
        "recall_without_claim", "src/process_pool/ring.hpp",
        "  return s.state.compare_exchange_strong(expected, static_cast<std::uint32_t>(to), std::memory_order_seq_cst);",
        "  static_cast<void>(expected);\n  s.state.store(static_cast<std::uint32_t>(to));\n  return true;",
        "a slot is taken by the worker or recalled by the pool",
        "process_pool_faults", "ProcessPool.CancelsATaskThatWaitsInARing:ProcessPool.AsksARunningTaskToStop"),
    Mutant(
        "doom_spares_nobody", CANCELLATION,
        "  worker.recall_from(behind_front + 1, unharmed);\n", "  static_cast<void>(unharmed);\n",
        "ORDER doom: what waits behind a killed task is taken back first",
        "process_pool_faults",
        "ProcessPool.SparesTasksBehindOneThatIsCancelledWhileItRuns:ProcessPool.SparesTasksBehindOneThatTakesTooLong"),
    Mutant(
        "doom_keeps_the_worker_in_use", CANCELLATION,
        "  worker.retiring = true;\n  worker.deadline.reset();\n", "  worker.deadline.reset();\n",
        "nothing is put behind a task whose worker is about to be killed",
        "process_pool_faults", "ProcessPool.TaskThatComesBehindACancelDoesNotGetTheWorkerThatIsToDie"),

    # --- deaths ---
    Mutant(
        "death_loses_those_behind", BURIAL,
        "    worker->recall_from(0, unharmed);  // by CAS", "    // by CAS",
        "a worker's death costs the task that it ran and no other",
        "process_pool_faults", "ProcessPool.LosesExactlyOneOfTenThousandTasksWhenAWorkerIsKilled"),
    Mutant(
        "death_forgets_those_behind", BURIAL,
        "std::move(lost));\n  requeue(std::move(unharmed));\n", "std::move(lost));\n",
        "what a dead worker had not begun is given to others",
        "process_pool_faults", "ProcessPool.LosesExactlyOneOfTenThousandTasksWhenAWorkerIsKilled"),
    Mutant(
        "answers_of_the_dead_are_lost", BURIAL,
        "  while (collect(*worker)) {}\n", "",
        "what a worker answered before it died is delivered",
        "process_pool_faults", "ProcessPool.DeliversWhatAWorkerHasAnsweredBeforeItDied"),
    Mutant(
        "retry_without_counting", BURIAL,
        "  victim->count_attempt();\n", "",
        "a task is tried as often as its retries say",
        "process_pool_faults", "ProcessPool.TriesAgainAsOftenAsRetriesSay"),

    # --- cancel finds every task ---
    Mutant(
        "cancel_misses_what_is_encoded", DISPATCHING,
        "  if (cancelling_ || (o.task->load() & word::stop_requested) != 0) {\n", "  if (false) {\n",
        "a cancel that comes while a task is between two places is not lost",
        "process_pool_faults", "ProcessPool.CancelsATaskThatIsBeingEncoded:"
                               "ProcessPool.CancelsWhatIsBeingEncodedWhenPendingTasksAreCancelled"),
    Mutant(
        "cancelled_is_requeued", CANCELLATION,
        "const bool may = !broken && !cancelling_ && task->return_to_pending();",
        "const bool may = !broken && task->return_to_pending();",
        "nothing is tried again when pending tasks are cancelled",
        "process_pool_faults", "ProcessPool.DoesNotTryAgainWhenPendingTasksAreCancelled"),
    Mutant(
        "idle_worker_takes_nothing_over", MANAGER,
        "  if (!moved && !rebalance()) park();", "  if (!moved) park();",
        "no task waits behind one that never ends while a worker is idle",
        "process_pool_faults", "ProcessPool.TakesTasksBackFromBehindOneThatDoesNotEnd"),
    Mutant(
        "promised_slot_is_kept_quiet", DISPATCHING,
        "  if (wanted) bell_.raise();\n}\n\n}  // namespace", "  static_cast<void>(wanted);\n}\n\n}  // namespace",
        "a promised slot that stays free is offered to who waits",
        "process_pool_faults", "ProcessPool.PlaceThatIsNotTakenIsOfferedToWhoWaits"),
    Mutant(
        "promised_slot_leaves_idle_unseen", DISPATCHING,
        "    wanted = !backlog_.empty() || worker.load() == 0;\n", "    wanted = !backlog_.empty();\n",
        "a worker that gets nothing of what it was promised takes over what waits behind another one's task",
        "process_pool_faults", "ProcessPoolPlacing.WorkerWhoseTaskCannotBeEncodedTakesOverWhatWaits"),
    Mutant(
        "late_task_is_kept_quiet", DISPATCHING,
        "(waits_behind_another && somebody_is_free(held))", "(false && somebody_is_free(held))",
        "a task that comes late behind another one goes to a worker that has become idle meanwhile",
        "process_pool_faults", "ProcessPoolPlacing.TaskWhoseEncodingTakesLongDoesNotWaitBehindOneThatDoesNotEnd"),
    Mutant(
        "one_worker_of_a_batch_is_woken", DISPATCHING,
        "    if (o.wakes) o.worker->wake();\n", "    if (o.wakes && &o == &batch.front()) o.worker->wake();\n",
        "all workers that get something at once are woken",
        "process_pool_faults", "ProcessPoolBatch.WakesEachWorkerThatGetsATask"),
    Mutant(
        "batch_takes_its_time", DISPATCHING,
        "std::chrono::steady_clock::now() - begin > batch_time", "begin == std::chrono::steady_clock::time_point()",
        "what is slow to encode does not hold up what was encoded before",
        "process_pool_faults", "ProcessPoolBatch.EndsBeforeWhatComesFirstHasToWait"),
    Mutant(
        "sleeps_past_who_begins_to_serve", MANAGER,
        " || begins_to_serve(*w);", ";",
        "a worker that begins to serve while the manager goes to sleep is seen",
        "process_pool_stall_test", "ManagerStall.WorkerThatBeginsToServeWhenTheManagerGoesToSleepIsSeen"),

    # --- how workers start ---
    Mutant(
        "preload_leaves_threads", "src/process_pool/fork_server.cpp",
        "threads != 1) {", "threads < 1) {",
        "a fork server has one thread when it forks",
        "process_pool_start_methods", "Preload.MustNotLeaveThreads"),
    Mutant(
        "preload_keeps_its_output", "src/process_pool/fork_server.cpp",
        "    flush_standard_streams();  // or each worker would write what is in the buffers once more, at its end\n    if",
        "    if",
        "what a preloaded function prints is printed once",
        "process_pool_start_methods", "Preload.OutputIsWrittenOnce"),
    Mutant(
        "spawned_worker_preloads_nothing", WORKER,
        "      if (config_.spawn) {\n", "      if (false) {\n",
        "a spawned worker, which inherits nothing, calls what preload() was given",
        "process_pool_start_methods", "Preload.RunsInEachSpawnedWorker"),
    Mutant(
        "spawned_worker_hands_its_descriptors_down", "src/process_pool/spawned_worker.cpp",
        "      posix::set_close_on_exec(fd.get(), true);  // what a task starts gets none of them\n", "",
        "what a task starts gets no descriptor of the pool's",
        "process_pool_start_methods", "SpawnedPool.ChildrenOfTasksGetNoDescriptorOfOurs"),
]
