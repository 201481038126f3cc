// The worker's loop, as README.md tells it.
#include "process_pool/worker.hpp"

#include "posix/spin.hpp"

#include "posix/clock.hpp"
#include "posix/crash.hpp"
#include "posix/futex.hpp"
#include "posix/process.hpp"

#include "process_pool/buffer_link.hpp"
#include "process_pool/memfd_mail.hpp"
#include "process_pool/payload.hpp"
#include "process_pool/slab_link.hpp"
#include "process_pool/stop_watch.hpp"

#include <tandem/codec.hpp>
#include <tandem/detail/codec_exception.hpp>
#include <tandem/detail/context.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::process {

namespace {

int depth = 0;

class worker final : public detail::worker_context {
 public:
  worker(worker_setup setup, const hello& config, const detail::peer_modules& modules)
      : setup_(std::move(setup)), config_(config), modules_(modules), head_(setup_.ring.head()) {}

  int run() {
    detail::set_current_worker(this);
    head_.pid.store(posix::current_pid(), std::memory_order_relaxed);
    set_life(life::initializing);
    if (!initialize()) return 0;
    set_life(life::serving);
    ring_bell();  // task timeouts count from here
    while (await(setup_.ring.at(next_))) serve(setup_.ring.at(next_));
    set_life(life::finalizing);
    if (config_.rules.cpu_nanoseconds != 0) posix::limit_cpu_time({});  // of tasks
    finalize();
    set_life(life::leaving);
    return 0;
  }

  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  // Answers that the parent has yet to read outlive us.
  ~worker() {
    for (auto& [sequence, used] : answers_) used.leave_to_peers();
  }

  // --- worker_context: no task here belongs to a pool of this process's futures ---
  [[nodiscard]] bool try_run(detail::core&) noexcept override { return false; }
  [[nodiscard]] bool can_be_stood_in_for() const noexcept override { return false; }
  void begin_blocking() noexcept override {}
  void end_blocking() noexcept override {}
  [[nodiscard]] int index() const noexcept override { return setup_.index; }

 private:
  void set_life(life to) noexcept {
    head_.life.store(static_cast<std::uint32_t>(to), std::memory_order_seq_cst);
  }

  bool initialize() noexcept {
    try {
      meet(config_.rules, head_);
      // Otherwise the server has called them, and we are a copy of it.
      if (config_.spawn) {
        for (const hook& preload : config_.preloads) call(preload, modules_);
      }
      call(config_.initializer, modules_);
      return true;
    } catch (...) {
      report_failure(std::current_exception());
      set_life(life::init_failed);
      return false;
    }
  }

  // What the initializer threw; a long message is cut, for that is not worth a second channel.
  void report_failure(const std::exception_ptr& error) noexcept {
    if (encode_failure(error)) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      const std::string_view what = e.what();
      static_cast<void>(encode_failure(std::make_exception_ptr(
          std::runtime_error(std::string(what.substr(0, sizeof(head_.failure) / 4)) + " ..."))));
    } catch (...) {
      // The parent tells only that it threw.
    }
  }

  // False if it does not fit.
  bool encode_failure(const std::exception_ptr& error) noexcept {
    writer out{std::span<std::byte>(head_.failure)};
    encode_exception(out, error, "initializer");
    head_.failure_size = out.overflowed() ? 0 : static_cast<std::uint32_t>(out.size());
    return !out.overflowed();
  }

  void finalize() noexcept {
    try {
      call(config_.finalizer, modules_);
    } catch (...) {
      detail::report_unhandled("a worker's finalizer", std::current_exception());
    }
  }

  // The slot is ours. Not so while it is done: then the whole ring is answered and waits to be collected.
  [[nodiscard]] bool is_ours(const slot& s) const noexcept {
    const slot_state state = state_of(s);
    return (state == slot_state::ready && !outgrown_) || state == slot_state::recalled;
  }

  // Only a task that has overwritten the ring makes it anything else: nobody would ever call us for that slot.
  [[nodiscard]] static bool may_become_ours(const slot& s) noexcept {
    const slot_state state = state_of(s);
    return state != slot_state::taken && state <= slot_state::recalled;
  }

