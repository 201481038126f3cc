// A future has one owner; a shared_future is for several.
// expect: use of deleted function .*future
#include <tandem/future.hpp>

#include <utility>

tandem::future<int> hand_over(tandem::future<int>& from) {
#ifdef MUST_FAIL
  return from;
#else
  return std::move(from);
#endif
}
