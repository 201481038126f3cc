// Exceptions come out of a message as the type that went in, with the same words; or as remote_error that
// tells both. GCC 12 sees ghosts in std::regex when a sanitizer is on.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <tandem/codec.hpp>
#include <tandem/detail/outcome.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <any>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>
#include <vector>

namespace {

using tandem::remote_error;

std::exception_ptr send(const std::exception_ptr& error, std::string_view trace = {}) {
  tandem::writer out;
  tandem::encode_exception(out, error, trace);
  tandem::reader in(out.bytes());
  std::exception_ptr result = tandem::decode_exception(in);
  EXPECT_EQ(in.remaining(), 0U);
  return result;
}

template <class Function>
std::exception_ptr thrown_by(Function function) {
  try {
    function();
  } catch (...) {
    return std::current_exception();
  }
  ADD_FAILURE() << "nothing was thrown";
  return nullptr;
}

/// `error`, which is an E, arrives as an E with the same what(): exactly one without a trace, and with one at
/// the second stop of its journey too.
template <class E>
void expect_kept(const std::exception_ptr& error) {
  std::string what;
  try {
    std::rethrow_exception(error);
  } catch (const E& e) {
    what = e.what();
  } catch (...) {
    FAIL() << "the test does not throw what it says";
  }
  SCOPED_TRACE(std::string(typeid(E).name()) + ": " + what);
  const auto check = [&](const std::exception_ptr& arrived, const std::string& trace) {
    try {
      std::rethrow_exception(arrived);
    } catch (const E& e) {
      EXPECT_EQ(e.what(), what);
      EXPECT_EQ(tandem::remote_trace(e), trace);
      EXPECT_EQ(tandem::remote_trace(arrived), trace);
    } catch (...) {
      ADD_FAILURE() << "did not arrive as that type";
    }
  };
  check(send(error), "");
  const auto once = send(error, "worker 1");
  check(once, "worker 1");
  check(send(once), "worker 1");
  check(send(once, "worker 2"), "worker 1\n  by way of worker 2");
}

template <class E>
void expect_kept(const E& error) {
  const auto pointer = std::make_exception_ptr(error);
  expect_kept<E>(pointer);
  try {
    std::rethrow_exception(send(pointer));
  } catch (const std::exception& e) {
    EXPECT_EQ(typeid(e), typeid(E)) << "without a trace the type is exact";
  }
}

TEST(Exception, TheStandardsTextErrors) {
  expect_kept(std::runtime_error("r"));
  expect_kept(std::logic_error("l"));
  expect_kept(std::invalid_argument("i"));
  expect_kept(std::domain_error("d"));
  expect_kept(std::length_error("l"));
  expect_kept(std::out_of_range("o"));
  expect_kept(std::range_error("r"));
  expect_kept(std::overflow_error("o"));
  expect_kept(std::underflow_error(""));
}

TEST(Exception, TheStandardsErrorsWithoutText) {
  expect_kept(std::exception());
  expect_kept(std::bad_exception());
  expect_kept(std::bad_alloc());
  expect_kept(std::bad_array_new_length());
  expect_kept(std::bad_cast());
  expect_kept(std::bad_typeid());
  expect_kept(std::bad_any_cast());
  expect_kept(std::bad_function_call());
  expect_kept(std::bad_weak_ptr());
  expect_kept(std::bad_optional_access());
  expect_kept(std::bad_variant_access());
}

TEST(Exception, AsTheStandardLibraryThrowsThem) {
  expect_kept<std::out_of_range>(thrown_by([] { static_cast<void>(std::vector<int>().at(7)); }));
  expect_kept<std::invalid_argument>(thrown_by([] { static_cast<void>(std::stoi("x")); }));
  expect_kept<std::bad_optional_access>(thrown_by([] { static_cast<void>(std::optional<int>().value()); }));
  expect_kept<std::bad_variant_access>(
      thrown_by([] { static_cast<void>(std::get<int>(std::variant<int, std::string>("x"))); }));
  expect_kept<std::bad_any_cast>(thrown_by([] { static_cast<void>(std::any_cast<int>(std::any())); }));
  expect_kept<std::bad_function_call>(thrown_by([] { std::function<void()>()(); }));
  expect_kept<std::bad_weak_ptr>(thrown_by([] { std::shared_ptr<int>(std::weak_ptr<int>()); }));
  expect_kept<std::regex_error>(thrown_by([] { std::regex("(("); }));
  expect_kept<std::regex_error>(thrown_by([] { std::regex("a{2,1}"); }));
  expect_kept<std::future_error>(thrown_by([] {
    std::promise<int> p;
    p.set_value(1);
    p.set_value(2);
  }));
  expect_kept<std::filesystem::filesystem_error>(
      thrown_by([] { std::filesystem::copy_file("/no/such/file", "/no/such/target"); }));
  expect_kept<std::filesystem::filesystem_error>(
      thrown_by([] { static_cast<void>(std::filesystem::file_size("/no/such/file")); }));
  expect_kept<std::ios_base::failure>(thrown_by([] {
    std::ifstream file("/no/such/file");
    file.exceptions(std::ios::failbit);
  }));
}

TEST(Exception, SystemErrorsKeepTheirCode) {
  expect_kept(std::system_error(std::make_error_code(std::errc::timed_out)));
  expect_kept(std::system_error(std::make_error_code(std::errc::timed_out), "while waiting"));
  expect_kept(std::system_error(13, std::system_category(), "open"));
  try {
    std::rethrow_exception(
        send(std::make_exception_ptr(std::system_error(13, std::system_category(), "open"))));
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::error_code(13, std::system_category()));
  }
}

