// An aggregate is looked into: a pointer does not slip through inside it.
// expect: (is or contains a raw pointer|contains a raw pointer)
#include <tandem/process_pool.hpp>

#include <string>

namespace {
struct named_by_pointer {
  int number;
  const char* name;
};
struct named_by_value {
  int number;
  std::string name;
};
int number_of_pointed(const named_by_pointer& job) { return job.number; }
int number_of(const named_by_value& job) { return job.number; }
}  // namespace

int run(tandem::process_pool& pool) {
#ifdef MUST_FAIL
  return pool.submit(number_of_pointed, named_by_pointer{1, "one"}).get();
#else
  (void)number_of_pointed;
  return pool.submit(number_of, named_by_value{1, "one"}).get();
#endif
}
