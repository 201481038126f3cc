// Shared buffers on their way to a worker and back.
#include "process_pool/buffer_link.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace tandem::process {

namespace {

using detail::as_sealed;
using detail::shared_memory_ptr;

std::uint64_t id_of(const shared_memory_ptr& memory) noexcept { return as_sealed(memory)->id(); }

[[noreturn]] void throw_other_size() {
  throw decode_error(
      "tandem: a shared_buffer has not the size that its message says: the peer is out of order");
}

}  // namespace

std::uint64_t buffer_list::add(const shared_memory_ptr& buffer) {
  if (std::find(all_.begin(), all_.end(), buffer) == all_.end()) {
    as_sealed(buffer)->check_that_it_can_be_sent();
    if (all_.size() == most) {
      throw std::invalid_argument(
          "tandem: a task has more than " + std::to_string(most) +
          " different shared_buffers: put several into one, or pass a smaller chunk_size");
    }
    all_.push_back(buffer);
  }
  return id_of(buffer);
}

// --- handles that are gone ---

void gone_buffers::memory_is_gone(std::uint64_t id) noexcept {
  const std::lock_guard held(mutex_);
  if (bell_ == nullptr) return;
  try {
    ids_.push_back(id);
  } catch (const std::bad_alloc&) {
    all_ = true;
  }
  bell_->raise();
}

void gone_buffers::close() noexcept {
  const std::lock_guard held(mutex_);
  bell_ = nullptr;
}

std::vector<std::uint64_t> gone_buffers::take(bool& all) noexcept {
  const std::lock_guard held(mutex_);
  all = std::exchange(all_, false);
  return std::exchange(ids_, {});
}

// --- the pool's side ---

buffer_sender::entry* buffer_sender::find(std::uint64_t id) noexcept {
  const auto it = std::find_if(places_.begin(), places_.end(), [id](const entry& e) { return e.id == id; });
  return it == places_.end() ? nullptr : &*it;
}

// ORDER buffers-gone: pairs with buffer_keeper::clear_out(). The word that is counted comes last, so whoever sees it
// changed sees what has changed; and the worker that parks looks at it once more (worker-park).
void buffer_sender::take_away(entry& from, header& shared) noexcept {
  from = {};
  shared.buffers[static_cast<std::size_t>(&from - places_.data())].store(0, std::memory_order_relaxed);
  shared.buffers_gone.fetch_add(1, std::memory_order_seq_cst);
}

void buffer_sender::prepare(const shared_buffers& buffers, header& shared, memfd_mail& mail) noexcept {
  ++requests_;
  for (const shared_memory_ptr& buffer : buffers) {
    const std::uint64_t id = id_of(buffer);
    entry* place = find(id);
    if (place == nullptr) {
      // The one that has not been used for longest; without any the worker gets the buffer for this task only.
      for (entry& e : places_) {
        if (e.under_way == 0 && e.used != requests_ && (place == nullptr || e.used < place->used)) place = &e;
      }
      if (place != nullptr) {
        if (place->id != 0) take_away(*place, shared);
        place->id = id;
        shared.buffers[static_cast<std::size_t>(place - places_.data())].store(id, std::memory_order_seq_cst);
      }
    }
    if (place != nullptr) place->used = requests_;
    if (place == nullptr || !place->kept) mail.add(memfd_kind::buffer, id, as_sealed(buffer)->fd());
  }
}

void buffer_sender::sent(const shared_buffers& buffers) noexcept {
  for (const shared_memory_ptr& buffer : buffers) {
    if (entry* const place = find(id_of(buffer))) ++place->under_way;
  }
}

void buffer_sender::answered(const shared_buffers& buffers, std::size_t kept) noexcept {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    entry* const place = find(id_of(buffers[i]));
    if (place == nullptr || place->under_way == 0) continue;
    --place->under_way;
    if (i < kept) place->kept = true;
  }
}

bool buffer_sender::forget(std::uint64_t id, header& shared) noexcept {
  bool any = false;
  for (entry& e : places_) {
    if (e.id == 0 || e.under_way != 0 || (id != 0 && e.id != id)) continue;
    take_away(e, shared);
    any = true;
  }
  return any;
}

shared_memory_ptr answered_buffers::find(std::uint64_t name, std::size_t size) {
  if ((name & receivers_own) != 0) {
    for (const shared_memory_ptr& buffer : request_) {
      if ((id_of(buffer) | receivers_own) != name) continue;
      if (buffer->size() != size) throw_other_size();
      return buffer;
    }
    throw decode_error(
        "tandem: a worker returns a shared_buffer that its task did not have: it is out of order");
  }
  shared_memory_ptr& found = found_[name];
  if (found == nullptr) found = detail::sealed_memory::receive(inbox_.take(memfd_kind::buffer, name), size);
  if (found->size() != size) throw_other_size();
  return found;
}

// --- the worker's side ---

void buffer_keeper::begin(payload& request) noexcept {
  if (has_gone()) clear_out();  // a place that was taken away would be believed kept
  request_ = &request;
}

void buffer_keeper::end() noexcept {
  request_ = nullptr;
  of_task_.clear();
  answer_.clear();
}

void buffer_keeper::clear_out() noexcept {
  // ORDER buffers-gone: pairs with buffer_sender::take_away().
  gone_ = shared_.buffers_gone.load(std::memory_order_seq_cst);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].id != shared_.buffers[i].load(std::memory_order_relaxed)) places_[i] = {};
  }
}

shared_memory_ptr buffer_keeper::find(std::uint64_t name, std::size_t size) {
  shared_memory_ptr& found = of_task_[name];
  if (found == nullptr) {
    found = obtain(name, size);
    ++request_->buffers_kept;
  }
  if (found->size() != size) throw_other_size();
  return found;
}

shared_memory_ptr buffer_keeper::obtain(std::uint64_t id, std::size_t size) {
  for (const entry& e : places_) {
    if (e.id == id) return e.memory;
  }
  shared_memory_ptr memory = detail::sealed_memory::receive(inbox_.take(memfd_kind::buffer, id), size);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (shared_.buffers[i].load(std::memory_order_seq_cst) == id) places_[i] = {id, memory};
  }
  return memory;
}

std::uint64_t buffer_keeper::attach(const shared_memory_ptr& memory) {
  for (const auto& [id, buffer] : of_task_) {
    if (buffer == memory) return id | receivers_own;
  }
  return answer_.add(memory);
}

void buffer_keeper::add_to(memfd_mail& mail) const noexcept {
  for (const shared_memory_ptr& buffer : answer_.all())
    mail.add(memfd_kind::buffer, id_of(buffer), as_sealed(buffer)->fd());
}

}  // namespace tandem::process
