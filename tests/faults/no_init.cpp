// A program that forgot tandem::init(): prints what its pool says about that.
#include <tandem/process_pool.hpp>

#include <cstdio>

int main() {
  try {
    const tandem::process_pool pool;
  } catch (const tandem::start_error& e) {
    std::puts(e.what());
    return 3;
  }
  return 0;
}