TEST(Exception, FilesystemErrorsKeepTheirPaths) {
  const auto code = std::make_error_code(std::errc::io_error);
  expect_kept(std::filesystem::filesystem_error("x", code));
  expect_kept(std::filesystem::filesystem_error("x", "one", code));
  expect_kept(std::filesystem::filesystem_error("x", "one", "two", code));
  try {
    std::rethrow_exception(
        send(std::make_exception_ptr(std::filesystem::filesystem_error("x", "one", "two", code))));
  } catch (const std::filesystem::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "one");
    EXPECT_EQ(error.path2(), "two");
    EXPECT_EQ(error.code(), code);
  }
}

TEST(Exception, TandemsOwn) {
  expect_kept(tandem::error("e"));
  expect_kept(tandem::cancelled_error("c"));
  expect_kept(tandem::timeout_error("t"));
  expect_kept(tandem::shutdown_error("s"));
  expect_kept(tandem::broken_pool_error("b"));
  expect_kept(tandem::not_portable_error("n"));
  expect_kept(tandem::decode_error("d"));
  expect_kept(tandem::queue_full_error("q"));
  expect_kept(tandem::invalid_state_error("i"));
  expect_kept(tandem::start_error("s"));
  expect_kept(tandem::worker_died_error("w", 12, 9, -1));
  try {
    std::rethrow_exception(send(std::make_exception_ptr(tandem::worker_died_error("w", 12, 9, -1)), "outer"));
  } catch (const tandem::worker_died_error& error) {
    EXPECT_EQ(error.pid(), 12);
    EXPECT_EQ(error.signal(), 9);
    EXPECT_EQ(error.exit_code(), -1);
  }
}

// --- what arrives as remote_error --------------------------------------------------------------------------

struct unknown_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Check>
void expect_remote(const std::exception_ptr& arrived, Check check) {
  try {
    std::rethrow_exception(arrived);
  } catch (const remote_error& error) {
    check(error);
    return;
  } catch (...) {}
  ADD_FAILURE() << "did not arrive as remote_error";
}

TEST(Exception, AnyOtherTypeArrivesAsRemoteError) {
  expect_remote(send(std::make_exception_ptr(unknown_error("why")), "worker 3"),
                [](const remote_error& error) {
                  EXPECT_STREQ(error.what(), "why");
                  EXPECT_NE(error.type_name().find("unknown_error"), std::string::npos) << error.type_name();
                  EXPECT_EQ(error.trace(), "worker 3");
                  EXPECT_EQ(tandem::remote_trace(error), "worker 3");
                });
}

