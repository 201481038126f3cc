// How a slab comes to the process at the other end of a worker's socket: its memfd travels once, later its id does. Owns
// what each side remembers of that; README.md has the protocol, in "Large payloads".
#ifndef TANDEM_PROCESS_POOL_SLAB_LINK_HPP
#define TANDEM_PROCESS_POOL_SLAB_LINK_HPP

#include "posix/memfd.hpp"
#include "posix/unique_fd.hpp"

#include "process_pool/ring.hpp"
#include "process_pool/slab.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <system_error>

namespace tandem::process {

/// Slabs that a peer keeps at most. It lets go of one when another is sent to its place.
inline constexpr std::size_t kept_slabs = 8;
/// The place of what is used once.
inline constexpr std::uint32_t no_place = 0xffff'ffff;

/// Tells whether a later try may do better: too many descriptors are open or under way, or there is no memory.
[[nodiscard]] bool is_shortage(const std::system_error& error) noexcept;

/// The sender's memory of what one peer has. Guarded by its owner.
class slab_sender {
 public:
  /// Fills in where `of` lies, and sends the memfd unless the peer has said that it keeps it. Throws std::system_error,
  /// and `of` is as before then; a peer that is gone is no error.
  void send(int socket, const slab& used, payload& of);
  /// The peer has answered: `kept` is what it says it has. A lie costs the liar's own task.
  void answered(const slab& used, std::uint64_t kept) noexcept;

 private:
  struct entry {
    std::uint64_t slab = 0;  // 0: none
    bool kept = false;       // the peer said so
    std::uint64_t used = 0;  // when, counted in sends
  };

  [[nodiscard]] entry& place_for(std::uint64_t slab) noexcept;

  std::array<entry, kept_slabs> places_;
  std::uint64_t sends_ = 0;
};

/// The receiver's side: slabs that have come, and those that are kept. One thread at a time.
class slab_receiver {
 public:
  using memory = std::shared_ptr<const posix::mapping>;

  /// The slab in which `of` lies, all of which is to be had from `socket` by now; at least of.size bytes are mapped.
  /// Sets `kept` to the id if it is kept. Believes nothing. Throws decode_error; std::system_error if this process had
  /// no descriptor free when it came.
  [[nodiscard]] memory take(int socket, const payload& of, std::uint64_t& kept);

 private:
  struct entry {
    std::uint64_t slab = 0;
    memory mapped;
  };

  [[nodiscard]] posix::unique_fd receive(int socket, std::uint64_t slab);

  std::array<entry, kept_slabs> places_;
  std::map<std::uint64_t, posix::unique_fd> waiting_;  // came before it was asked for
};

}  // namespace tandem::process

#endif
