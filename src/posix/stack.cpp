#include "posix/stack.hpp"

#include <pthread.h>

namespace tandem::posix {

stack_bounds current_stack() noexcept {
  stack_bounds bounds;
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return bounds;
  void* bottom = nullptr;
  std::size_t size = 0;
  if (::pthread_attr_getstack(&attributes, &bottom, &size) == 0) {
    bounds.bottom = reinterpret_cast<std::uintptr_t>(bottom);
    bounds.top = bounds.bottom + size;
  }
  ::pthread_attr_destroy(&attributes);
  return bounds;
}

}  // namespace tandem::posix