  [[noreturn]] static void give_up(const char* what) noexcept {
    std::fprintf(stderr, "tandem: a worker process ends: a task has %s\n", what);
    std::abort();
  }

  // Waits until the slot is ours; false if it never will be.
  bool await(slot& s) noexcept {
    if (!buffers_.has_gone() && is_ours(s)) return true;
    last_end_.reset();
    if (buffers_.has_gone()) buffers_.clear_out();
    if (looking_.spend([&] { return is_ours(s); })) return true;
    for (;;) {
      // ORDER worker-park: pairs with parent publish. We store "parked" and then look at the slot; it stores the slot
      // and then looks at "parked". All four are seq_cst: one of us sees the other. So it is with buffers that are gone.
      head_.worker_parked.store(1, std::memory_order_seq_cst);
      if (buffers_.has_gone()) buffers_.clear_out();
      const bool work = is_ours(s);
      if (!work && !may_become_ours(s)) give_up("overwritten its memory");
      if (work || head_.closing.load(std::memory_order_seq_cst) != 0) {
        head_.worker_parked.store(0, std::memory_order_relaxed);
        return work || is_ours(s);  // closing is set after the last slot is filled
      }
      posix::futex_wait(head_.worker_parked, 1, posix::scope::process_shared);
    }
  }

  void ring_bell() noexcept {
    const bool woke = head_.bell.ring([this] {
      if (!setup_.bell.raise()) give_up("closed its descriptors");
    });
    if (woke) last_end_.reset();
  }

