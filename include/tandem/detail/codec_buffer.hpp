// The bytes of a message: writer appends them, reader takes them apart again, and neither knows what they
// mean.
//
// Owns growth, bounds and the nesting limit. Every read is checked against the bytes at hand, every length is
// read exactly once (the other side may still be able to change the memory), nothing is aligned, nothing is
// 32 bit. Must not know about types: that is codec<T>.
#ifndef TANDEM_DETAIL_CODEC_BUFFER_HPP
#define TANDEM_DETAIL_CODEC_BUFFER_HPP

#include <tandem/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tandem {

class reader;
class writer;

namespace detail {

class peer_modules;
class memory_carrier;
class memory_source;

/// Values may contain values of their own type (trees, lists) down to this depth: a corrupt or malicious
/// message must not overflow the stack of whoever decodes it.
inline constexpr std::uint32_t max_nesting = 1000;

[[noreturn]] TANDEM_API void throw_short_read(std::size_t wanted, std::size_t remaining);
[[noreturn]] TANDEM_API void throw_bad_count(std::uint64_t count, std::size_t min_item_size,
                                             std::size_t remaining);
[[noreturn]] TANDEM_API void throw_bad_byte(const char* what, std::uint64_t found);
[[noreturn]] TANDEM_API void throw_left_over(std::size_t remaining);
[[noreturn]] TANDEM_API void throw_nested_too_deep(bool encoding);
[[noreturn]] TANDEM_API void throw_too_many_empty_items();

/// Counts one level of nesting in a reader or writer for as long as it lives.
template <class Buffer>
class nesting {
 public:
  explicit nesting(Buffer& buffer) : buffer_(buffer) {
    if (++buffer_.depth_ > max_nesting) {
      --buffer_.depth_;
      throw_nested_too_deep(std::is_same_v<Buffer, writer>);
    }
  }
  nesting(const nesting&) = delete;
  nesting& operator=(const nesting&) = delete;
  ~nesting() { --buffer_.depth_; }

 private:
  Buffer& buffer_;
};

}  // namespace detail

/// Bytes on the heap, owned. Move-only.
class byte_buffer {
 public:
  byte_buffer() noexcept = default;
  byte_buffer(byte_buffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_.get(), size_}; }

 private:
  friend class writer;
  struct release {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };

  std::unique_ptr<std::byte, release> data_;
  std::size_t size_ = 0;
};

/// Where a writer continues when the buffer that it was given is full. Without one it continues on the heap.
class writer_overflow {
 public:
  /// Returns a buffer of at least `needed` bytes that begins with a copy of `written`. Is called again
  /// whenever that one is full too; `written` then lies in the buffer returned before, which may be reused or
  /// released. Owns what it returns. May throw; the writer is then as before.
  virtual std::span<std::byte> grow(std::span<const std::byte> written, std::size_t needed) = 0;

 protected:
  ~writer_overflow() = default;
};

/// Appends bytes to a buffer that grows.
///
/// Can begin in a buffer that the caller provides (a slot in shared memory): nothing is allocated or copied
/// for messages that fit. What does not fit moves to the heap, or to the caller's writer_overflow. Not
/// thread-safe. Never blocks.
class writer {
 public:
  /// Writes to the heap.
  writer() noexcept = default;

  /// Writes into `first`, which must outlive the writer, and from there to the heap.
  explicit writer(std::span<std::byte> first) noexcept
      : begin_(first.data()), position_(first.data()), end_(first.data() + first.size()) {}

  /// Writes into `first`, and from there to wherever `overflow` says; both must outlive the writer.
  writer(std::span<std::byte> first, writer_overflow& overflow) noexcept : writer(first) {
    overflow_ = &overflow;
  }

  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// Appends `size` bytes. `data` may be null if `size` is 0. Throws std::bad_alloc, or what the overflow
  /// throws.
  void write(const void* data, std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - position_)) make_room(size);
    if (size != 0) std::memcpy(position_, data, size);
    position_ += size;
  }

  /// Appends the bytes of a scalar.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void write_value(const T& value) {
    if (sizeof(T) > static_cast<std::size_t>(end_ - position_)) make_room(sizeof(T));
    std::memcpy(position_, std::addressof(value), sizeof(T));
    position_ += sizeof(T);
  }

  /// Appends a length or count: always 8 bytes.
  void write_size(std::size_t size) { write_value(static_cast<std::uint64_t>(size)); }

  /// Makes sure that the next `size` bytes need no further growth.
  void reserve(std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - position_)) make_room(size);
  }

  /// Bytes written so far.
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(position_ - begin_); }

  /// What was written so far; valid until the next write.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {begin_, size()}; }

  /// True once the bytes no longer lie in the buffer that the constructor got.
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

  /// Forgets everything after the first `size` bytes: takes back a value whose encoding failed half-way.
  void truncate(std::size_t size) noexcept {
    if (size < this->size()) position_ = begin_ + size;
  }

  /// Overwrites bytes that are already written: a length that is known only afterwards.
  void overwrite(std::size_t at, const void* data, std::size_t size) noexcept {
    if (at <= this->size() && size <= this->size() - at) std::memcpy(begin_ + at, data, size);
  }

  /// Hands out what was written, on the heap, and leaves the writer empty. Copies if it is not there already.
  [[nodiscard]] TANDEM_API byte_buffer take();

  /// Says where this message comes from ("worker 4711, task \"page 7\", host a"): exceptions written into it
  /// carry the text along. The characters must outlive the writer.
  void set_trace(std::string_view trace) noexcept { trace_ = trace; }
  [[nodiscard]] std::string_view trace() const noexcept { return trace_; }

  /// Says who takes memory along that is not copied into the message (shared_buffer); null: nobody.
  void set_carrier(detail::memory_carrier* carrier) noexcept { carrier_ = carrier; }
  [[nodiscard]] detail::memory_carrier* carrier() const noexcept { return carrier_; }

 private:
  friend class detail::nesting<writer>;

  TANDEM_API void make_room(std::size_t size);

  std::byte* begin_ = nullptr;
  std::byte* position_ = nullptr;
  std::byte* end_ = nullptr;
  writer_overflow* overflow_ = nullptr;
  byte_buffer heap_;  // only its data_ is used until take()
  std::string_view trace_;
  detail::memory_carrier* carrier_ = nullptr;
  std::uint32_t depth_ = 0;
  bool overflowed_ = false;
};

