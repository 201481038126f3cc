// A library that is loaded and unloaded while codec_function_test runs. Its calls have thunks of their own.
#include <tandem/detail/remote.hpp>

namespace {
int triple(int x) { return 3 * x; }
using call = tandem::detail::remote_call<int (*)(int), int>;
}  // namespace

extern "C" [[gnu::visibility("default")]] tandem::detail::remote_thunk_fn plugin_thunk() {
  return &call::thunk;
}

extern "C" [[gnu::visibility("default")]] void plugin_encode(tandem::writer& out, int x) {
  call::encode(out, &triple, x);
}
