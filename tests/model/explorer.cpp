#include "model/explorer.hpp"

#include <link.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <unordered_set>
#include <utility>

namespace tandem::model {
namespace {

constexpr std::size_t stack_size = 128 * 1024;
constexpr std::size_t most_threads = 16;

enum class state { runnable, asleep, joining, done };

// The program's own thread_local variables: a block of memory whose contents are exchanged when another fiber goes on.
class thread_locals {
 public:
  thread_locals() {
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* self) {
          static_cast<thread_locals*>(self)->find(*info);
          return 1;  // the program comes first
        },
        this);
  }

  // What a new thread begins with.
  [[nodiscard]] const std::vector<char>& fresh() const { return fresh_; }
  void save(std::vector<char>& to) const { to.assign(place_, place_ + fresh_.size()); }
  void load(const std::vector<char>& from) const {
    if (!from.empty()) std::memcpy(place_, from.data(), from.size());
  }

 private:
  void find(const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = info.dlpi_phdr[i];
      if (segment.p_type != PT_TLS || info.dlpi_tls_data == nullptr) continue;
      const auto* image = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
      fresh_.assign(segment.p_memsz, 0);
      std::copy(image, image + segment.p_filesz, fresh_.begin());
      place_ = static_cast<char*>(info.dlpi_tls_data);
    }
  }

  char* place_ = nullptr;
  std::vector<char> fresh_;
};

std::map<const void*, std::function<void()>>& lasting() {
  static auto& all = *new std::map<const void*, std::function<void()>>;  // variables outlive it otherwise
  return all;
}

struct fiber {
  ucontext_t context{};
  std::vector<char> locals;
  std::unique_ptr<char[]> stack;
  std::function<void()> body;
  state now = state::done;
  const void* sleeps_on = nullptr;
  bool timed = false;
  bool woken = false;
  bool paused = false;  // until another one has taken a step
  clocks known;
};

// What was chosen at one point, and out of how many.
struct choice {
  std::size_t n;
  std::size_t picked;
};

class execution {
 public:
  explicit execution(const settings& how) : how_(how) {}

  verdict explore(const std::function<void()>& program) {
    verdict result;
    for (std::uint64_t i = 0; i < how_.executions; ++i) {
      random_.seed(how_.seed + i);
      run(program);
      ++result.executions;
      if (!message_.empty()) {
        traced_ = true;
        random_.seed(how_.seed + i);
        run(program);
        result.ok = false;
        result.message = message_;
        for (const std::string& line : trace_) result.trace += line + "\n";
        return result;
      }
      if (how_.preemptions >= 0 && !backtrack()) {
        result.complete = true;
        return result;
      }
    }
    return result;
  }

  void spawn(std::function<void()> body) {
    const std::size_t index = used_++;
    if (index == most_threads) fail("too many threads");
    if (index == fibers_.size()) fibers_.push_back(std::make_unique<fiber>());
    fiber& f = *fibers_[index];
    if (f.stack == nullptr) f.stack = std::make_unique<char[]>(stack_size);
    f.body = std::move(body);
    f.now = state::runnable;
    f.paused = f.woken = false;
    f.locals = locals_.fresh();
    f.known = used_ > 1 ? fibers_[current_]->known : clocks();
    f.known.resize(most_threads);
    if (used_ > 1) tick();
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = stack_size;
    f.context.uc_link = nullptr;
    makecontext(&f.context, &execution::enter, 0);
  }

  void join_all() {
    me().now = state::joining;
    reschedule();
    for (std::size_t i = 0; i < used_; ++i) {
      const clocks& theirs = fibers_[i]->known;
      for (std::size_t k = 0; k < theirs.size(); ++k) me().known[k] = std::max(me().known[k], theirs[k]);
    }
  }

