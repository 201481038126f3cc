// Memory that is not copied into a message but travels beside it: what shared_buffer<T> is made of.
//
// Owns the interfaces between a codec that has such memory and whoever carries messages. Must not know how it travels.
#ifndef TANDEM_DETAIL_CODEC_MEMORY_HPP
#define TANDEM_DETAIL_CODEC_MEMORY_HPP

#include <tandem/config.hpp>
#include <tandem/detail/codec_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tandem::detail {

/// Memory that nobody can write any more, in any process. Its only derived class is the library's own.
class shared_memory {
 public:
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 protected:
  shared_memory() noexcept = default;
  ~shared_memory() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

using shared_memory_ptr = std::shared_ptr<const shared_memory>;

/// Makes memory of `size` bytes, not 0; `fill` writes it once: zeros lie there before. Throws std::system_error, and
/// what `fill` throws.
[[nodiscard]] TANDEM_API shared_memory_ptr make_shared_memory(std::size_t size,
                                                              void (*fill)(void* context, std::byte* to),
                                                              void* context);

/// Takes memory along with a message that is being written.
class memory_carrier {
 public:
  /// Returns what the message must say for it. May throw.
  virtual std::uint64_t attach(const shared_memory_ptr& memory) = 0;

 protected:
  ~memory_carrier() = default;
};

/// Where the memory is that came with a message.
class memory_source {
 public:
  /// The memory of which the message says `name`, of `size` bytes; not null. Throws decode_error if there is none.
  virtual shared_memory_ptr find(std::uint64_t name, std::size_t size) = 0;

 protected:
  ~memory_source() = default;
};

/// Writes `memory`, which is not null. Throws not_portable_error if nobody carries the message.
TANDEM_API void encode_memory(writer& out, const shared_memory_ptr& memory);
/// Reads what encode_memory() wrote, of `size` bytes. Throws decode_error.
[[nodiscard]] TANDEM_API shared_memory_ptr decode_memory(reader& in, std::size_t size);

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_CODEC_MEMORY_HPP
