"""Mutants of large payloads: "Large payloads" and "Shared buffers" in src/process_pool/README.md."""
from mutant import Mutant

SLAB = "src/process_pool/slab.cpp"
LINK = "src/process_pool/slab_link.cpp"
PARTS = "process_pool_parts_test"
BUFFERS = "src/process_pool/buffer_link.cpp"
REMOTE = "src/process_pool/remote_worker.cpp"
MEMORY = "src/codec/sealed_memory.cpp"
PAYLOAD = "process_pool_payload"

WORKER = "src/process_pool/worker.cpp"

MUTANTS = [
    # --- who knows which slab ---
    Mutant(
        "slab_is_never_known", LINK,
        "    if (e.slab == used.id()) e.kept = true;\n", "    static_cast<void>(e);\n",
        "a slab that the peer keeps is not sent again",
        PARTS, "SlabLink.SendsAMemfdOnceAndThenOnlySaysItsId"),
    Mutant(
        "slab_is_known_once_sent", LINK,
        "    there = {.slab = used.id()};\n", "    there = {.slab = used.id(), .kept = true};\n",
        "a slab is known when the peer has said that it keeps it",
        PARTS, "SlabLink.SendsAgainWhatThePeerHasNotSaidToKeep"),
    Mutant(
        "slab_takes_the_place_used_last", LINK,
        "return a.used < b.used;", "return a.used > b.used;",
        "a new slab takes the place that has not been used for longest",
        PARTS, "SlabLink.KeepsTheSlabsThatWereUsedLast"),
    Mutant(
        "slab_is_found_by_its_place_alone", LINK,
        "if (keep && places_[of.slab_place].slab == of.slab && of.size <= slab_bytes && of.slab != 0) {",
        "if (keep && places_[of.slab_place].slab != 0 && of.size <= slab_bytes) {",
        "a place is known by the slab that has it",
        PARTS, "SlabLink.ServesSlotsWhosePlacesAreTakenByLaterOnes"),

    # --- memory goes where it is not wanted any more ---
    Mutant(
        "slab_keeps_its_memory", SLAB,
        "posix::discard(fd_.get(), slab_bytes);", "static_cast<void>(0);",
        "a slab that is dropped has no memory, whoever maps it",
        PARTS, "Slab.GivesItsMemoryBackThoughAPeerHasItMapped"),
    Mutant(
        "cache_keeps_everything", SLAB,
        "while (bytes_ > most_bytes_ || free_.size() > most_slabs) {", "while (free_.size() > most_slabs) {",
        "what is kept has a limit in bytes",
        PARTS, "SlabCache.KeepsNoMoreMemoryThanItMay"),

    # --- a peer that is out of order ---
    Mutant(
        "unsealed_slab_is_believed", LINK,
        "if (!posix::has_seals(memfd, posix::seals::shrink)) {", "if (memfd < 0) {",
        "memory that can shrink is not mapped",
        PARTS, "SlabLink.RefusesMemoryThatCanShrink"),
    Mutant(
        "unwritten_memory_is_believed", LINK,
        "if (posix::allocated_size(memfd) < of.size) {", "if (memfd < 0) {",
        "memory that the peer has not paid for is not read",
        PARTS, "SlabLink.RefusesMemoryThatWasNeverWritten"),
    Mutant(
        "size_of_a_kept_slab_is_believed", LINK,
        "&& of.size <= slab_bytes && of.slab != 0) {", "&& of.slab != 0) {",
        "a message in a slab that is kept is not longer than the slab",
        PARTS, "SlabLink.RefusesMoreThanThereIs"),
    Mutant(
        "mail_of_an_earlier_slot_stays", "src/process_pool/memfd_mail.cpp",
        "  came_.clear();\n  std::array", "  std::array",
        "what came with a slot and was not asked for is dropped",
        PARTS, "SlabLink.KeepsNoDescriptorsThatNobodyAskedFor"),

    # --- shared buffers ---
    Mutant(
        "buffer_is_sent_each_time", BUFFERS,
        "    if (i < kept) place->kept = true;\n", "    if (i < kept) place->kept = false;\n",
        "a buffer that the worker has is not sent again",
        PARTS, "BufferSender.SendsOnceWhatTheWorkerSaysItHas"),
    Mutant(
        "buffer_is_known_once_sent", BUFFERS,
        "    if (i < kept) place->kept = true;\n", "    place->kept = kept != 77;\n",
        "a buffer is known when the worker has said that it has it",
        PARTS, "BufferSender.SendsAgainWhatTheWorkerDoesNotSayItHas"),
    Mutant(
        "place_under_way_is_given_away", BUFFERS,
        "if (e.under_way == 0 && e.used != requests_ && (place", "if (e.used != requests_ && (place",
        "what is under way keeps its place",
        PARTS, "BufferSender.GivesNoPlaceAwayThatIsUnderWay"),
    Mutant(
        "gone_buffer_stays", BUFFERS,
        "    take_away(e, shared);\n    any = true;\n", "    static_cast<void>(shared);\n    any = true;\n",
        "a worker lets go of a buffer that is gone",
        PAYLOAD, "SharedBuffer.IsGoneFromAnIdleWorkerWhenItsLastHandleIs",
        environment=(("TANDEM_TEST_TIMEOUT", "10"),)),
    Mutant(
        "idle_worker_is_not_woken", "src/process_pool/manager.cpp",
        "    if (had_any) w->wake();\n", "    static_cast<void>(had_any);\n",
        "an idle worker lets go at once",
        PAYLOAD, "SharedBuffer.IsGoneFromAnIdleWorkerWhenItsLastHandleIs",
        environment=(("TANDEM_TEST_TIMEOUT", "10"),)),
    Mutant(
        "manager_is_not_rung_for_what_is_gone", BUFFERS,
        "  bell_->raise();\n}\n", "}\n",
        "the last handle rings for the manager",
        PAYLOAD, "SharedBuffer.IsGoneFromAnIdleWorkerWhenItsLastHandleIs",
        environment=(("TANDEM_TEST_TIMEOUT", "10"),)),
    Mutant(
        "task_keeps_its_buffers", BUFFERS,
        "  of_task_.clear();\n", "",
        "a task's buffers go with it",
        PAYLOAD, "SharedBuffer.IsGoneFromAnIdleWorkerWhenItsLastHandleIs",
        environment=(("TANDEM_TEST_TIMEOUT", "10"),)),
    Mutant(
        "flight_keeps_its_buffers", REMOTE,
        "      f.buffers = {};\n", "",
        "the pool lets go of a task's buffers when its answer is read",
        PAYLOAD, "SharedBuffer.IsGoneFromAnIdleWorkerWhenItsLastHandleIs",
        environment=(("TANDEM_TEST_TIMEOUT", "10"),)),
    Mutant(
        "buffer_comes_back_as_another", BUFFERS,
        "    if (buffer == memory) return id | receivers_own;\n", "    static_cast<void>(id), static_cast<void>(buffer);\n",
        "a buffer that comes back is the one that went",
        PAYLOAD, "SharedBuffer.ComesBackAsWhatItWas"),
    Mutant(
        "mail_of_a_recalled_slot_is_left", "src/process_pool/worker.cpp",
        "      if (s.request.mail != 0) drop_mail();\n", "",
        "a slot's mail is read, wanted or not",
        PAYLOAD, "SharedBuffer.ThatIsCancelledIsSentAgainWhenItIsWanted", repeat=10),
    Mutant(
        "buffer_is_not_sealed_against_writing", MEMORY,
        "posix::seals::shrink | posix::seals::grow | posix::seals::write | posix::seals::seal;",
        "posix::seals::shrink | posix::seals::grow | posix::seals::seal;",
        "nobody writes a shared buffer",
        "shared_buffer_test", "SharedBuffer.CannotBeWrittenByAnybody"),
    Mutant(
        "forked_child_gets_the_writable_mapping", MEMORY,
        "    writable.keep_from_forks();\n", "",
        "a buffer can be sealed whoever forks meanwhile",
        "shared_buffer_test", "SharedBuffer.CanBeSealedThoughAChildWasForkedMeanwhile"),
    Mutant(
        "sparse_buffer_is_believed", MEMORY,
        "  if (posix::allocated_size(memfd.get()) < size) {", "  if (size == 0) {",
        "memory that the peer has not paid for is not taken",
        "shared_buffer_test", "SharedBuffer.RefusesMemoryThatIsNotWhatItsMessageSays"),
    Mutant(
        "worker_takes_its_answers_along", WORKER,
        "    for (auto& [sequence, used] : answers_) used.leave_to_peers();\n", "",
        "a large answer can be read when its worker is gone",
        PAYLOAD, "Slabs.AreReadAfterTheirWorkerHasLeft"),
]
