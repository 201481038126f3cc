// A pointer means nothing in another process.
// expect: raw pointer, which means nothing in another process: pass the value it points to
#include <tandem/process_pool.hpp>

#include <string>

namespace {
int by_pointer(const int* p) { return *p; }
int by_copy(int n) { return n; }
}  // namespace

int run(tandem::process_pool& pool, int number) {
#ifdef MUST_FAIL
  return pool.submit(by_pointer, &number).get();
#else
  (void)by_pointer;
  return pool.submit(by_copy, number).get();
#endif
}
