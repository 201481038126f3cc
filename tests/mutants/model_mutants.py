"""Mutants that only an explorer of all orders is sure to see: tests/model/README.md. x86 hides most of them."""
from mutant import Mutant

CALLBACKS = "src/future/callbacks.cpp"
CORE = "src/future/core.cpp"
JOIN = "src/future/join.cpp"
DOORBELL = "src/process_pool/doorbell.hpp"
DEQUE = "include/tandem/detail/fork_deque.hpp"
ROSTER = "src/dispatch/roster.cpp"
INJECTOR = "src/dispatch/injector.hpp"
RING = "src/dispatch/batch_ring.hpp"

MUTANTS = [
    # --- src/future/README.md ---
    Mutant(
        "result_is_not_published", CORE,
        "  const std::uint32_t old = state_.exchange(phase, std::memory_order_acq_rel);\n  worker_context* worker",
        "  const std::uint32_t old = state_.exchange(phase, std::memory_order_acquire);\n  worker_context* worker",
        "ORDER finish: the release that publishes the result",
        "core_model", "CoreModel.WaiterAgainstCompletion"),
    Mutant(
        "attach_does_not_look_again", CALLBACKS,
        "  if (word::done(old)) fire_callbacks();\n  return true;\n}", "  static_cast<void>(old);\n  return true;\n}",
        "ORDER attach: who attaches looks whether it was done meanwhile",
        "core_model", "CoreModel.CallbacksAgainstCompletion"),
    Mutant(
        "flag_of_a_waiter_is_a_store", CORE,
        "    if (state_.compare_exchange_weak(w, w | word::has_waiter, std::memory_order_acq_rel))\n",
        "    if (state_.store(w | word::has_waiter, std::memory_order_seq_cst), true)\n",
        "a waiter's flag does not undo a completion",
        "core_model", "CoreModel.WaiterAgainstCompletion"),

    Mutant(
        "token_is_made_twice", CORE,
        "    if (link_.compare_exchange_strong(link, marked, std::memory_order_acq_rel))\n"
        "      static_cast<void>(made.release());\n",
        "    link_.store(marked, std::memory_order_release);\n    static_cast<void>(made.release());\n",
        "two that ask for the token at once get the same one",
        "core_model", "CoreModel.TokenForTwoAgainstCancel"),

    # --- src/task_group/README.md ---
    Mutant(
        "last_one_back_wakes_nobody", JOIN,
        "  if (left == has_waiter) posix::futex_wake(&balance_, posix::wake_all, posix::scope::process_private);\n",
        "  static_cast<void>(left);\n",
        "the last branch that comes back wakes who sleeps",
        "join_model", "JoinModel.WhoSleepsIsWokenByTheLastOne"),
    Mutant(
        "branch_comes_back_unpublished", JOIN,
        "balance_.fetch_sub(one, std::memory_order_acq_rel)", "balance_.fetch_sub(one, std::memory_order_relaxed)",
        "ORDER come-back: who has waited sees what the branches have done",
        "join_model", "JoinModel.WhoLooksAgainAndAgainSeesWhatWasDone"),
    Mutant(
        "sleeper_takes_nothing_over", JOIN,
        "    now = balance_.load(std::memory_order_acquire);\n", "    now = balance_.load(std::memory_order_relaxed);\n",
        "ORDER come-back: who has slept sees what the branches have done",
        "join_model", "JoinModel.WhoSleepsIsWokenByTheLastOne"),
    Mutant(
        "owner_takes_the_last_item_unseen", DEQUE,
        "    bottom_.store(bottom, std::memory_order_seq_cst);\n", "    bottom_.store(bottom, std::memory_order_release);\n",
        "ORDER last-item: owner and thief see each other",
        "fork_deque_model", "ForkDequeModel.LastItemAgainstTwoThieves:ForkDequeModel.OwnerAgainstTwoThieves"),
    Mutant(
        "thief_looks_at_an_old_bottom", DEQUE,
        "    const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);  // ORDER last-item\n",
        "    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);\n",
        "ORDER last-item: the thief's look at the bottom",
        "fork_deque_model", "ForkDequeModel.LastItemAgainstTwoThieves:ForkDequeModel.OwnerAgainstTwoThieves"),
    Mutant(
        "last_item_is_taken_without_a_claim", DEQUE,
        "      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst, std::memory_order_relaxed))\n"
        "        item = nullptr;\n",
        "      top_.store(top + 1, std::memory_order_seq_cst);\n",
        "of two who want the last item one gets it",
        "fork_deque_model", "ForkDequeModel.LastItemAgainstTwoThieves"),

    # --- src/dispatch/README.md ---
    Mutant(
        "called_worker_is_not_woken", ROSTER,
        "  if (was == asleep) posix::futex_wake(theirs.state, 1, posix::scope::process_private);\n", "",
        "who is called from its sleep is woken",
        "roster_model", "RosterModel.NoTaskIsLeftLying"),
    Mutant(
        "sleeper_reads_an_old_size", "src/dispatch/roster.hpp",
        "return most_active_.load(std::memory_order_seq_cst);", "return most_active_.load(std::memory_order_relaxed);",
        "ORDER shrink: who lies down and whoever shrinks see each other",
        "roster_model", "RosterModel.WhoIsTooManyDoesNotFallAsleep"),
    Mutant(
        "surplus_workers_stay", ROSTER,
        "  while (view{old}.active() > most_active()) {", "  while (false) {",
        "a worker that came back from blocking, or another one, goes",
        "roster_model", "RosterModel.WhoBlocksIsStoodInFor"),
    Mutant(
        "worker_shows_its_sleep_late", ROSTER,
        "    if (word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) return true;\n  }\n}\n\nbool roster::sleep",
        "    if (word_.compare_exchange_weak(old, next, std::memory_order_relaxed)) return true;\n  }\n}\n\nbool roster::sleep",
        "ORDER call-park: a worker lies down before its last look",
        "roster_model", "RosterModel.NoTaskIsLeftLying"),
    Mutant(
        "item_is_not_published", INJECTOR,
        "exchange(item, std::memory_order_seq_cst) == nullptr", "exchange(item, std::memory_order_relaxed) == nullptr",
        "who takes an item sees what is in it",
        "injector_model", "InjectorModel.TwoProducersAndAConsumer"),
    Mutant(
        "slot_is_given_up_unseen", INJECTOR,
        "    item = slot.exchange(given_up(), std::memory_order_acq_rel);\n",
        "    slot.store(given_up(), std::memory_order_release);\n",
        "of producer and consumer at a slot one comes second and has the item",
        "injector_model", "InjectorModel.TwoProducersAndAConsumer"),
    Mutant(
        "overtaken_producer_goes_away", INJECTOR,
        "exchange(item, std::memory_order_seq_cst) == nullptr)\n        return true;",
        "exchange(item, std::memory_order_seq_cst) != item)\n        return true;",
        "an overtaken producer tries again",
        "injector_model", "InjectorModel.TwoProducersAndAConsumer"),
    Mutant(
        "segment_is_left_unordered", INJECTOR,
        "home.visited.fetch_add(slots, std::memory_order_acq_rel)", "home.visited.fetch_add(slots, std::memory_order_relaxed)",
        "who frees a segment comes behind all visits",
        "injector_model", "InjectorModel.AProducerAndTwoConsumers:InjectorModel.TicketsRunRoundTheDirectory"),
    Mutant(
        "head_is_taken_twice", INJECTOR,
        "    } while (!head_.compare_exchange_weak(ticket, ticket + count, std::memory_order_seq_cst,\n"
        "                                          std::memory_order_relaxed));\n",
        "    } while (head_.store(ticket + count, std::memory_order_seq_cst), false);\n",
        "a run of slots is one consumer's",
        "injector_model", "InjectorModel.AProducerAndTwoConsumers"),
    Mutant(
        "closed_queue_takes_more", INJECTOR,
        "      if ((ticket & closed_bit) != 0) return false;\n", "",
        "what is closed refuses",
        "injector_model", "InjectorModel.ClosingAgainstPushing"),
    Mutant(
        "batch_is_filled_unpublished", RING,
        "    tail_.store(tail + count, std::memory_order_seq_cst);\n", "    tail_.store(tail + count, std::memory_order_relaxed);\n",
        "a thief sees what the owner has put in",
        "batch_ring_model", "BatchRingModel.OwnerRefillsUnderAThief"),
    Mutant(
        "owner_takes_without_a_claim", RING,
        "      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))\n"
        "        return item;\n",
        "      head_.store(head + 1, std::memory_order_release);\n      return item;\n",
        "an item is the owner's or a thief's",
        "batch_ring_model", "BatchRingModel.OwnerRefillsUnderAThief"),
    Mutant(
        "thief_claims_what_is_gone", RING,
        "      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel,\n"
        "                                      std::memory_order_acquire))\n        return count;\n",
        "      head_.store(head + count, std::memory_order_release);\n      return count;\n",
        "an item is one thief's",
        "batch_ring_model", "BatchRingModel.OwnerRefillsUnderAThief"),
    Mutant(
        "attendant_shows_its_sleep_late", DOORBELL,
        "    word_.store(static_cast<std::uint32_t>(who), std::memory_order_seq_cst);\n",
        "    word_.store(static_cast<std::uint32_t>(who), std::memory_order_release);\n",
        "ORDER attendant-park, parent-park: who sleeps says so before its last look",
        "attendance_model", "AttendanceModel.AttendantAgainstTheWorkersAnswer"),
    Mutant(
        "attendant_sleeps_without_a_look", DOORBELL,
        "    return !is_over();\n", "    return true;\n",
        "ORDER attendant-park: who attends looks once more before it sleeps",
        "attendance_model", "AttendanceModel.AttendantAgainstTheWorkersAnswer"),
    Mutant(
        "ring_is_given_back_without_a_look", DOORBELL,
        "    return is_needed();\n", "    static_cast<void>(is_needed);\n    return false;\n",
        "ORDER parent-park: whoever gives a ring back looks at its front for the manager",
        "attendance_model", "AttendanceModel.AttendantThatGivesUpBesideASleepingManager"),
    Mutant(
        "look_comes_before_the_ring_is_given_back", DOORBELL,
        "    now_sleeps(manager_sleeps ? sleeper::manager : sleeper::nobody);\n    return is_needed();\n",
        "    const bool needed = is_needed();\n    now_sleeps(manager_sleeps ? sleeper::manager : sleeper::nobody);\n"
        "    return needed;\n",
        "ORDER parent-park: whoever gives a ring back says who sleeps before it looks",
        "attendance_model", "AttendanceModel.AttendantThatGivesUpBesideASleepingManager"),
    Mutant(
        "worker_looks_for_sleepers_early", DOORBELL,
        "static_cast<sleeper>(word_.load(std::memory_order_seq_cst))", "static_cast<sleeper>(word_.load(std::memory_order_relaxed))",
        "ORDER attendant-park, parent-park: a worker looks for sleepers behind its answer",
        "attendance_model", "AttendanceModel.AttendantAgainstTheWorkersAnswer"),
    Mutant(
        "worker_wakes_no_attendant", DOORBELL,
        "        posix::futex_wake(word_, 1, posix::scope::process_shared);\n", "",
        "a worker wakes who attends its ring",
        "attendance_model", "AttendanceModel.AttendantAgainstTheWorkersAnswer"),
    Mutant(
        "attendant_is_called_softly", DOORBELL,
        "    now_sleeps(sleeper::nobody);\n    posix::futex_wake(word_, 1, posix::scope::process_shared);\n",
        "    now_sleeps(sleeper::nobody);\n",
        "who takes an attended task away wakes who sleeps for it",
        "attendance_model", "AttendanceModel.AttendantAgainstACancel:AttendanceModel.AttendantOfAWorkerThatDies"),
    Mutant(
        "attendant_is_called_before_it_sleeps", DOORBELL,
        "    now_sleeps(sleeper::nobody);\n    posix::futex_wake(word_, 1, posix::scope::process_shared);\n",
        "    posix::futex_wake(word_, 1, posix::scope::process_shared);\n",
        "who is about to sleep for a task that is taken away does not",
        "attendance_model", "AttendanceModel.AttendantAgainstACancel:AttendanceModel.AttendantOfAWorkerThatDies"),
]
