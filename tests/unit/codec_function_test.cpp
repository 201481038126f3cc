// Functions are called by name: in this process, and in a second image of this program with addresses of its
// own.
#include <tandem/by_value.hpp>
#include <tandem/detail/remote.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "posix/elf.hpp"

namespace {

using tandem::not_portable_error;
using tandem::reader;
using tandem::writer;
using tandem::detail::function_name;
using tandem::detail::name_function;
using tandem::detail::peer_modules;
using tandem::detail::remote_call;
using tandem::detail::remote_phase;
using tandem::detail::resolve_function;
using tandem::detail::resolve_thunk;

int twice(int x) { return 2 * x; }
std::string join(const std::vector<std::string>& parts, char separator) {
  std::string all;
  for (const auto& part : parts) all += part + separator;
  return all;
}
void fail(const std::string& why) { throw std::out_of_range(why); }
int apply(int (*f)(int), int x) { return f(x); }
template <int N>
int add(int x) {
  return x + N;
}
std::unique_ptr<int> forward_pointer(std::unique_ptr<int> p) { return p; }

struct counter {
  int value = 0;
  int plus(int n) { return value + n; }
  [[nodiscard]] int get() const noexcept { return value; }
};
struct animal {
  virtual ~animal() = default;
  [[nodiscard]] virtual int legs() const { return 0; }
};
struct padding {
  virtual ~padding() = default;
  long unused = 0;
};
struct second_base {
  int n = 5;
  [[nodiscard]] int number() const { return n; }
};
struct cat final : padding, animal {
  [[nodiscard]] int legs() const override { return 4; }
};
struct functor {
  int factor = 1;
  int operator()(int x) const { return factor * x; }
};

}  // namespace

template <>
struct tandem::codec<cat> {
  static void encode(writer&, const cat&) {}
  static cat decode(reader&) { return {}; }
};

