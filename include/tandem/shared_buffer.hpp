// shared_buffer<T>: values that are written once and then read by any number of tasks, in any process, without a copy.
#ifndef TANDEM_SHARED_BUFFER_HPP
#define TANDEM_SHARED_BUFFER_HPP

#include <tandem/codec.hpp>
#include <tandem/detail/codec_memory.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <new>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem {

/// A handle to an array of T that cannot change any more. Copies of the handle mean the same array: pass it to tasks by
/// value, as many as you like. On a process_pool the array goes to each worker once, as memory that both map; a task that
/// makes one may return it. On backends of this process it is a plain handle.
///
///     tandem::shared_buffer<double> table(numbers);
///     std::vector<double> sums = pool.map(sum_of_row, std::vector(rows, table), each_row);
///
/// The memory has no name in any file system. It is freed when the last handle is gone, of tasks that wait too; a
/// process that dies lets go of its own, and a worker that runs a task at that moment does so behind the task. Each
/// array has a descriptor in every process that has a handle.
///
/// T must be plain data, whose bytes can be sent: numbers, enums, arrays and structs of those, not bool; no pointers.
///
/// Thread safety: as std::shared_ptr - different handles may be used by different threads, and all may read the array.
template <class T>
class shared_buffer {
  static_assert(std::is_same_v<T, std::remove_cv_t<T>>, "tandem::shared_buffer<T>: T is const anyway");
  static_assert(detail::bytewise<T>,
                "tandem::shared_buffer<T> needs plain data, whose bytes mean the same in another process: "
                "numbers, enums, "
                "arrays and structs of those; no pointers, no bool (use unsigned char), no std::string");

 public:
  using value_type = T;             ///< What is in it.
  using iterator = const T*;        ///< Of the array.
  using const_iterator = iterator;  ///< The same: nothing can be changed.

  /// An empty one, without memory.
  shared_buffer() noexcept = default;

  /// Copies `values` into new shared memory, in one piece if they lie so. Does not block.
  /// @throws std::system_error if the kernel has no memory or no descriptor for it; std::bad_array_new_length;
  /// what reading the range throws
  template <std::ranges::input_range Values>
    requires(!std::same_as<std::remove_cvref_t<Values>, shared_buffer> &&
             std::convertible_to<std::ranges::range_reference_t<Values>, T>)
  // It requires another type. NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
  explicit shared_buffer(Values&& values) {
    if constexpr (std::ranges::sized_range<Values>) {
      make(static_cast<std::size_t>(std::ranges::size(values)), [&values](std::span<T> to) {
        if constexpr (std::ranges::contiguous_range<Values> &&
                      std::same_as<std::ranges::range_value_t<Values>, T>) {
          std::memcpy(static_cast<void*>(to.data()), std::ranges::data(values), to.size_bytes());
        } else {
          auto next = std::ranges::begin(values);
          for (T& place : to) place = static_cast<T>(*next++);
        }
      });
    } else {
      std::vector<T> all;
      for (auto&& value : values) all.push_back(static_cast<T>(std::forward<decltype(value)>(value)));
      *this = shared_buffer(all);
    }
  }

  /// Makes new shared memory for `size` values and has `fill(std::span<T>)` write them, here and now; what it leaves
  /// out is zero. Large arrays are so made in place, without a copy.
  /// @throws as above, and what `fill` throws: then nothing is left
  template <std::invocable<std::span<T>> Fill>
  shared_buffer(std::size_t size, Fill&& fill) {
    make(size, fill);
  }

  /// The array: valid as long as any handle to it in this process.
  [[nodiscard]] std::span<const T> span() const noexcept { return {data(), size_}; }
  /// Its first value; null if it is empty.
  [[nodiscard]] const T* data() const noexcept {
    return memory_ == nullptr ? nullptr : reinterpret_cast<const T*>(memory_->data());
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }       ///< Counts values.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }        ///< No values.
  [[nodiscard]] iterator begin() const noexcept { return data(); }        ///< The first value.
  [[nodiscard]] iterator end() const noexcept { return data() + size_; }  ///< Behind the last one.
  /// The value at `position`, which must be below size().
  [[nodiscard]] const T& operator[](std::size_t position) const noexcept { return data()[position]; }

  /// Both are handles to the same array; the values are not compared.
  [[nodiscard]] friend bool operator==(const shared_buffer& a, const shared_buffer& b) noexcept {
    return a.memory_ == b.memory_;
  }

 private:
  friend struct codec<shared_buffer>;

  template <class Fill>
  void make(std::size_t size, Fill&& fill) {
    if (size == 0) return;
    if (size > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    struct context_type {
      std::remove_reference_t<Fill>& fill;
      std::size_t size;
    } context{fill, size};
    memory_ = detail::make_shared_memory(
        size * sizeof(T),
        [](void* what, std::byte* to) {
          const auto& [how, count] = *static_cast<context_type*>(what);
          how(std::span<T>(reinterpret_cast<T*>(to), count));
        },
        &context);
    size_ = size;
  }

  detail::shared_memory_ptr memory_;  // null if there are no values
  std::size_t size_ = 0;
};

/// Of what the range holds.
template <std::ranges::input_range Values>
shared_buffer(Values&&) -> shared_buffer<std::ranges::range_value_t<Values>>;

/// How the handle crosses: the count is written, the memory travels beside the message.
template <class T>
struct codec<shared_buffer<T>> {
  /// Bytes that it takes at least.
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  /// Writes the handle. @throws not_portable_error where no memory can travel: outside of arguments and results of tasks
  static void encode(writer& out, const shared_buffer<T>& value) {
    out.write_size(value.size_);
    if (value.size_ != 0) detail::encode_memory(out, value.memory_);
  }

  /// Reads what encode() wrote. @throws decode_error if there is no such memory, or it has another size;
  /// std::system_error if this process had no descriptor free when it came
  static shared_buffer<T> decode(reader& in) {
    shared_buffer<T> value;
    const auto size = in.read_value<std::uint64_t>();
    if (size == 0) return value;
    if (size > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T))
      detail::throw_bad_count(size, sizeof(T), 0);
    value.memory_ = detail::decode_memory(in, static_cast<std::size_t>(size) * sizeof(T));
    value.size_ = static_cast<std::size_t>(size);
    return value;
  }
};

}  // namespace tandem

#endif  // TANDEM_SHARED_BUFFER_HPP
