// Types of your own as arguments, results and exceptions of a process pool's tasks.
//
// Structs of plain members cross as they are. For a class, say how: with a cereal serialize function (vector_2d below),
// or with a tandem::codec (interval). An exception type arrives as itself once it is registered.
#include <tandem/tandem.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

// An aggregate: nothing to do.
struct order {
  std::string article;
  int count = 0;
  std::vector<double> prices;
};

// A class with a cereal function; private members and a private default constructor would need cereal::access.
class vector_2d {
 public:
  vector_2d() = default;
  vector_2d(double x, double y) : x_(x), y_(y) {}
  double dot(const vector_2d& other) const { return x_ * other.x_ + y_ * other.y_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(x_, y_);
  }

 private:
  double x_ = 0;
  double y_ = 0;
};

// A class that must never be built from nonsense: its codec checks what arrives.
class interval {
 public:
  interval(int from, int to) : from_(from), to_(to) {
    if (from > to) throw std::invalid_argument("an interval ends before it begins");
  }
  int from() const { return from_; }
  int to() const { return to_; }

 private:
  int from_;
  int to_;
};

template <>
struct tandem::codec<interval> {
  static void encode(writer& out, const interval& value) {
    tandem::encode(out, value.from());
    tandem::encode(out, value.to());
  }
  static interval decode(reader& in) {
    const int from = tandem::decode<int>(in);
    const int to = tandem::decode<int>(in);
    if (from > to) throw decode_error("not an interval");
    return {from, to};
  }
};

struct sold_out {  // exceptions need not derive from std::exception
  std::string article;
};

double total(const order& o) {
  if (o.prices.empty()) throw sold_out{o.article};
  return o.count * o.prices.back();
}
int length(const interval& i) { return i.to() - i.from(); }

int main(int argc, char** argv) {
  tandem::register_exception<sold_out>();  // the workers must know it too, so it comes before init()
  tandem::init(argc, argv);
  tandem::process_pool pool({.max_workers = 1});

  std::cout << pool.submit(total, order{"apple", 3, {0.5, 0.75}}).get() << '\n';
  std::cout << pool.submit(&vector_2d::dot, vector_2d(1, 2), vector_2d(3, 4)).get() << '\n';
  std::cout << pool.submit(length, interval(2, 9)).get() << '\n';
  try {
    pool.submit(total, order{"pear", 1, {}}).get();
  } catch (const sold_out& e) {
    std::cout << "sold out: " << e.article << '\n';
  }
}
