// A library that is linked without a build-id, for posix_elf_test.cpp to load and to look at.
extern "C" __attribute__((visibility("default"))) int tandem_test_answer() { return 42; }
