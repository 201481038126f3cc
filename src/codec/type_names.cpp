#include "codec/type_names.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace tandem::detail {

std::string demangle(const char* name) {
  if (*name == '*') ++name;  // GCC's mark for names that are compared by address
  struct release {
    void operator()(char* p) const noexcept { std::free(p); }
  };
  int status = 0;
  const std::unique_ptr<char, release> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status));
  return status == 0 && readable != nullptr ? readable.get() : name;
}

std::string_view without_nesting(std::string_view name) {
  constexpr std::string_view prefix = "St17_Nested_exceptionI";  // libstdc++
  if (!name.starts_with(prefix) || !name.ends_with('E')) return name;
  return name.substr(prefix.size(), name.size() - prefix.size() - 1);
}

}  // namespace tandem::detail