namespace detail {
/// Every pattern of sizeof(T) bytes is a T.
template <class T>
concept readable_as_bytes =
    std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// Takes bytes apart that a writer put together. Trusts none of them.
///
/// Every function throws decode_error when the message is too short. Reads each byte at most once, so that
/// memory which another process can still change cannot be checked with one value and used with another. Does
/// not own the bytes. Not thread-safe. Never blocks.
class reader {
 public:
  explicit reader(std::span<const std::byte> bytes) noexcept
      : position_(bytes.data()), end_(bytes.data() + bytes.size()), reservable_(4 * bytes.size()) {}

  /// As above; `peer` tells what the other process calls its functions (null: this very process wrote the
  /// bytes).
  reader(std::span<const std::byte> bytes, const detail::peer_modules* peer) noexcept : reader(bytes) {
    peer_ = peer;
  }

  /// Bytes not read yet.
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - position_); }

  /// Copies the next `size` bytes to `to`.
  void read(void* to, std::size_t size) {
    if (size > remaining()) detail::throw_short_read(size, remaining());
    if (size != 0) std::memcpy(to, position_, size);
    position_ += size;
  }

  /// Reads the bytes of a scalar. Every bit pattern must be a valid T: not for bool.
  template <class T>
    requires detail::readable_as_bytes<T>
  [[nodiscard]] T read_value() {
    T value;
    if (sizeof(T) > remaining()) detail::throw_short_read(sizeof(T), remaining());
    std::memcpy(std::addressof(value), position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  /// Returns the next `size` bytes in place and skips them. Copy them once; do not look twice.
  [[nodiscard]] std::span<const std::byte> take(std::size_t size) {
    if (size > remaining()) detail::throw_short_read(size, remaining());
    const std::byte* const begin = position_;
    position_ += size;
    return {begin, size};
  }

  /// A reader of the next `size` bytes, which are skipped here: a message within the message. It nests as deep
  /// already as this one does.
  [[nodiscard]] reader take_part(std::size_t size) {
    reader part(take(size), peer_);
    part.depth_ = depth_;
    return part;
  }

  /// Reads a count of items that take at least `min_item_size` bytes each, and refuses one that the remaining
  /// bytes cannot hold. Of items that may take no bytes at all, a million more than the remaining bytes are
  /// believed.
  [[nodiscard]] std::size_t read_count(std::size_t min_item_size) {
    const auto count = read_value<std::uint64_t>();
    const bool fits =
        min_item_size == 0 ? count <= remaining() + empty_items : count <= remaining() / min_item_size;
    if (!fits) detail::throw_bad_count(count, min_item_size, remaining());
    return static_cast<std::size_t>(count);
  }

  /// How many of `count` items of `item_size` bytes in memory to allocate ahead, because what the count says is
  /// not proved before the items were read: no more memory than the remaining bytes take, and for all containers
  /// of the message together, which may lie in each other, four times the message's size.
  [[nodiscard]] std::size_t reservation(std::size_t count, std::size_t item_size) noexcept {
    const std::size_t justified = std::min(remaining(), reservable_) / item_size + 1;
    const std::size_t items = std::min(count, justified);
    reservable_ -= std::min(reservable_, items * item_size);
    return items;
  }

  /// To be called before each item that may take no bytes, and takes `item_size` in memory. Of those that do take
  /// none a megabyte is believed, in all containers of the message together.
  void begin_item(std::size_t item_size) {
    if (position_ == last_item_) {
      if (item_size > empty_left_) detail::throw_too_many_empty_items();
      empty_left_ -= item_size;
    }
    last_item_ = position_;
  }

  /// Throws decode_error if bytes are left over: the two sides do not mean the same type.
  void expect_end() const {
    if (remaining() != 0) detail::throw_left_over(remaining());
  }

  [[nodiscard]] const detail::peer_modules* peer() const noexcept { return peer_; }

  /// Says where the memory is that came beside the message; null: none did.
  void set_memories(detail::memory_source* memories) noexcept { memories_ = memories; }
  [[nodiscard]] detail::memory_source* memories() const noexcept { return memories_; }

 private:
  friend class detail::nesting<reader>;
  static constexpr std::size_t empty_items = std::size_t{1} << 20;

  const std::byte* position_;
  const std::byte* end_;
  const detail::peer_modules* peer_ = nullptr;
  const std::byte* last_item_ = nullptr;  // where the item began that begin_item() was last called for
  std::size_t reservable_ = 0;            // bytes that reservation() may still grant
  std::size_t empty_left_ = empty_items;  // bytes in memory of items that take none in the message
  detail::memory_source* memories_ = nullptr;
  std::uint32_t depth_ = 0;
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_BUFFER_HPP
