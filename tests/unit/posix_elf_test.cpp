// posix::loaded_modules and find_module.
#include "posix/elf.hpp"

#include "posix/process.hpp"

#include <cstring>
#include <memory>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace {

using namespace tandem::posix;

int some_function() { return 1; }
int some_variable = 1;

TEST(Modules, ProgramComesFirstWithItsResolvedPath) {
  const std::vector<loaded_module> modules = loaded_modules();
  ASSERT_FALSE(modules.empty());
  EXPECT_TRUE(modules[0].is_program);
  EXPECT_EQ(modules[0].path, executable_path());
  for (std::size_t i = 1; i < modules.size(); ++i) EXPECT_FALSE(modules[i].is_program);
}

TEST(Modules, FunctionOfTheProgramIsCodeOfTheProgram) {
  const auto address = reinterpret_cast<std::uintptr_t>(&some_function);
  const std::optional<loaded_module> found = find_module(reinterpret_cast<const void*>(&some_function));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_program);
  EXPECT_TRUE(found->contains_code(address));
  EXPECT_LE(found->base, address);
}

TEST(Modules, VariableIsInTheModuleButNoCode) {
  const auto address = reinterpret_cast<std::uintptr_t>(&some_variable);
  const std::optional<loaded_module> found = find_module(&some_variable);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_program);
  EXPECT_FALSE(found->contains_code(address));
}

TEST(Modules, FunctionOfALibraryIsInThatLibrary) {
  const void* const address = ::dlsym(RTLD_DEFAULT, "qsort");
  const std::optional<loaded_module> found = find_module(address);
  ASSERT_TRUE(found);
  // A sanitizer may have put its own one before libc's; the program itself has none.
  Dl_info info{};
  ASSERT_NE(::dladdr(address, &info), 0);
  EXPECT_EQ(found->base, reinterpret_cast<std::uintptr_t>(info.dli_fbase));
}

TEST(Modules, HeapAndStackAreInNone) {
  const auto heap = std::make_unique<int>(1);
  const int stack = 1;
  EXPECT_FALSE(find_module(heap.get()));
  EXPECT_FALSE(find_module(&stack));
  EXPECT_FALSE(find_module(nullptr));
}

TEST(Modules, LibcIsIdentifiedByItsBuildId) {
  bool seen = false;
  for (const loaded_module& module : loaded_modules()) {
    if (module.path.find("libc.so.6") == std::string::npos) continue;
    seen = true;
    EXPECT_EQ(module.kind, identity_kind::build_id);
    EXPECT_GE(module.identity.size(), 8U);
    EXPECT_EQ(module.identity_text().size(), module.identity.size() * 2);
  }
  EXPECT_TRUE(seen);
}

TEST(Modules, IdentityIsTheSameEachTime) {
  const std::optional<loaded_module> one = find_module(reinterpret_cast<const void*>(&some_function));
  const std::optional<loaded_module> two = find_module(reinterpret_cast<const void*>(&some_function));
  EXPECT_NE(one->kind, identity_kind::none);
  EXPECT_EQ(one->kind, two->kind);
  EXPECT_EQ(one->identity, two->identity);
}

#ifdef TANDEM_LIBRARY_WITHOUT_BUILD_ID
TEST(Modules, LibraryWithoutBuildIdIsIdentifiedByItsFile) {
  const std::unique_ptr<void, int (*)(void*)> library(::dlopen(TANDEM_LIBRARY_WITHOUT_BUILD_ID, RTLD_NOW),
                                                      ::dlclose);
  ASSERT_TRUE(library) << ::dlerror();  // NOLINT(concurrency-mt-unsafe)
  const std::optional<loaded_module> found = find_module(::dlsym(library.get(), "tandem_test_answer"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path, TANDEM_LIBRARY_WITHOUT_BUILD_ID);
  EXPECT_EQ(found->kind, identity_kind::file);
  EXPECT_FALSE(found->identity.empty());
}
#endif

/// One ELF note, padded to `alignment`.
std::vector<std::byte> note(std::uint32_t type, const std::string& name, const std::string& content,
                            std::size_t alignment) {
  const std::uint32_t header[3] = {static_cast<std::uint32_t>(name.size() + 1),
                                   static_cast<std::uint32_t>(content.size()), type};
  std::string text(reinterpret_cast<const char*>(header), sizeof header);
  const auto pad = [&] { text.resize((text.size() + alignment - 1) / alignment * alignment); };
  text += name + '\0';
  pad();
  text += content;
  pad();
  const auto* const bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

constexpr std::uint32_t build_id_type = 3;

TEST(BuildId, IsFoundAfterOtherNotes) {
  for (const std::size_t alignment : {4U, 8U}) {
    std::vector<std::byte> notes = note(5, "GNU", "property", alignment);
    for (const auto& more :
         {note(build_id_type, "Other", "no", alignment), note(build_id_type, "GNU", "yes!", alignment)}) {
      notes.insert(notes.end(), more.begin(), more.end());
    }
    const std::vector<std::byte> id = detail::build_id_in(notes.data(), notes.size(), alignment);
    ASSERT_EQ(id.size(), 4U) << alignment;
    EXPECT_EQ(std::memcmp(id.data(), "yes!", 4), 0);
  }
}

TEST(BuildId, BrokenLengthsAreNotFollowed) {
  const std::vector<std::byte> good = note(build_id_type, "GNU", "yes!", 4);
  // In a buffer of its own, of just that size: a read beyond it is what AddressSanitizer looks for.
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<std::byte> part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(detail::build_id_in(part.data(), part.size(), 4).empty()) << size;
  }
  for (const std::size_t field : {0U, 4U}) {
    std::vector<std::byte> bad = good;
    std::memset(bad.data() + field, 0xFF, 4);
    EXPECT_TRUE(detail::build_id_in(bad.data(), bad.size(), 4).empty()) << field;
  }
}

}  // namespace
