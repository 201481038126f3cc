// What a shared buffer holds is read in other processes, as it is.
// expect: needs plain data, whose bytes mean the same in another process
#include <tandem/shared_buffer.hpp>

#include <cstddef>
#include <vector>

std::size_t count(const std::vector<const char*>& names, const std::vector<char>& letters) {
#ifdef MUST_FAIL
  return tandem::shared_buffer(names).size() + letters.size();
#else
  return names.size() + tandem::shared_buffer(letters).size();
#endif
}
