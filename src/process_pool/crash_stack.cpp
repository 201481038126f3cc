// Checking a record, finding the names, laying out the lines.
#include "process_pool/crash_stack.hpp"

#include "posix/elf.hpp"
#include "posix/symbols.hpp"

#include "codec/type_names.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace tandem::process {

namespace {

using posix::crash_record;

// Frames of one function in a row that are told one by one.
constexpr std::size_t most_repeats = 3;

struct call {
  std::uint64_t offset = 0;
  std::uint32_t module = crash_record::no_module;
  std::string function;  // empty: unknown
};

std::string path_of(const crash_record::module& module) {
  return {module.path, ::strnlen(module.path, sizeof(module.path))};
}

// A path that is too long was cut where it was written.
bool is_path_of(const posix::loaded_module& loaded, const std::string& path) {
  if (loaded.is_program) return path.empty();
  return !path.empty() &&
         std::string_view(loaded.path).substr(0, sizeof(crash_record::module::path) - 1) == path;
}

void name_calls(std::span<call> calls, const crash_record& record) {
  const std::vector<posix::loaded_module> loaded = posix::loaded_modules();
  for (std::uint32_t m = 0; m < record.module_count; ++m) {
    const std::string path = path_of(record.modules[m]);
    const auto module = std::find_if(loaded.begin(), loaded.end(),
                                     [&](const posix::loaded_module& l) { return is_path_of(l, path); });
    if (module == loaded.end()) continue;
    std::vector<posix::symbol_query> queries;
    std::vector<call*> asking;
    for (call& c : calls) {
      if (c.module != m) continue;
      queries.push_back({.offset = c.offset});
      asking.push_back(&c);
    }
    posix::find_symbols(*module, queries);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const std::string& name = queries[i].name;
      // Only those of C++: what C calls "f" would become "float".
      asking[i]->function = name.starts_with("_Z") ? detail::demangle(name.c_str()) : name;
    }
  }
}

std::string module_name(const call& c, const crash_record& record, const std::string& program) {
  if (c.module == crash_record::no_module) return "?";
  std::string path = path_of(record.modules[c.module]);
  if (path.empty()) path = program;
  return path.substr(path.rfind('/') + 1);
}

std::string line(std::size_t number, const call& c, const std::string& module) {
  char offset[24];
  std::snprintf(offset, sizeof offset, "+0x%llx", static_cast<unsigned long long>(c.offset));
  return "#" + std::to_string(number) + " " + (c.function.empty() ? "??" : c.function) + " (" + module +
         offset + ")";
}

std::vector<std::string> lay_out(std::span<const call> calls, const crash_record& record) {
  const std::string program = posix::loaded_modules().front().path;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < calls.size();) {
    if (calls[i].function.starts_with("tandem::process::")) break;  // what a worker does with any task
    std::size_t same = i + 1;
    while (same < calls.size() && !calls[i].function.empty() && calls[same].function == calls[i].function)
      ++same;
    const std::size_t shown = same - i > most_repeats ? most_repeats - 1 : same - i;
    for (std::size_t k = i; k < i + shown; ++k)
      lines.push_back(line(k, calls[k], module_name(calls[k], record, program)));
    if (same - i > shown)
      lines.push_back("   ... and " + std::to_string(same - i - shown) + " more of the same function" +
                      (same == crash_record::most_frames ? ", at least" : ""));
    i = same;
  }
  return lines;
}

}  // namespace

std::vector<std::string> crash_stack(const posix::crash_record& shared, int signal) {
  // A copy: a process that the worker has left behind may still write to it.
  crash_record record;
  std::memcpy(&record, &shared, sizeof record);
  if (signal == 0 || record.signal != static_cast<std::uint32_t>(signal)) return {};
  record.module_count = std::min<std::uint32_t>(record.module_count, crash_record::most_modules);
  std::vector<call> calls(std::min<std::size_t>(record.frame_count, crash_record::most_frames));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].offset = record.frames[i].offset;
    if (record.frames[i].module < record.module_count) calls[i].module = record.frames[i].module;
  }
  name_calls(calls, record);
  return lay_out(calls, record);
}

}  // namespace tandem::process
