"""Mutants of large payloads: "Large payloads" in src/process_pool/README.md."""
from mutant import Mutant

SLAB = "src/process_pool/slab.cpp"
LINK = "src/process_pool/slab_link.cpp"
PARTS = "process_pool_parts_test"

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
        "flood_of_slabs_is_taken_in", LINK,
        " || waiting_.size() == most_waiting) {", ") {",
        "slabs that nobody asks for are not taken in for ever",
        PARTS, "SlabLink.KeepsNoDescriptorsOfAFloodOfSlabs"),
]