  void serve(slot& s) noexcept {
    if (move_state(s, slot_state::ready, slot_state::taken)) {
      const auto begin = last_end_ ? *last_end_ : std::chrono::steady_clock::now();
      run_task(s);
      last_end_ = std::chrono::steady_clock::now();
      s.run_nanoseconds = static_cast<std::uint64_t>(std::chrono::nanoseconds(*last_end_ - begin).count());
      look_at_memory();
      // Nobody else writes it.
      head_.tasks_done.store(head_.tasks_done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {  // recalled
      s.answer = static_cast<std::uint32_t>(answer::skipped);
      if (s.request.mail != 0) drop_mail();
    }
    ++next_;
    s.state.store(static_cast<std::uint32_t>(slot_state::done), std::memory_order_seq_cst);
    ring_bell();
  }

  void drop_mail() noexcept {
    last_end_.reset();
    try {
      inbox_.receive(setup_.socket.get());
    } catch (...) {
      // Nothing was to be done with it.
    }
    inbox_.clear();
  }

  // Another one shall run the next task, if this one has left too much behind. The pool takes back what it has put here, as
  // soon as it has seen that.
  void look_at_memory() noexcept {
    if (config_.rules.most_resident == 0) return;
    last_end_.reset();
    try {
      outgrown_ = posix::private_resident_memory() > config_.rules.most_resident;
    } catch (const std::bad_alloc&) {
      outgrown_ = true;
    }
    if (outgrown_) head_.outgrown.store(1, std::memory_order_relaxed);  // published with the answer
  }

  // Counted from here on, for this task.
  void limit_cpu_time() const {
    if (config_.rules.cpu_nanoseconds == 0) return;
    posix::limit_cpu_time(posix::process_cpu_time() +
                          std::chrono::nanoseconds(config_.rules.cpu_nanoseconds));
  }

  void run_task(slot& s) noexcept {
    stop_watch watch(s.stop);
    const detail::task_context context{&s.stop, 1, nullptr, static_cast<int>(s.attempt), nullptr, &watch};
    const detail::task_context* outer = detail::exchange_current_task(&context);
    buffers_.begin(s.request);
    try {
      answer_with(s, answer::value, [&](writer& out) {
        s.phase = detail::remote_phase::decode_arguments;
        if (s.request.mail != 0)
          inbox_.receive(setup_.socket.get());  // first: else the next slot would get it
        limit_cpu_time();
        const detail::remote_thunk_fn thunk = detail::resolve_thunk({s.module, s.offset}, &modules_);
        slab_receiver::memory large;
        reader in(request_of(s, large), &modules_);
        in.set_memories(&buffers_);
        thunk(in, out, s.phase);
      });
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      // Nothing may be thrown now: what is left is to die, and the parent will say so.
      answer_with(s, answer::exception, [&](writer& out) { encode_exception(out, error, trace_of(s)); });
    }
    buffers_.end();
    inbox_.clear();
    detail::exchange_current_task(outer);
  }

  template <class Encode>
  void answer_with(slot& s, answer what, Encode encode) {
    reclaim_answers();
    buffers_.begin_answer();
    overflow more(slabs_, setup_.ring.response_region(next_));
    writer out(std::span<std::byte>(s.response_bytes), more);
    out.set_carrier(&buffers_);
    out.set_trace(where_);  // for exceptions that are part of a value: the items of a chunk
    encode(out);
    s.answer = static_cast<std::uint32_t>(what);
    s.response.size = out.size();
    s.response.where = static_cast<std::uint32_t>(more.where());
    memfd_mail mail;
    if (more.where() == place::in_memfd) {
      answers_.emplace_back(next_, more.release(out.size()));
      sender_.send(answers_.back().second, s.response, mail);
    }
    buffers_.add_to(mail);
    mail.send(setup_.socket.get(), posix::blocking::yes);
    s.response.mail = mail.empty() ? 0 : 1;
  }

  // Large answers that the parent has read: their slots are no longer done, or have come round again.
  void reclaim_answers() noexcept {
    std::erase_if(answers_, [this](auto& answer) {
      auto& [sequence, used] = answer;
      slot& s = setup_.ring.at(sequence);
      const bool read = sequence + slot_count <= next_ || state_of(s) != slot_state::done;
      if (read) {
        sender_.answered(used, s.response.kept);
        slabs_.give(std::move(used));
      }
      return read;
    });
  }

  std::span<const std::byte> request_of(slot& s, slab_receiver::memory& large) {
    switch (static_cast<place>(s.request.where)) {
      case place::in_slot:
        return std::span<const std::byte>(s.request_bytes).first(s.request.size);
      case place::in_region:
        return setup_.ring.request_region(next_).first(s.request.size);
      case place::in_memfd:
        break;
    }
    large = requests_.take(inbox_, s.request, s.request.kept);
    return large->bytes().first(s.request.size);
  }

  std::string trace_of(const slot& s) const {
    std::string text = where_;
    if (s.task_name[0] != 0) text += ", task \"" + std::string(s.task_name) + "\"";
    text += s.phase == detail::remote_phase::decode_arguments ? ", while decoding its arguments"
            : s.phase == detail::remote_phase::run            ? ", while running it"
                                                              : ", while encoding its result";
    return text;
  }

  worker_setup setup_;
  const hello& config_;
  const detail::peer_modules& modules_;
  header& head_;
  const std::string where_ =
      "worker process " + std::to_string(posix::current_pid()) + " (" + posix::current_name() + ")";
  memfd_inbox inbox_;  // what came with the slot in hand
  slab_receiver requests_;
  buffer_keeper buffers_{head_, inbox_};
  slab_sender sender_;
  slab_cache slabs_{slab_bytes};
  std::vector<std::pair<std::uint64_t, slab>> answers_;  // sent, and perhaps not read yet
  bool outgrown_ = false;   // leaves when it is told to, without having begun another task
  std::uint64_t next_ = 0;  // sequence number of the slot to look at
  // The end of the task before, unless something that takes time was done since: the next one begins there, which saves a
  // look at the clock.
  std::optional<detail::time_point> last_end_;
  posix::spin_budget looking_;
};

}  // namespace

int run_worker(worker_setup setup, const hello& config, const detail::peer_modules& modules) {
  depth = static_cast<int>(config.depth);
  posix::set_name(posix::numbered_name(config.name_prefix, setup.index));
  // Whole lines, also into a pipe: several workers write to the same one.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  posix::record_crashes_in(setup.ring.head().crash);
  const int code = worker(std::move(setup), config, modules).run();
  std::cout.flush();
  std::fflush(nullptr);
  return code;
}

int pool_depth() noexcept { return depth; }

}  // namespace tandem::process
