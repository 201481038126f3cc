// A task in another process cannot change the caller's variable.
// expect: std::ref cannot be sent to another process.*: pass the value, and return what changes
#include <tandem/process_pool.hpp>

#include <functional>

namespace {
void increment(int& n) { ++n; }
int incremented(int n) { return n + 1; }
}  // namespace

void run(tandem::process_pool& pool, int& number) {
#ifdef MUST_FAIL
  pool.submit(increment, std::ref(number)).get();
#else
  (void)increment;
  number = pool.submit(incremented, number).get();
#endif
}
