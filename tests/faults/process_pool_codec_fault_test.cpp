// A value whose encoding or decoding goes wrong, on either side, in every way: never a hang, and only its own task.
#include "faults/tasks.hpp"

#include <tandem/codec.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

enum class place { nowhere, encode_argument, decode_argument, run, encode_result, decode_result };
enum class how { throws, exits, aborts };

/// Goes wrong at one place. Knows which side it is on by whose process it is in.
struct trouble {
  place where = place::nowhere;
  how kind = how::throws;
  bool is_result = false;
};

void go_wrong(how kind) {
  switch (kind) {
    case how::throws:
      throw std::domain_error("trouble");
    case how::exits:
      std::exit(4);
    case how::aborts:
      std::abort();
  }
}

trouble run_trouble(trouble t) {
  if (t.where == place::run) go_wrong(t.kind);
  t.is_result = true;
  return t;
}

}  // namespace

template <>
struct tandem::codec<trouble> {
  static void encode(writer& out, const trouble& t) {
    out.write_value(static_cast<int>(t.where));
    out.write_value(static_cast<int>(t.kind));
    out.write_value(static_cast<int>(t.is_result));
    if (t.where == (t.is_result ? place::encode_result : place::encode_argument)) go_wrong(t.kind);
  }
  static trouble decode(reader& in) {
    trouble t;
    t.where = static_cast<place>(in.read_value<int>());
    t.kind = static_cast<how>(in.read_value<int>());
    t.is_result = in.read_value<int>() != 0;
    if (t.where == (t.is_result ? place::decode_result : place::decode_argument)) go_wrong(t.kind);
    return t;
  }
};

namespace {

class Trouble : public testing::TestWithParam<std::tuple<place, how>> {};

TEST_P(Trouble, FailsItsOwnTaskOnlyAndNamesThePhase) {
  const auto [where, kind] = GetParam();
  tandem::process_pool pool({.max_workers = 1});
  auto before = pool.submit(tandem::test::add_one, 1);
  auto bad = pool.submit(run_trouble, trouble{where, kind, false});
  auto after = pool.submit(tandem::test::add_one, 2);
  if (kind == how::throws) {
    try {
      bad.get();
      ADD_FAILURE();
    } catch (const std::domain_error& e) {
      EXPECT_STREQ(e.what(), "trouble");
    }
  } else {
    try {
      bad.get();
      ADD_FAILURE();
    } catch (const tandem::worker_died_error& e) {
      const std::string phase = where == place::decode_argument ? "decoding the arguments"
                                : where == place::run           ? "running"
                                                                : "encoding the result";
      EXPECT_NE(std::string(e.what()).find(phase), std::string::npos) << e.what();
    }
  }
  EXPECT_EQ(before.get(), 2);
  EXPECT_EQ(after.get(), 3);
}

// What the user's codec does in this process (exit, abort) ends this process: only exceptions can be tested there.
INSTANTIATE_TEST_SUITE_P(
    Everywhere, Trouble,
    testing::Values(std::tuple(place::encode_argument, how::throws),
                    std::tuple(place::decode_argument, how::throws), std::tuple(place::run, how::throws),
                    std::tuple(place::encode_result, how::throws),
                    std::tuple(place::decode_result, how::throws),
                    std::tuple(place::decode_argument, how::exits),
                    std::tuple(place::decode_argument, how::aborts), std::tuple(place::run, how::exits),
                    std::tuple(place::run, how::aborts), std::tuple(place::encode_result, how::exits),
                    std::tuple(place::encode_result, how::aborts)));

TEST(ProcessPool, CarriesPayloadsOfEverySize) {
  tandem::process_pool pool({.max_workers = 2});
  for (const std::size_t size : {0UL, 1UL, 100UL, 180UL, 192UL, 200UL, 4096UL, 65527UL, 65528UL, 65529UL,
                                 65536UL, 70000UL, 1UL << 20U, (16UL << 20U) + 3}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 997) text[i] = static_cast<char>('a' + i % 26);
    ASSERT_EQ(pool.submit(tandem::test::echo, text).get(), text) << size;
  }
  std::vector<tandem::future<std::string>> many;
  for (int i = 0; i < 200; ++i)
    many.push_back(pool.submit(tandem::test::echo, std::string(100000, static_cast<char>('a' + i % 26))));
  for (int i = 0; i < 200; ++i)
    ASSERT_EQ(many[static_cast<std::size_t>(i)].get(), std::string(100000, static_cast<char>('a' + i % 26)));
}

struct unusual {};
int throw_it(std::string what) {
  if (what == "int") throw 42;
  if (what == "unusual") throw unusual{};
  if (what == "out_of_range") throw std::out_of_range("index 7");
  if (what == "bad_alloc") throw std::bad_alloc();
  if (what == "system_error") throw std::system_error(ENOENT, std::generic_category(), "open");
  return 0;
}

int refuse(int x) { throw std::out_of_range(std::to_string(x)); }

TEST(ProcessPool, TellsWhereAnItemOfAnImapFailed) {
  tandem::process_pool pool({.max_workers = 1});
  try {
    for (const int result : pool.imap({.chunk_size = 3}, refuse, std::vector<int>{1, 2, 3}))
      ADD_FAILURE() << result;
  } catch (const std::out_of_range& e) {
    EXPECT_NE(std::string(tandem::remote_trace(e)).find("worker process "), std::string::npos);
  }
}

TEST(ProcessPool, RethrowsStandardExceptionsAsTheirOwnType) {
  tandem::process_pool pool({.max_workers = 1});
  EXPECT_THROW(pool.submit(throw_it, std::string("out_of_range")).get(), std::out_of_range);
  EXPECT_THROW(pool.submit(throw_it, std::string("bad_alloc")).get(), std::bad_alloc);
  try {
    pool.submit(throw_it, std::string("system_error")).get();
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::error_code(ENOENT, std::generic_category()));
  }
  try {
    pool.submit({.name = "page 7"}, throw_it, std::string("int")).get();
    ADD_FAILURE();
  } catch (const tandem::remote_error& e) {
    EXPECT_EQ(e.type_name(), "int");
    EXPECT_NE(e.trace().find("page 7"), std::string::npos) << e.trace();
  }
  EXPECT_THROW(pool.submit(throw_it, std::string("unusual")).get(), tandem::remote_error);
}

}  // namespace