  void step() {
    if (++steps_ > how_.most_steps) fail("it does not end");
    const std::vector<std::size_t> others = runnable_others();
    if (others.empty()) return;
    if (how_.preemptions >= 0) {
      if (preemptions_ >= how_.preemptions) return;
      const std::size_t picked = choose(others.size() + 1);
      if (picked == 0) return;
      ++preemptions_;
      switch_to(others[picked - 1]);
    } else if (random_() % 3 == 0) {
      switch_to(others[random_() % others.size()]);
    }
  }

  void pause() {
    if (++steps_ > how_.most_steps) fail("it does not end");
    me().paused = true;
    reschedule();
  }

  bool sleep_on(const void* address, bool timed) {
    fiber& f = me();
    f.now = state::asleep;
    f.sleeps_on = address;
    f.timed = timed;
    f.woken = false;
    reschedule();
    return f.woken;
  }

  int wake(const void* address, int count) {
    std::vector<std::size_t> sleepers;
    for (std::size_t i = 0; i < used_; ++i) {
      const fiber& f = *fibers_[i];
      if (f.now == state::asleep && f.sleeps_on == address) sleepers.push_back(i);
    }
    int woken = 0;
    for (; woken < count && !sleepers.empty(); ++woken) {
      const auto at = sleepers.begin() + static_cast<std::ptrdiff_t>(choose(sleepers.size()));
      fibers_[*at]->now = state::runnable;
      fibers_[*at]->woken = true;
      sleepers.erase(at);
    }
    return woken;
  }

  std::size_t choose(std::size_t n) {
    if (n == 1) return 0;
    if (how_.preemptions < 0) return random_() % n;
    if (depth_ == path_.size()) path_.push_back({n, 0});
    return path_[depth_++].picked;
  }

  [[noreturn]] void fail(const std::string& message) {
    message_ = message;
    setcontext(&home_);
    std::abort();
  }

  std::unordered_set<const void*> destroyed;

  [[nodiscard]] bool is_traced() const { return traced_; }
  void note(const std::string& what) {
    trace_.push_back("  thread " + std::to_string(current_) + ": " + what);
  }
  [[nodiscard]] bool has_begun() const { return used_ > 0; }
  [[nodiscard]] int index() const { return static_cast<int>(current_); }
  clocks& clock_of(int thread) { return fibers_[static_cast<std::size_t>(thread)]->known; }
  std::uint32_t tick() { return ++me().known[current_]; }

 private:
  static void enter();

  fiber& me() { return *fibers_[current_]; }

  void run(const std::function<void()>& program) {
    used_ = 0;
    current_ = 0;
    depth_ = 0;
    preemptions_ = 0;
    steps_ = 0;
    message_.clear();
    trace_.clear();
    destroyed.clear();
    for (const auto& [variable, reset] : lasting()) reset();
    spawn(program);
    locals_.save(home_locals_);
    volatile bool started = false;
    getcontext(&home_);
    if (started) return locals_.load(home_locals_);  // back from the end, or from a failure
    started = true;
    locals_.load(fibers_[0]->locals);
    setcontext(&fibers_[0]->context);
  }

  // The calling thread cannot go on, or does not want to.
  void reschedule() {
    std::vector<std::size_t> next = runnable_others();
    const bool can_go_on = me().now == state::runnable;
    if (next.empty() && can_go_on) {
      me().paused = false;
      return;
    }
    if (next.empty()) next = paused_ones();
    if (next.empty()) next = joiners();
    if (next.empty()) next = timed_sleepers();
    if (next.empty()) {
      if (current_ == 0 && me().now == state::done) setcontext(&home_);
      fail_asleep();
    }
    switch_to(next[choose(next.size())]);
  }

  void switch_to(std::size_t to) {
    fiber& f = *fibers_[to];
    const std::size_t from = std::exchange(current_, to);
    if (f.now == state::asleep || f.now == state::joining) f.now = state::runnable;
    f.paused = false;
    for (std::size_t i = 0; i < used_; ++i) {  // somebody takes a step
      if (i != to) fibers_[i]->paused = fibers_[i]->paused && i == from;
    }
    if (from == to) return;
    locals_.save(fibers_[from]->locals);
    locals_.load(f.locals);
    swapcontext(&fibers_[from]->context, &f.context);
  }

