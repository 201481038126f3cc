"""Mutants of what is done against hostile bytes: the codec's limits, its functions, and the reading of what a worker wrote."""
from mutant import Mutant

BUFFER = "include/tandem/detail/codec_buffer.hpp"
CEREAL = "include/tandem/detail/codec_cereal.hpp"
CORE = "include/tandem/detail/codec_core.hpp"
REMOTE = "src/process_pool/remote_worker.cpp"
LINK = "src/process_pool/slab_link.cpp"
NAMES = "src/codec/function_name.cpp"
TABLE = "src/codec/function_table.cpp"

MUTANTS = [
    # --- functions that are gone ---
    Mutant(
        "thunk_is_remembered_for_ever", NAMES,
        "    generation_.fetch_add(1, std::memory_order_release);\n", "",
        "a thunk of a library that was unloaded is not called",
        "codec_function_test", "FunctionName.OfAThunkInALibraryLivesAsLongAsTheLibraryIsLoaded"),
    Mutant(
        "name_is_remembered_for_ever", TABLE,
        "  generation_.fetch_add(1, std::memory_order_release);\n", "",
        "a function of a library that was unloaded has no name",
        "codec_function_test", "FunctionName.OfAThunkInALibraryLivesAsLongAsTheLibraryIsLoaded"),

    # --- the codec ---
    Mutant(
        "reservations_without_a_budget", BUFFER,
        "    reservable_ -= std::min(reservable_, items * item_size);\n", "",
        "containers in each other reserve no more than the message justifies",
        "codec_corrupt_test", "CorruptBytes.ContainersInEachOtherReserveNoMoreThanTheMessageJustifies"),
    Mutant(
        "empty_items_without_a_budget", BUFFER,
        "      empty_left_ -= item_size;\n", "",
        "items without bytes are counted over all containers",
        "codec_corrupt_test", "CorruptBytes.ItemsWithoutBytesAreCountedOverAllContainers"),
    Mutant(
        "counts_are_believed", BUFFER,
        "    if (!fits) detail::throw_bad_count(count, min_item_size, remaining());\n", "    static_cast<void>(fits);\n",
        "a count that the bytes cannot hold is refused",
        "codec_corrupt_test", "CorruptBytes.HugeLengthsAtEveryPosition"),
    Mutant(
        "parts_begin_at_the_surface", BUFFER,
        "    part.depth_ = depth_;\n", "",
        "a message within a message is as deep as that",
        "codec_corrupt_test", "CorruptBytes.ExceptionsWithinExceptionsNestNoDeeperThanTheStackAllows"),
    Mutant(
        "users_codecs_nest_without_end", CORE,
        "    const nesting<reader> level(in);\n    return codec<T>::decode(in);\n", "    return codec<T>::decode(in);\n",
        "a codec that contains itself nests no deeper than the stack allows",
        "codec_corrupt_test", "CorruptBytes.ACodecThatContainsItselfNestsNoDeeperThanTheStackAllows"),
    Mutant(
        "cereal_nests_without_end", CEREAL,
        "      const nesting<reader> level(in_);\n", "",
        "what cereal reads nests no deeper than the stack allows",
        "codec_test", "CodecCereal.NestsNoDeeperThanTheStackAllows"),
    Mutant(
        "cereal_reserves_what_is_claimed", CEREAL,
        "items.reserve(in.reservation(count, sizeof(item)));", "items.reserve(count);",
        "cereal's containers take no more memory than the bytes justify",
        "codec_corrupt_test", "CorruptBytes.NeitherDoThoseThatCerealReads"),
    Mutant(
        "shared_pointers_of_any_type", CEREAL,
        " || *found->second.type != *loading_->type) {", ") {",
        "a shared pointer refers to an object of its own type",
        "codec_test", "CodecCereal.ASharedPointerIsNotBelievedToBeOfAnotherType"),
    Mutant(
        "shared_pointers_before_construction", CEREAL,
        " || !found->second.constructed", "",
        "a shared pointer refers to an object that is constructed",
        "codec_test", "CodecCereal.ASharedPointerIsNotBelievedBeforeItsObjectIsConstructed", preset="asan"),
    Mutant(
        "values_that_are_followed_by_bytes", "include/tandem/detail/task.hpp",
        "    in.expect_end();  // if it throws", "    // if it throws",
        "an answer with bytes behind its value is refused",
        "process_pool_answer_test", "HostileAnswer.WithBytesBehindItsValueIsRefused"),

    # --- a kernel that refuses ---
    Mutant(
        "kills_only_by_the_server", "src/process_pool/deadlines.cpp",
        "    if (worker.signal_directly(signal)) {", "    if (false) {",
        "a task ends at its time limit though the fork server cannot be told",
        "process_pool_syscall_faults", "SyscallFaults.ForGoodInThePoolsProcess"),
    Mutant(
        "memory_is_asked_for_later", "src/process_pool/pool_state.cpp",
        "    static_cast<void>(process::ring::create());\n", "",
        "the constructor tells that the kernel refuses memfd_create",
        "process_pool_seccomp", "*/NeededCall.IsNamedByTheConstructor/*"),

    # --- what a worker leaves in its slot, and sends ---
    Mutant(
        "slots_without_bounds", REMOTE,
        "  if (where == place::in_slot && answer.size <= slot_bytes)", "  if (where == place::in_slot)",
        "an answer in a slot is no larger than that",
        "process_pool_answer_test", "HostileAnswer.LargerThanItsSlotIsRefused"),
    Mutant(
        "regions_without_bounds", REMOTE,
        "  if (where == place::in_region && answer.size <= region_bytes)", "  if (where == place::in_region)",
        "an answer in a region is no larger than that",
        "process_pool_answer_test", "HostileAnswer.LargerThanItsRegionIsRefused"),
    Mutant(
        "slabs_without_seals", LINK,
        "  if (!posix::has_seals(memfd, posix::seals::shrink)) {", "  if (false) {",
        "memory that may shrink is not read",
        "process_pool_answer_test", "HostileAnswer.InMemoryThatMayShrinkIsRefused"),
    Mutant(
        "sparse_slabs", LINK,
        "  if (posix::allocated_size(memfd) < of.size) {", "  if (false) {",
        "memory that was never written is not read",
        "process_pool_answer_test", "HostileAnswer.InMemoryThatWasNeverWrittenIsRefused"),
]