TEST(Exception, WhatIsNoExceptionTellsItsTypeAndValue) {
  expect_remote(send(std::make_exception_ptr(42)), [](const remote_error& error) {
    EXPECT_EQ(error.type_name(), "int");
    EXPECT_NE(std::string(error.what()).find("42"), std::string::npos) << error.what();
  });
  expect_remote(send(std::make_exception_ptr(std::string("a text"))), [](const remote_error& error) {
    EXPECT_NE(error.type_name().find("string"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("a text"), std::string::npos);
  });
  expect_remote(send(thrown_by([] { throw "literal"; })), [](const remote_error& error) {
    EXPECT_NE(std::string(error.what()).find("literal"), std::string::npos);
  });
  expect_remote(
      send(thrown_by([] {
        struct odd {};
        throw odd();
      })),
      [](const remote_error& error) { EXPECT_NE(error.type_name().find("odd"), std::string::npos); });
}

TEST(Exception, ARemoteErrorKeepsItsTypeNameOnTheWayOn) {
  const auto once = send(std::make_exception_ptr(unknown_error("why")), "inner");
  expect_remote(send(once, "outer"), [](const remote_error& error) {
    EXPECT_STREQ(error.what(), "why");
    EXPECT_NE(error.type_name().find("unknown_error"), std::string::npos);
    EXPECT_EQ(error.trace(), "inner\n  by way of outer");
  });
}

TEST(Exception, AnErrorCodeThatCannotBeSentDoesNotLoseTheException) {
  struct own_category final : std::error_category {
    [[nodiscard]] const char* name() const noexcept override { return "own"; }
    [[nodiscard]] std::string message(int) const override { return "own message"; }
  };
  static const own_category category;
  expect_remote(send(std::make_exception_ptr(std::system_error(1, category))), [](const remote_error& error) {
    EXPECT_EQ(error.type_name(), "std::system_error");
    EXPECT_STREQ(error.what(), "own message");
  });
}

// --- nested ------------------------------------------------------------------------------------------------

std::exception_ptr nested() {
  return thrown_by([] {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
}

TEST(Exception, WhatIsNestedStaysNested) {
  for (const auto& arrived : {send(nested()), send(nested(), "w"), send(send(nested(), "w"), "v")}) {
    try {
      std::rethrow_exception(arrived);
    } catch (const std::runtime_error& outer) {
      EXPECT_STREQ(outer.what(), "outer");
      EXPECT_THROW(std::rethrow_if_nested(outer), std::out_of_range);
    }
  }
}

TEST(Exception, TheTraceOfARemoteErrorListsWhatIsNested) {
  const auto error = thrown_by([] {
    try {
      std::rethrow_exception(nested());
    } catch (...) {
      std::throw_with_nested(unknown_error("outermost"));
    }
  });
  expect_remote(send(error, "w"), [](const remote_error& arrived) {
    EXPECT_STREQ(arrived.what(), "outermost");
    EXPECT_EQ(arrived.type_name().find("_Nested"), std::string::npos) << arrived.type_name();
    EXPECT_NE(arrived.trace().find("caused by std::runtime_error: outer\n"), std::string::npos)
        << arrived.trace();
    EXPECT_NE(arrived.trace().find("caused by std::out_of_range: inner"), std::string::npos)
        << arrived.trace();
  });
}

TEST(Exception, AnEndlessChainIsCutAndNotFollowed) {
  std::exception_ptr error = std::make_exception_ptr(std::runtime_error("innermost"));
  for (int i = 0; i != 500; ++i) {
    error = thrown_by([&] {
      try {
        std::rethrow_exception(error);
      } catch (...) {
        std::throw_with_nested(std::runtime_error("level"));
      }
    });
  }
  EXPECT_THROW(std::rethrow_exception(send(error)), std::runtime_error);
}

// --- registered --------------------------------------------------------------------------------------------

class parse_error : public std::runtime_error {
 public:
  parse_error(const std::string& what, int line) : std::runtime_error(what), line_(line) {}
  [[nodiscard]] int line() const { return line_; }

 private:
  int line_;
};
struct plain_error {  // is no std::exception
  int code = 0;
};
struct final_error final : std::exception {
  int code = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(code);
  }
};
struct derived_error : parse_error {
  using parse_error::parse_error;
};

}  // namespace

namespace app {

struct page {};
template <class Subject>
struct missing {  // missing<page>: a name that mentions app twice, so that it is abbreviated
  int code = 0;
};

}  // namespace app

template <>
struct tandem::codec<parse_error> {
  static void encode(writer& out, const parse_error& error) {
    tandem::encode(out, std::string(error.what()));
    tandem::encode(out, error.line());
  }
  static parse_error decode(reader& in) {
    const auto what = tandem::decode<std::string>(in);
    return {what, tandem::decode<int>(in)};
  }
};

namespace {

const auto registered = [] {
  tandem::register_exception<parse_error>();
  tandem::register_exception<plain_error>();
  tandem::register_exception<final_error>();
  tandem::register_exception<app::missing<app::page>>();
  tandem::register_exception<parse_error>();  // again: nothing happens
  return 0;
}();

TEST(Exception, RegisteredOnesKeepTheirTypeAndParts) {
  for (const auto& arrived : {send(std::make_exception_ptr(parse_error("p", 7))),
                              send(std::make_exception_ptr(parse_error("p", 7)), "w"),
                              send(send(std::make_exception_ptr(parse_error("p", 7)), "w"))}) {
    try {
      std::rethrow_exception(arrived);
    } catch (const parse_error& error) {
      EXPECT_EQ(error.line(), 7);
      EXPECT_STREQ(error.what(), "p");
    }
  }
  EXPECT_EQ(tandem::remote_trace(send(std::make_exception_ptr(parse_error("p", 7)), "w")), "w");
}

TEST(Exception, RegisteredOnesNeedNotBeExceptions) {
  const auto arrived = send(std::make_exception_ptr(plain_error{5}), "w");
  EXPECT_EQ(tandem::remote_trace(arrived), "w");
  try {
    std::rethrow_exception(send(arrived));
  } catch (const plain_error& error) {
    EXPECT_EQ(error.code, 5);
  }
}

TEST(Exception, RegisteredFinalOnesArriveWithoutTheirTrace) {
  final_error error;
  error.code = 6;
  try {
    std::rethrow_exception(send(std::make_exception_ptr(error), "w"));
  } catch (const final_error& arrived) {
    EXPECT_EQ(arrived.code, 6);
  }
}

TEST(Exception, AClassDerivedFromARegisteredOneIsNotSliced) {
  expect_remote(send(std::make_exception_ptr(derived_error("d", 1))), [](const remote_error& error) {
    EXPECT_NE(error.type_name().find("derived_error"), std::string::npos);
  });
}

/// `outer` with an std::out_of_range nested in it arrives as an E with that, whatever its way.
template <class E>
void expect_nesting_kept(E outer) {
  const auto error = thrown_by([&] {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::move(outer));
    }
  });
  for (const auto& arrived : {send(error), send(error, "w"), send(send(error, "w"), "v")}) {
    EXPECT_THROW(std::rethrow_exception(arrived), E);
    try {
      std::rethrow_exception(arrived);
    } catch (const std::nested_exception& kept) {
      EXPECT_THROW(kept.rethrow_nested(), std::out_of_range);
    } catch (...) {
      ADD_FAILURE() << typeid(E).name() << " arrived without what is nested in it";
    }
  }
}

