#include "codec/type_names.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>

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

// The name of E is not in the name of what is made of it: what is mentioned twice is abbreviated by its position
// (S0_), which the words around it shift. So E is found as the first base.
const std::type_info& without_nesting(const std::type_info& type) noexcept {
  if (!std::string_view(type.name()).starts_with("St17_Nested_exceptionI")) return type;  // libstdc++
  const auto* const derived = dynamic_cast<const abi::__vmi_class_type_info*>(&type);
  if (derived == nullptr || derived->__base_count == 0) return type;
  return *derived->__base_info[0].__base_type;
}

}  // namespace tandem::detail
