#include "posix/symbols.hpp"

#include "posix/check.hpp"
#include "posix/unique_fd.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem::posix {
namespace {

using file_header = ElfW(Ehdr);
using section = ElfW(Shdr);
using symbol = ElfW(Sym);

constexpr std::size_t most_sections = 65536;
constexpr std::size_t longest_name = 4096;
constexpr std::size_t symbols_at_a_time = 4096;
constexpr std::uint64_t largest_note = std::uint64_t{64} * 1024;

class elf_file {
 public:
  explicit elf_file(const std::string& path)
      : fd_(retry_on_eintr([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); })) {
    struct stat info {};
    if (!fd_ || ::fstat(fd_.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    file_header header{};
    if (read(0, std::span(&header, 1)) != 1 || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_shentsize != sizeof(section))
      return;
    sections_.resize(std::min<std::size_t>(header.e_shnum, most_sections));
    sections_.resize(read(header.e_shoff, std::span(sections_)));
  }

  [[nodiscard]] const std::vector<section>& sections() const noexcept { return sections_; }

  /// How many whole ones there were to read.
  template <class T>
  std::size_t read(std::uint64_t at, std::span<T> into) const noexcept {
    std::size_t done = 0;
    while (done < into.size_bytes()) {
      const ssize_t size = retry_on_eintr([&] {
        return ::pread(fd_.get(), reinterpret_cast<char*>(into.data()) + done, into.size_bytes() - done,
                       static_cast<off_t>(at + done));
      });
      if (size <= 0) break;
      done += static_cast<std::size_t>(size);
    }
    return done / sizeof(T);
  }

  [[nodiscard]] const section* find(std::uint32_t type) const noexcept {
    const auto it = std::find_if(sections_.begin(), sections_.end(),
                                 [type](const section& s) { return s.sh_type == type; });
    return it == sections_.end() ? nullptr : &*it;
  }

 private:
  unique_fd fd_;
  std::vector<section> sections_;
};

// The file may have been replaced since it was loaded.
bool is_what_was_loaded(const elf_file& file, const loaded_module& module) {
  if (module.kind != identity_kind::build_id) return true;
  for (const section& s : file.sections()) {
    if (s.sh_type != SHT_NOTE || s.sh_size > largest_note) continue;
    std::vector<std::byte> notes(s.sh_size);
    notes.resize(file.read(s.sh_offset, std::span(notes)));
    const std::size_t alignment = s.sh_addralign == 8 ? 8 : 4;
    if (detail::build_id_in(notes.data(), notes.size(), alignment) == module.identity) return true;
  }
  return false;
}

struct match {
  std::uint64_t start = 0;
  std::uint64_t name = 0;  // in the string table
  bool found = false;
};

std::string name_at(const elf_file& file, const section& strings, std::uint64_t at) {
  if (at >= strings.sh_size) return {};
  std::string text(std::min<std::uint64_t>(longest_name, strings.sh_size - at), '\0');
  text.resize(file.read(strings.sh_offset + at, std::span(text)));
  return text.substr(0, text.find('\0'));
}

void search(const elf_file& file, const section& table, std::span<symbol_query> queries) {
  if (table.sh_entsize != sizeof(symbol) || table.sh_link >= file.sections().size()) return;
  std::vector<match> best(queries.size());
  std::vector<symbol> symbols(symbols_at_a_time);
  std::uint64_t left = table.sh_size / sizeof(symbol);
  for (std::uint64_t at = table.sh_offset; left != 0; at += symbols.size() * sizeof(symbol)) {
    symbols.resize(std::min<std::uint64_t>(left, symbols_at_a_time));
    symbols.resize(file.read(at, std::span(symbols)));
    if (symbols.empty()) break;  // cut short
    left -= symbols.size();
    for (const symbol& s : symbols) {
      if (ELF64_ST_TYPE(s.st_info) != STT_FUNC || s.st_shndx == SHN_UNDEF) continue;
      for (std::size_t i = 0; i < queries.size(); ++i) {
        const std::uint64_t offset = queries[i].offset;
        if (offset < s.st_value || offset - s.st_value >= std::max<std::uint64_t>(s.st_size, 1)) continue;
        if (!best[i].found || s.st_value > best[i].start) best[i] = {s.st_value, s.st_name, true};
      }
    }
  }
  const section& strings = file.sections()[table.sh_link];
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (best[i].found) queries[i].name = name_at(file, strings, best[i].name);
  }
}

}  // namespace

void find_symbols(const loaded_module& in, std::span<symbol_query> queries) {
  const elf_file file(in.is_program ? "/proc/self/exe" : in.path);
  if (!is_what_was_loaded(file, in)) return;
  const section* table = file.find(SHT_SYMTAB);
  if (table == nullptr) table = file.find(SHT_DYNSYM);  // stripped: what it exports
  if (table != nullptr) search(file, *table, queries);
}

}  // namespace tandem::posix
