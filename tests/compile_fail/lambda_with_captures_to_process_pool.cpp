// A capture may point into this process's memory, so a process pool takes none unless the user vouches for it.
// expect: a lambda with captures .* pass the captures as arguments or wrap the lambda in tandem::by_value
#include <tandem/process_pool.hpp>

int add(tandem::process_pool& pool, int more) {
#ifdef MUST_FAIL
  return pool.submit([more](int n) { return n + more; }, 1).get();
#else
  return pool.submit([](int n, int m) { return n + m; }, 1, more).get() +
         pool.submit(tandem::by_value([more](int n) { return n + more; }), 1).get();
#endif
}
