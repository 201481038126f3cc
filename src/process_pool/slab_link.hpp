// Which slabs the process at the other end of a worker's socket has: the memfd travels once, later its id does. Owns
// what each side remembers of that; README.md has the protocol, in "Large payloads".
#ifndef TANDEM_PROCESS_POOL_SLAB_LINK_HPP
#define TANDEM_PROCESS_POOL_SLAB_LINK_HPP

#include "posix/memfd.hpp"

#include "process_pool/memfd_mail.hpp"
#include "process_pool/ring.hpp"
#include "process_pool/slab.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tandem::process {

/// Slabs that a peer keeps at most. It lets go of one when another is sent to its place.
inline constexpr std::size_t kept_slabs = 8;
/// The place of what is used once.
inline constexpr std::uint32_t no_place = 0xffff'ffff;

/// The sender's memory of what one peer has. Guarded by its owner.
class slab_sender {
 public:
  /// Fills in where `of` lies, and adds the memfd to `mail` unless the peer has said that it keeps it.
  void send(const slab& used, payload& of, memfd_mail& mail) noexcept;
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

/// The receiver's side: slabs that are kept. One thread at a time.
class slab_receiver {
 public:
  using memory = std::shared_ptr<const posix::mapping>;

  /// The slab in which `of` lies, if need be from `inbox`; at least of.size bytes are mapped. Sets `kept` to the id if
  /// it is kept. Believes nothing. Throws decode_error; std::system_error as memfd_inbox::take().
  [[nodiscard]] memory take(memfd_inbox& inbox, const payload& of, std::uint64_t& kept);

 private:
  struct entry {
    std::uint64_t slab = 0;
    memory mapped;
  };

  std::array<entry, kept_slabs> places_;
};

}  // namespace tandem::process

#endif
