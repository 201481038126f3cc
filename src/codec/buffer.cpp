// Growth of a writer, and the words for messages that do not decode.
#include <tandem/detail/codec_buffer.hpp>
#include <tandem/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>

namespace tandem {

namespace {
constexpr std::size_t first_heap_size = 256;
constexpr std::size_t max_size = std::numeric_limits<std::ptrdiff_t>::max();
}  // namespace

void writer::make_room(std::size_t size) {
  const std::size_t used = this->size();
  if (size > max_size - used) throw std::bad_alloc();
  // Twofold growth keeps the copying linear. A large item asks for just its size: it is mostly the last one.
  const std::size_t needed = std::max({used + size, std::min(2 * used, max_size), first_heap_size});
  std::span<std::byte> larger;
  if (overflow_ != nullptr) {
    larger = overflow_->grow(bytes(), needed);
    if (larger.size() < used + size) throw std::bad_alloc();
  } else if (overflowed_) {
    auto* const moved = static_cast<std::byte*>(std::realloc(begin_, needed));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(heap_.data_.release());
    heap_.data_.reset(moved);
    larger = {moved, needed};
  } else {
    auto* const fresh = static_cast<std::byte*>(std::malloc(needed));
    if (fresh == nullptr) throw std::bad_alloc();
    if (used != 0) std::memcpy(fresh, begin_, used);
    heap_.data_.reset(fresh);
    larger = {fresh, needed};
  }
  begin_ = larger.data();
  position_ = begin_ + used;
  end_ = begin_ + larger.size();
  overflowed_ = true;
}

byte_buffer writer::take() {
  byte_buffer taken;
  taken.size_ = size();
  if (overflow_ == nullptr && overflowed_) {
    taken.data_ = std::move(heap_.data_);
  } else if (taken.size_ != 0) {
    taken.data_.reset(static_cast<std::byte*>(std::malloc(taken.size_)));
    if (taken.data_ == nullptr) throw std::bad_alloc();
    std::memcpy(taken.data(), begin_, taken.size_);
  }
  begin_ = position_ = end_ = nullptr;
  overflow_ = nullptr;
  overflowed_ = false;
  return taken;
}

namespace detail {

namespace {
constexpr const char* hint =
    " The bytes were damaged, or the two processes do not run the same build: if the program or a "
    "library was rebuilt while it was running, start it again; otherwise check the codecs of the types "
    "involved.";
}

void throw_short_read(std::size_t wanted, std::size_t remaining) {
  throw decode_error("A message from another process is cut short: " + std::to_string(wanted) +
                     " bytes should follow, but only " + std::to_string(remaining) + " are left." + hint);
}

void throw_bad_count(std::uint64_t count, std::size_t min_item_size, std::size_t remaining) {
  std::string text = "A message from another process claims to hold " + std::to_string(count) + " items";
  if (min_item_size > 1) text += " of at least " + std::to_string(min_item_size) + " bytes";
  throw decode_error(text + ", but only " + std::to_string(remaining) + " bytes are left." + hint);
}

void throw_bad_byte(const char* what, std::uint64_t found) {
  throw decode_error(std::string("A message from another process has ") + std::to_string(found) + " for " +
                     what + "." + hint);
}

void throw_left_over(std::size_t remaining) {
  throw decode_error("A message from another process has " + std::to_string(remaining) + " bytes too many." +
                     hint);
}

void throw_nested_too_deep(bool encoding) {
  const std::string limit = std::to_string(max_nesting);
  if (encoding) {
    throw not_portable_error(
        "A value is nested more than " + limit +
        " levels deep, which would overflow the stack of the process that decodes it: send "
        "lists and trees as a std::vector of nodes that refer to each other by index.");
  }
  throw decode_error("A message from another process is nested more than " + limit + " levels deep." + hint);
}

void throw_too_many_empty_items() {
  throw decode_error(std::string("A message from another process claims too many items that take no bytes.") +
                     hint);
}

}  // namespace detail
}  // namespace tandem
