#include "posix/elf.hpp"

#include "posix/process.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

namespace tandem::posix {
namespace detail {
namespace {

std::size_t round_up(std::size_t size, std::size_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

}  // namespace

std::vector<std::byte> build_id_in(const std::byte* notes, std::size_t size, std::size_t alignment) {
  using note_header = ElfW(Nhdr);
  std::size_t at = 0;
  // Every length is checked against the segment: notes are data of a file, and files can be broken.
  while (size - at >= sizeof(note_header)) {
    note_header header{};
    std::memcpy(&header, notes + at, sizeof header);
    const std::size_t name = at + sizeof header;
    // Wider than the 32-bit fields: these sums cannot overflow.
    const std::size_t description = round_up(name + header.n_namesz, alignment);
    const std::size_t end = description + header.n_descsz;
    if (end > size) break;
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(notes + name, "GNU", 4) == 0) {
      return {notes + description, notes + end};
    }
    at = std::min(round_up(end, alignment), size);
  }
  return {};
}

}  // namespace detail

namespace {

loaded_module describe(const dl_phdr_info& info) {
  loaded_module entry;
  entry.path = info.dlpi_name != nullptr ? info.dlpi_name : "";
  entry.base = info.dlpi_addr;
  for (std::size_t i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    const std::uintptr_t begin = info.dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD) {
      entry.ranges.push_back({begin, begin + header.p_memsz, (header.p_flags & PF_X) != 0});
    } else if (header.p_type == PT_NOTE && entry.identity.empty()) {
      // Segments are aligned to 4, or to 8 where the notes are 8-byte properties.
      const auto* const notes =
          reinterpret_cast<const std::byte*>(begin);  // NOLINT(performance-no-int-to-ptr)
      entry.identity = detail::build_id_in(notes, header.p_memsz, header.p_align == 8 ? 8 : 4);
      if (!entry.identity.empty()) entry.kind = identity_kind::build_id;
    }
  }
  return entry;
}

struct walk {
  std::vector<loaded_module> modules;
  std::exception_ptr failure;
};

/// Called by the loader, which holds its lock: an exception must not pass through it.
int visit(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  walk& result = *static_cast<walk*>(argument);
  try {
    result.modules.push_back(describe(*info));
    return 0;
  } catch (...) {
    result.failure = std::current_exception();
    return 1;  // Ends the walk.
  }
}

/// Identifies a module without build-id by its file. The file may have been replaced since the module was
/// loaded; two processes that look at different moments then disagree, and refuse each other, which is the
/// safe side.
void identify_by_file(loaded_module& entry) {
  struct stat info {};
  const char* const path = entry.is_program ? "/proc/self/exe" : entry.path.c_str();
  if (*path == '\0' || ::stat(path, &info) != 0) return;
  const std::uint64_t values[] = {
      static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino),
      static_cast<std::uint64_t>(info.st_size), static_cast<std::uint64_t>(info.st_mtim.tv_sec),
      static_cast<std::uint64_t>(info.st_mtim.tv_nsec)};
  const auto* const bytes = reinterpret_cast<const std::byte*>(values);
  entry.identity.assign(bytes, bytes + sizeof values);
  entry.kind = identity_kind::file;
}

}  // namespace

bool loaded_module::contains(std::uintptr_t address) const noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const range& part) { return address >= part.begin && address < part.end; });
}

bool loaded_module::contains_code(std::uintptr_t address) const noexcept {
  return std::any_of(ranges.begin(), ranges.end(), [&](const range& part) {
    return part.executable && address >= part.begin && address < part.end;
  });
}

std::string loaded_module::identity_text() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(identity.size() * 2);
  for (const std::byte byte : identity) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::vector<loaded_module> loaded_modules() {
  walk result;
  ::dl_iterate_phdr(&visit, &result);
  if (result.failure) std::rethrow_exception(result.failure);
  // After the walk, which holds the loader's lock.
  if (!result.modules.empty()) result.modules.front().is_program = true;  // The loader lists it first.
  for (loaded_module& entry : result.modules) {
    if (entry.is_program && entry.path.empty()) entry.path = executable_path();
    if (entry.identity.empty()) identify_by_file(entry);
  }
  return std::move(result.modules);
}

std::optional<loaded_module> find_module(const void* address) {
  for (loaded_module& entry : loaded_modules()) {
    if (entry.contains(reinterpret_cast<std::uintptr_t>(address))) return std::move(entry);
  }
  return std::nullopt;
}

}  // namespace tandem::posix