  std::vector<std::size_t> those(bool (*wanted)(const fiber&)) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < used_; ++i) {
      if (i != current_ && wanted(*fibers_[i])) found.push_back(i);
    }
    return found;
  }
  std::vector<std::size_t> runnable_others() {
    auto found = those([](const fiber& f) { return f.now == state::runnable && !f.paused; });
    // The end of a sleep may come at any time.
    for (const std::size_t i : timed_sleepers()) found.push_back(i);
    return found;
  }
  std::vector<std::size_t> paused_ones() {
    return those([](const fiber& f) { return f.now == state::runnable; });
  }
  std::vector<std::size_t> timed_sleepers() {
    return those([](const fiber& f) { return f.now == state::asleep && f.timed; });
  }
  // Whoever waits for all others goes on when those are done.
  std::vector<std::size_t> joiners() {
    for (std::size_t i = 0; i < used_; ++i) {
      if (fibers_[i]->now != state::done && fibers_[i]->now != state::joining) return {};
    }
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < used_; ++i) {
      if (fibers_[i]->now == state::joining) found.push_back(i);
    }
    return found;
  }

  [[noreturn]] void fail_asleep() {
    std::string who;
    for (std::size_t i = 0; i < used_; ++i) {
      if (fibers_[i]->now == state::asleep) who += " " + std::to_string(i);
    }
    fail("asleep for ever: thread" + who);
  }

  // The next path that has not been gone; false if there is none.
  bool backtrack() {
    path_.resize(depth_);
    while (!path_.empty() && path_.back().picked + 1 == path_.back().n) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().picked;
    return true;
  }

  const settings how_;
  std::mt19937_64 random_;
  std::vector<choice> path_;
  std::size_t depth_ = 0;
  int preemptions_ = 0;
  int steps_ = 0;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::size_t used_ = 0;
  std::size_t current_ = 0;
  ucontext_t home_{};
  thread_locals locals_;
  std::vector<char> home_locals_;
  std::string message_;
  bool traced_ = false;
  std::vector<std::string> trace_;
};

execution* active = nullptr;

void execution::enter() {
  execution& all = *active;
  all.me().body();
  all.me().now = state::done;
  all.reschedule();
}

}  // namespace

verdict explore(const std::function<void()>& program, const settings& how) {
  execution all(how);
  active = &all;
  verdict result = all.explore(program);
  active = nullptr;
  return result;
}

void spawn(std::function<void()> body) { active->spawn(std::move(body)); }
void join_all() { active->join_all(); }
void check(bool condition, const char* what) {
  if (!condition) active->fail(what);
}
void pause() { active->pause(); }

namespace detail {
void step() { active->step(); }
std::size_t choose(std::size_t n) { return active->choose(n); }
int this_thread() { return active->index(); }
clocks& clock_of(int thread) { return active->clock_of(thread); }
std::uint32_t tick() { return active->tick(); }
bool is_traced() { return active->is_traced(); }
void note(const std::string& what) { active->note(what); }
void fail(const std::string& message) { active->fail(message); }
bool sleep_on(const void* address, bool timed) { return active->sleep_on(address, timed); }
int wake(const void* address, int count) { return active->wake(address, count); }
bool is_exploring() { return active != nullptr && active->has_begun(); }
void add_lasting(const void* variable, std::function<void()> reset) {
  lasting()[variable] = std::move(reset);
}
void remove_lasting(const void* variable) { lasting().erase(variable); }
void add_destroyed(const void* variable) { active->destroyed.insert(variable); }
void remove_destroyed(const void* variable) { active->destroyed.erase(variable); }
bool is_destroyed(const void* variable) { return active->destroyed.contains(variable); }
}  // namespace detail

}  // namespace tandem::model
