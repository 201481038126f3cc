// An argument whose encoding waits for the test: what happens while a task is between its submitter and a worker.
#ifndef TANDEM_TESTS_FAULTS_GATED_HPP
#define TANDEM_TESTS_FAULTS_GATED_HPP

#include <tandem/codec.hpp>

#include <atomic>
#include <stdexcept>

namespace tandem::test {

inline std::atomic<bool> encoding{false};
inline std::atomic<bool> go_on{false};

/// Says that it is being encoded, then waits for let_it_be_encoded(); then it may fail.
struct gated {
  bool fails = false;
};

inline int take_gated(gated) { return 1; }

inline void let_it_be_encoded() {
  go_on = true;
  go_on.notify_all();
}

}  // namespace tandem::test

template <>
struct tandem::codec<tandem::test::gated> {
  static void encode(writer& out, const test::gated& value) {
    test::encoding = true;
    test::encoding.notify_all();
    test::go_on.wait(false);
    if (value.fails) throw std::domain_error("the argument cannot be encoded");
    out.write_value(1);
  }
  static test::gated decode(reader& in) {
    static_cast<void>(in.read_value<int>());
    return {};
  }
};

#endif
