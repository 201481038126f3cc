// How a value crosses a process boundary. The customization point is codec<T>.
//
// What crosses without any work by the user:
//  - numbers, bool, enums, and structs (aggregates) of portable members, up to 32 of them, arrays included;
//  - std::string and the other strings, all containers, pair, tuple, optional, variant, unique_ptr and shared_ptr
//    (as objects of their own), chrono, complex, bitset, filesystem::path, error_code, exception_ptr;
//  - what cereal can serialize, through a serialize, save/load or *_minimal function, member or free.
// For anything else specialize codec<T>, or set enable_bytewise<T> for plain data. Refused, each with a
// message that says what to do instead: pointers, references, views, std::function, unions, closures with
// captures.
//
// This header is all of that; the parts are in detail/codec_*.hpp.
#ifndef TANDEM_CODEC_HPP
#define TANDEM_CODEC_HPP

#include <tandem/detail/codec_buffer.hpp>
#include <tandem/detail/codec_containers.hpp>
#include <tandem/detail/codec_core.hpp>
#include <tandem/detail/codec_exception.hpp>
#include <tandem/detail/codec_portable.hpp>
#include <tandem/detail/codec_std.hpp>
#include <tandem/detail/codec_wrappers.hpp>

#endif  // TANDEM_CODEC_HPP
