"""Mutants of what the process pool tells of deaths, and of its policies: src/process_pool/README.md."""
from mutant import Mutant

CRASH = "src/posix/crash.cpp"
STACK = "src/process_pool/crash_stack.cpp"
BURIAL = "src/process_pool/burial.cpp"
CANCELLATION = "src/process_pool/cancellation.cpp"
DEADLINES = "src/process_pool/deadlines.cpp"
TERMINATION = "src/process_pool/termination.cpp"
SERVER = "src/process_pool/fork_server.cpp"
WORKER = "src/process_pool/worker.cpp"
LINK = "src/process_pool/server_link.cpp"
MANAGER = "src/process_pool/manager.cpp"
EVENT_FD = "src/posix/event_fd.cpp"
DEATH = "src/process_pool/death.cpp"

MUTANTS = [
    # --- the stack of a crash ---
    Mutant(
        "crash_of_a_child_is_recorded", CRASH,
        "  if (::getpid() == owner) {\n", "  if (owner != 0) {\n",
        "a forked child of a task inherits the handler, but the record is not its own",
        "process_pool_policies", "CrashStack.IsNotThatOfAForkedChild"),
    Mutant(
        "crash_does_not_end_the_process_by_its_signal", CRASH,
        "  action.sa_handler = SIG_DFL;\n  ::sigaction(signal", "  action.sa_handler = SIG_IGN;\n  ::sigaction(signal",
        "behind the record the signal has its default effect",
        "process_pool_policies", "*/Crash.TellsTheCallsThatLedToIt/*"),
    Mutant(
        "crash_counts_are_believed", STACK,
        "calls(std::min<std::size_t>(record.frame_count, crash_record::most_frames));", "calls(record.frame_count);",
        "what a crashed worker has written is hostile input",
        "process_pool_parts_test", "CrashRecord.WithCountsBeyondItsEndIsCut", preset="asan"),
    Mutant(
        "crash_of_another_signal_is_told", STACK,
        "record.signal != static_cast<std::uint32_t>(signal)", "record.signal == 0",
        "a record belongs to the signal that killed the worker",
        "process_pool_parts_test", "CrashRecord.OfAnotherSignalIsNotBelieved"),
    Mutant(
        "symbols_of_any_build", "src/posix/symbols.cpp",
        "  if (!is_what_was_loaded(file, in)) return;\n", "  static_cast<void>(is_what_was_loaded(file, in));\n",
        "a file that was replaced names other functions",
        "process_pool_parts_test", "Symbols.OfAFileThatIsNotTheModuleAnyMoreAreNotTold"),

    # --- tasks that wait for their next attempt ---
    Mutant(
        "cancel_misses_a_retry", CANCELLATION,
        "      if (!retries_.take(task, mine)) return false;\n", "      return false;\n",
        "a task that waits to be tried again can be cancelled",
        "process_pool_policies", "Retry.ThatIsNotDueCanBeCancelled"),
    Mutant(
        "shutdown_misses_a_retry", CANCELLATION,
        "  retries_.take_all(unbegun.dispatched);\n", "",
        "a task that waits to be tried again is cancelled with the others",
        "process_pool_policies", "Retry.ThatIsNotDueIsCancelledByShutdown"),
    Mutant(
        "manager_sleeps_through_a_retry", DEADLINES,
        "  keep_earliest(earliest, retries_.next());\n", "",
        "the manager wakes up for the next attempt",
        "process_pool_policies", "Retry.WaitsTwiceAsLongEachTime"),
    Mutant(
        "poison_is_tried_for_ever", BURIAL,
        " || is_poison(deaths)) return false;", ") return false;",
        "a task that kills one worker after the other ends",
        "process_pool_policies", "Retry.EndsAfterTenDeathsUnlessTheUserSaysOtherwise"),
    Mutant(
        "death_is_told_too_late", BURIAL,
        "    if (announced) call_on_worker_death(facts);\n    if (!lost.empty()) error = process::make_death_error(death, last, std::move(facts));\n",
        "    if (!lost.empty()) error = process::make_death_error(death, last, facts);\n    settle(std::move(lost), error);\n"
        "    if (announced) call_on_worker_death(facts);\n",
        "who has waited for the future of a lost task finds its death told",
        "process_pool_policies", "WorkerDeath.IsToldBeforeTheFutureIsResolved", repeat=20),

    # --- workers that do not begin to serve ---
    Mutant(
        "late_worker_is_no_early_death", BURIAL,
        "!worker->killing.decided() || worker->is_late", "!worker->killing.decided()",
        "a pool whose workers are all late is broken",
        "process_pool_matrix", "StartTimeout.ThatNoWorkerMeetsBreaksThePool"),
    Mutant(
        "manager_sleeps_past_a_late_worker", DEADLINES,
        "    if (!w->served) keep_earliest(earliest, w->must_serve_by);\n", "",
        "the manager wakes up for a worker that is late",
        "process_pool_matrix", "StartTimeout.ReplacesAWorkerThatIsStoppedInItsInitializer"),

    Mutant(
        "late_worker_keeps_its_tasks", DEADLINES,
        "    worker.recall_from(0, unharmed);\n    // Behind that, as doom()", "    // Behind that, as doom()",
        "a worker that is killed for being late runs nothing any more",
        "process_pool_matrix", "StartTimeout.GivesTasksToOthersThoughTheLateOneWouldTakeThem"),

    # --- what is said between pool and server ---
    Mutant(
        "pool_waits_until_it_is_read", LINK,
        "posix::send_message(socket_.get(), bytes.bytes(), fds, posix::blocking::no);",
        "posix::send_message(socket_.get(), bytes.bytes(), fds, posix::blocking::yes);",
        "the pool reads reports however much it has to say",
        "process_pool_server", "Server.CanBeToldMuchWhileItHasMuchToTell"),
    Mutant(
        "stopped_server_stays_stopped", LINK,
        "    if (server_.pidfd) static_cast<void>(posix::pidfd_send_signal(server_.pidfd.get(), SIGCONT));\n", "",
        "a stopped server goes on when it is needed",
        "process_pool_server", "StoppedServer.KillsTheWorkerOfATaskThatTakesTooLong"),
    Mutant(
        "shutdown_does_not_wake_the_server", MANAGER,
        "  link_.wake();\n", "",
        "a stopped server goes on to reap the workers that leave",
        "process_pool_server", "StoppedServer.EndsWithItsPool"),
    Mutant(
        "end_of_the_server_is_that_of_its_socket", MANAGER,
        "    if (entries[2].revents != 0) link_.note_end();\n", "",
        "a server is gone even if others hold its end of the socket",
        "process_pool_start_methods", "Preload.MayLeaveAProcessThatHoldsTheServersSocket"),
    Mutant(
        "bell_that_is_gone_is_rung", EVENT_FD,
        "size >= 0 || errno == EAGAIN;", "size >= -1;",
        "a worker that cannot tell of its answer ends, which the server tells",
        "process_pool_server", "Server.TellsOfAWorkerThatCannotTellItself"),
    Mutant(
        "stack_must_be_told", DEATH,
        "  } catch (const std::exception&) {\n    // This process cannot", "  } catch (const std::bad_alloc&) {\n    // This process cannot",
        "a death is told even if its stack cannot be",
        "process_pool_server", "Server.ReportsACrashToAProcessThatCannotReadItsOwnFiles"),

    # --- the end by force ---
    Mutant(
        "force_leaves_what_runs", TERMINATION,
        "        running.push_back(w->take_task(i));\n", "        static_cast<void>(running);\n",
        "terminate() cancels what runs",
        "process_pool_policies", "*/End.ResolvesWhatRunsAndWhatWaits/*"),
    Mutant(
        "force_kills_before_it_cancels", TERMINATION,
        "    take_unbegun(unbegun, held);\n    take_what_runs(running, held);\n    ending_ = std::max(ending_, how);\n  }\n  bell_.raise();\n",
        "    take_unbegun(unbegun, held);\n    ending_ = std::max(ending_, how);\n  }\n  bell_.raise();\n  cancel(std::move(unbegun));\n"
        "  {\n    const lock held(mutex_);\n    take_what_runs(running, held);\n  }\n",
        "what runs is cancelled, not lost with its worker",
        "process_pool_policies", "*/End.CancelsWhatRunsHoweverSoonItsWorkerIsDead/*"),
    Mutant(
        "force_is_patient", DEADLINES,
        "  if (ending_ == ending::in_order) return;\n  worker.retiring", "  return;\n  worker.retiring",
        "terminate() kills the workers",
        "process_pool_policies", "*/End.ComesToAShutdownThatWaits/*"),
    Mutant(
        "force_sweeps_nothing", TERMINATION,
        "    static_cast<void>(link_.send({.what = process::command::kind::sweep}));\n", "",
        "what a task has started in a session of its own is gone when terminate() returns",
        "process_pool_policies", "*/End.LeavesNothingThatTasksHaveStarted/*"),
    Mutant(
        "server_adopts_nobody", SERVER,
        "    posix::adopt_orphans();\n", "",
        "what has lost its parent below the pool is gone when terminate() returns",
        "process_pool_policies", "*/End.LeavesNothingThatTasksHaveStarted/*"),
    Mutant(
        "server_reaps_no_orphans", SERVER,
        "      static_cast<void>(posix::reap(ended));\n", "      return;\n",
        "adopted processes leave no zombies",
        "process_pool_policies", "Orphans.OfTasksLiveOnAndAreReaped"),
    Mutant(
        "server_is_told_of_no_orphan", SERVER,
        "posix::readable(child_ends_ ? child_ends_->fd() : -1)}", "posix::readable(-1)}",
        "the server wakes up for adopted children",
        "process_pool_policies", "Orphans.OfTasksLiveOnAndAreReaped"),

    # --- limits ---
    Mutant(
        "outgrown_worker_goes_on", WORKER,
        "slot_state::ready && !outgrown_", "slot_state::ready",
        "a worker that has outgrown its memory begins no further task",
        "process_pool_policies", "MaxMemoryPerWorker.HasAWorkerThatHasOutgrownItBeginNothing"),
    Mutant(
        "cpu_time_adds_up", WORKER,
        "posix::limit_cpu_time(posix::process_cpu_time() +\n", "posix::limit_cpu_time(\n",
        "cpu_time_limit is a task's, not its worker's",
        "process_pool_policies", "CpuTimeLimit.IsOfATaskAndNotOfItsWorker"),
    Mutant(
        "conditions_come_late", WORKER,
        "      meet(config_.rules, head_);\n", "",
        "workers are what the options say, before the initializer",
        "process_pool_policies", "*/Conditions.AreMetBeforeTheInitializer/*"),
]