// What std::throw_with_nested makes of an E has a name in which the name of E is written in another way.
TEST(Exception, EachKindIsKnownWhenSomethingIsNestedInIt) {
  expect_nesting_kept(std::runtime_error("outer"));
  expect_nesting_kept(std::bad_variant_access());
  expect_nesting_kept(tandem::timeout_error("outer"));
  expect_nesting_kept(parse_error("outer", 7));
  expect_nesting_kept(plain_error{5});
  expect_nesting_kept(app::missing<app::page>{5});
}

// --- null, outcomes ----------------------------------------------------------------------------------------

TEST(Exception, NullStaysNull) {
  EXPECT_EQ(send(nullptr), nullptr);
  EXPECT_EQ(tandem::remote_trace(std::exception_ptr()), "");
}

TEST(Outcome, HoldsWhatTheFunctionReturnsOrThrows) {
  using tandem::detail::outcome;
  EXPECT_EQ(outcome<int>::of([] { return 3; }).take(), 3);
  EXPECT_TRUE(outcome<void>::of([] {}).has_value());
  auto failed = outcome<void>::of([] { throw std::out_of_range("o"); });
  EXPECT_FALSE(failed.has_value());
  EXPECT_THROW(failed.take(), std::out_of_range);
}

TEST(Outcome, CrossesWithTheWritersTrace) {
  using tandem::detail::outcome;
  std::vector<outcome<std::unique_ptr<int>>> all;
  all.emplace_back(std::in_place, std::make_unique<int>(4));
  all.push_back(
      outcome<std::unique_ptr<int>>::of([]() -> std::unique_ptr<int> { throw std::out_of_range("o"); }));
  tandem::writer out;
  out.set_trace("worker 9");
  tandem::encode(out, all);
  tandem::reader in(out.bytes());
  auto arrived = tandem::decode<std::vector<outcome<std::unique_ptr<int>>>>(in);
  EXPECT_EQ(*arrived.at(0).take(), 4);
  EXPECT_EQ(tandem::remote_trace(arrived.at(1).exception()), "worker 9");
  EXPECT_THROW(arrived.at(1).take(), std::out_of_range);
}

}  // namespace
