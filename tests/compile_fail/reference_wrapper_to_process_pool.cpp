// A task in another process cannot change the caller's variable.
// expect: (std::ref|reference_wrapper|reference)
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