namespace {

/// What is sent for a call: its name, then its parts.
template <class F, class... Args>
void encode_call(writer& out, const F& f, const Args&... args) {
  using call = remote_call<F, Args...>;
  static_assert(call::portable);
  const function_name name = call::name();
  out.write_value(name.module);
  out.write_value(name.offset);
  call::encode(out, f, args...);
}

/// What a worker does with it.
void serve_call(reader& in, writer& out, const peer_modules* peer, remote_phase& phase) {
  function_name name;
  name.module = in.read_value<std::uint32_t>();
  name.offset = in.read_value<std::uint64_t>();
  resolve_thunk(name, peer)(in, out, phase);
}

/// Through names and bytes, within this process.
template <class F, class... Args>
auto call_here(const F& f, const Args&... args) {
  writer call;
  encode_call(call, f, args...);
  reader in(call.bytes());
  writer out;
  remote_phase phase{};
  serve_call(in, out, nullptr, phase);
  reader result(out.bytes());
  return remote_call<F, Args...>::decode_result(result);
}

TEST(RemoteCall, EveryKindOfCallable) {
  EXPECT_EQ(call_here(&twice, 21), 42);
  EXPECT_EQ(call_here(&join, std::vector<std::string>{"a", "b"}, '-'), "a-b-");
  EXPECT_EQ(call_here(&add<7>, 1), 8);
  EXPECT_EQ(call_here([](int x, const std::string& s) { return s + std::to_string(x); }, 1, std::string("n")),
            "n1");
  EXPECT_EQ(call_here(std::plus<>(), 1, 0.5), 1.5);
  EXPECT_EQ(call_here(functor{3}, 5), 15);
  int factor = 4;
  EXPECT_EQ(call_here(tandem::by_value([factor](int x) { return factor * x; }), 5), 20);
  EXPECT_EQ(*call_here(&forward_pointer, std::make_unique<int>(9)), 9);
  call_here([] {});
}

TEST(RemoteCall, MemberPointers) {
  EXPECT_EQ(call_here(&counter::get, counter{3}), 3);
  EXPECT_EQ(call_here(&counter::plus, counter{3}, 4), 7);
  EXPECT_EQ(call_here(&animal::legs, cat()), 4) << "virtual, in a second base";
  EXPECT_EQ(call_here(&second_base::number, second_base()), 5);
}

TEST(RemoteCall, FunctionsAsArguments) {
  EXPECT_EQ(call_here(&apply, &twice, 4), 8);
  EXPECT_EQ(call_here([](auto f, int x) { return f(x); }, [](int x) { return x - 1; }, 4), 3);
  EXPECT_TRUE(call_here([](int (*f)(int)) { return f == nullptr; }, static_cast<int (*)(int)>(nullptr)));
}

TEST(RemoteCall, TellsThePhaseInWhichItFailed) {
  using call = remote_call<void (*)(const std::string&), std::string>;
  writer parts;
  call::encode(parts, &fail, "out");
  writer out;
  remote_phase phase = remote_phase::encode_result;
  reader cut(parts.bytes().first(parts.size() - 1));
  EXPECT_THROW(call::thunk(cut, out, phase), tandem::decode_error);
  EXPECT_EQ(phase, remote_phase::decode_arguments);
  reader whole(parts.bytes());
  EXPECT_THROW(call::thunk(whole, out, phase), std::out_of_range);
  EXPECT_EQ(phase, remote_phase::run);
}

TEST(RemoteCall, ArgumentsLeftOverAreAnError) {
  using call = remote_call<int (*)(int), int>;
  writer parts;
  call::encode(parts, &twice, 1);
  parts.write_value('x');
  reader in(parts.bytes());
  writer out;
  remote_phase phase{};
  EXPECT_THROW(call::thunk(in, out, phase), tandem::decode_error);
}

TEST(FunctionName, IsTheSameEveryTimeAndLeadsBack) {
  const auto* const code = reinterpret_cast<const void*>(&twice);
  const function_name name = name_function(code);
  EXPECT_EQ(name, name_function(code));
  EXPECT_EQ(resolve_function(name, nullptr), code);
}

TEST(FunctionName, OfAFunctionInALibrary) {
  const auto* const code = reinterpret_cast<const void*>(&::getpid);
  EXPECT_EQ(resolve_function(name_function(code), nullptr), code);
  EXPECT_NE(name_function(code).module, name_function(reinterpret_cast<const void*>(&twice)).module);
}

TEST(FunctionName, OfDataHeapAndStackIsRefused) {
  static int data = 0;
  int local = 0;
  const auto heap = std::make_unique<int>();
  for (const void* address : {static_cast<const void*>(&data), static_cast<const void*>(&local),
                              static_cast<const void*>(heap.get())}) {
    EXPECT_THROW(static_cast<void>(name_function(address)), not_portable_error);
  }
}

TEST(FunctionName, NamesWithoutAThunkAreRefused) {
  const function_name twice_itself = name_function(reinterpret_cast<const void*>(&twice));
  EXPECT_THROW(static_cast<void>(resolve_thunk(twice_itself, nullptr)), not_portable_error);
  function_name off_by_one = remote_call<int (*)(int), int>::name();
  ++off_by_one.offset;
  EXPECT_THROW(static_cast<void>(resolve_thunk(off_by_one, nullptr)), not_portable_error);
  EXPECT_THROW(static_cast<void>(resolve_thunk({0, ~std::uint64_t{0}}, nullptr)), not_portable_error);
  EXPECT_THROW(static_cast<void>(resolve_thunk({0xffffffff, 0}, nullptr)), not_portable_error);
}

TEST(FunctionName, ThreadsMayNameAndResolveTogether) {
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i != 2000; ++i) {
        const function_name name = name_function(reinterpret_cast<const void*>(&twice));
        if (resolve_function(name, nullptr) != reinterpret_cast<const void*>(&twice)) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// --- libraries that come and go ----------------------------------------------------------------------------

TEST(FunctionName, OfAThunkInALibraryLivesAsLongAsTheLibraryIsLoaded) {
  void* const library = ::dlopen(TANDEM_CODEC_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  const auto thunk_of =
      reinterpret_cast<tandem::detail::remote_thunk_fn (*)()>(::dlsym(library, "plugin_thunk"));
  const auto encode = reinterpret_cast<void (*)(writer&, int)>(::dlsym(library, "plugin_encode"));
  ASSERT_TRUE(thunk_of != nullptr && encode != nullptr);
  const auto thunk = thunk_of();
  // This program instantiates the same call; each has its own thunk for it.
  EXPECT_NE(thunk, (&remote_call<int (*)(int), int>::thunk));
  EXPECT_TRUE(tandem::detail::is_registered(thunk));
  const function_name name = name_function(reinterpret_cast<const void*>(thunk));
  EXPECT_EQ(resolve_thunk(name, nullptr), thunk);
  {
    writer parts;
    encode(parts, 5);
    reader in(parts.bytes());
    writer out;
    remote_phase phase{};
    thunk(in, out, phase);
    reader result(out.bytes());
    EXPECT_EQ(tandem::decode<int>(result), 15);
  }
  EXPECT_EQ(name_function(reinterpret_cast<const void*>(thunk)).offset, name.offset);
  ASSERT_EQ(::dlclose(library), 0);
  // Although this thread has looked for it, and named it, last.
  EXPECT_FALSE(tandem::detail::is_registered(thunk));
  EXPECT_THROW(static_cast<void>(resolve_thunk(name, nullptr)), not_portable_error);
  EXPECT_THROW(static_cast<void>(name_function(reinterpret_cast<const void*>(thunk))), not_portable_error);
}

// --- peers -------------------------------------------------------------------------------------------------

std::vector<std::byte> modules_of_this_process() {
  writer out;
  tandem::detail::encode_modules(out);
  return {out.bytes().begin(), out.bytes().end()};
}

template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const not_portable_error& error) {
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

TEST(PeerModules, OfTheSameBuildResolve) {
  const auto table = modules_of_this_process();
  reader in(table);
  const peer_modules peer(in);
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(peer.program_mismatch(), "");
  const auto* const code = reinterpret_cast<const void*>(&twice);
  EXPECT_EQ(peer.resolve(name_function(code)), code);
}

TEST(PeerModules, AModuleLoadedLaterIsRefused) {
  const auto table = modules_of_this_process();
  reader in(table);
  const peer_modules peer(in);
  const auto later = static_cast<std::uint32_t>(tandem::detail::known_modules());
  const std::string why = refusal([&] { static_cast<void>(peer.resolve({later, 0x1000})); });
  EXPECT_NE(why.find("dlopen"), std::string::npos) << why;
}

/// One module table entry, as encode_modules() writes it.
void encode_module(writer& out, const std::string& path, bool is_program,
                   const std::vector<std::byte>& identity) {
  tandem::encode(out, path);
  tandem::encode(out, is_program);
  out.write_value(tandem::posix::identity_kind::build_id);
  tandem::encode(out, identity);
}

TEST(PeerModules, AnotherBuildIsRefusedAndBothBuildIdsAreTold) {
  writer out;
  out.write_size(2);
  encode_module(out, "/opt/program", true, {std::byte{0xab}, std::byte{0xcd}});
  encode_module(out, "/opt/lib/plugin.so", false, {std::byte{0xef}});
  reader in(out.bytes());
  const peer_modules peer(in);
  const std::string program = refusal([&] { static_cast<void>(peer.resolve({0, 0})); });
  EXPECT_NE(program.find("abcd"), std::string::npos) << program;
  EXPECT_NE(program.find("rebuilt"), std::string::npos) << program;
  EXPECT_EQ(peer.program_mismatch(), program);
  const std::string library = refusal([&] { static_cast<void>(peer.resolve({1, 0})); });
  EXPECT_NE(library.find("/opt/lib/plugin.so"), std::string::npos) << library;
  EXPECT_NE(library.find("initializer"), std::string::npos) << library;
}

TEST(PeerModules, ACorruptTableIsRefused) {
  const auto table = modules_of_this_process();
  for (std::size_t size = 0; size < table.size(); size += 7) {
    const std::span<const std::byte> whole(table);
    reader in(whole.first(size));
    EXPECT_THROW(peer_modules{in}, tandem::decode_error) << size;
  }
}

// --- a second image of this program ------------------------------------------------------------------------

void write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    ASSERT_GT(n, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::vector<std::byte> read_all(int fd) {
  std::vector<std::byte> all;
  std::array<std::byte, 4096> some;
  for (ssize_t n = 0; (n = ::read(fd, some.data(), some.size())) > 0;)
    all.insert(all.end(), some.begin(), some.begin() + n);
  return all;
}

/// Runs ServesCalls below in a second process: sends it `request`, returns its answer.
std::vector<std::byte> ask_second_image(std::span<const std::byte> request) {
  int to_child[2];
  int from_child[2];
  EXPECT_EQ(::pipe(to_child), 0);
  EXPECT_EQ(::pipe(from_child), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(to_child[0], STDIN_FILENO);
    ::dup2(from_child[1], 3);
    for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) {
      if (fd > 3) ::close(fd);
    }
    std::freopen("/dev/null", "w", stdout);
    ::setenv("TANDEM_TEST_SECOND_IMAGE", "1", 1);
    ::execl("/proc/self/exe", "second_image", "--gtest_filter=SecondImage.ServesCalls", nullptr);
    ::_exit(127);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  write_all(to_child[1], request);
  ::close(to_child[1]);
  auto answer = read_all(from_child[0]);
  ::close(from_child[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return answer;
}

// Request: module table, number of calls, then each call by its length. Answer: an address of this image,
// then for each call its outcome by its length.
TEST(SecondImage, ServesCalls) {
  if (std::getenv("TANDEM_TEST_SECOND_IMAGE") == nullptr) GTEST_SKIP() << "only started by the tests below";
  const auto request = read_all(STDIN_FILENO);
  reader in(request);
  const peer_modules peer(in);
  writer answer;
  answer.write_value(reinterpret_cast<std::uintptr_t>(&twice));
  const auto calls = in.read_value<int>();
  for (int i = 0; i != calls; ++i) {
    reader call(in.take(in.read_count(1)), &peer);
    writer out;
    remote_phase phase{};
    std::exception_ptr error;
    try {
      serve_call(call, out, &peer, phase);
    } catch (...) {
      out.truncate(0);
      error = std::current_exception();
    }
    tandem::encode_exception(answer, error, "second image");
    tandem::encode(answer, std::string(reinterpret_cast<const char*>(out.bytes().data()), out.size()));
  }
  write_all(3, answer.bytes());
}

TEST(SecondImage, CallsFunctionsByNameAtItsOwnAddresses) {
  writer request;
  tandem::detail::encode_modules(request);
  request.write_value(6);
  const auto add_call = [&request](const auto&... parts) {
    writer call;
    encode_call(call, parts...);
    request.write_size(call.size());
    request.write(call.bytes().data(), call.size());
  };
  int factor = 6;
  add_call(&twice, 21);
  add_call(&apply, &twice, 4);
  add_call([](const std::string& s) { return s + "!"; }, std::string("hi"));
  add_call(tandem::by_value([factor](int x) { return factor * x; }), 7);
  add_call(&counter::plus, counter{1}, 2);
  add_call(&fail, std::string("over there"));
  const auto bytes = ask_second_image(request.bytes());
  reader answer(bytes);
  const auto its_address = answer.read_value<std::uintptr_t>();
  if (its_address == reinterpret_cast<std::uintptr_t>(&twice)) {
    std::printf("both images have the same addresses: not much of a test\n");
  }
  const auto next = [&answer]<class T>(T) {
    EXPECT_EQ(tandem::decode_exception(answer), nullptr);
    const auto text = tandem::decode<std::string>(answer);
    reader result(std::as_bytes(std::span(text)));
    return tandem::decode<T>(result);
  };
  EXPECT_EQ(next(0), 42);
  EXPECT_EQ(next(0), 8);
  EXPECT_EQ(next(std::string()), "hi!");
  EXPECT_EQ(next(0), 42);
  EXPECT_EQ(next(0), 3);
  const std::exception_ptr error = tandem::decode_exception(answer);
  EXPECT_EQ(tandem::decode<std::string>(answer), "");
  EXPECT_EQ(answer.remaining(), 0U);
  EXPECT_EQ(tandem::remote_trace(error), "second image");
  EXPECT_THROW(std::rethrow_exception(error), std::out_of_range);
}

}  // namespace
