// The two things about aggregates that C++20 can only say by writing the members out: how many empty lists
// initialize one, and binding them.
//
// Owns nothing else; codec_fields.hpp gives it meaning. Must not be used for a type whose number of members
// is not known for sure: a structured binding that does not fit is a hard error.
#ifndef TANDEM_DETAIL_CODEC_BIND_HPP
#define TANDEM_DETAIL_CODEC_BIND_HPP

#include <cstddef>

namespace tandem::detail {

/// A list of types.
template <class... Types>
struct types {};

/// Members that can be looked into. A larger aggregate needs a codec, a serialize function or
/// enable_bytewise.
inline constexpr std::size_t max_fields = 32;

// Tables:
// clang-format off

/// T can be initialized from N empty lists followed by the Values. Unlike a value, an empty list never
/// spreads over the elements of an array: this counts members.
template <std::size_t N, class T, class... Values>
constexpr bool takes_braces() {
  if constexpr (N == 0) return requires { T{Values{}...}; };
  if constexpr (N == 1) return requires { T{{}, Values{}...}; };
  if constexpr (N == 2) return requires { T{{}, {}, Values{}...}; };
  if constexpr (N == 3) return requires { T{{}, {}, {}, Values{}...}; };
  if constexpr (N == 4) return requires { T{{}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 5) return requires { T{{}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 6) return requires { T{{}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 7) return requires { T{{}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 8) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 9) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 10) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 11) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 12) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...};
    };
  if constexpr (N == 13) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    Values{}...}; };
  if constexpr (N == 14) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    Values{}...}; };
  if constexpr (N == 15) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    Values{}...}; };
  if constexpr (N == 16) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    Values{}...}; };
  if constexpr (N == 17) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, Values{}...}; };
  if constexpr (N == 18) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, Values{}...}; };
  if constexpr (N == 19) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, Values{}...}; };
  if constexpr (N == 20) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 21) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 22) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 23) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 24) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 25) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 26) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 27) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 28) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 29) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 30) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 31) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  if constexpr (N == 32) return requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, Values{}...}; };
  return false;
}

/// Calls `function(types<Members...>{}, members...)`. T has exactly N members, no bases and no anonymous
/// unions.
template <std::size_t N, class T, class Function>
constexpr decltype(auto) bind_fields(T& value, Function&& function) {
  if constexpr (N == 0) {
    return function(types<>{});
  } else if constexpr (N == 1) {
    auto& [a] = value;
    return function(types<decltype(a)>{}, a);
  } else if constexpr (N == 2) {
    auto& [a, b] = value;
    return function(types<decltype(a), decltype(b)>{}, a, b);
  } else if constexpr (N == 3) {
    auto& [a, b, c] = value;
    return function(types<decltype(a), decltype(b), decltype(c)>{}, a, b, c);
  } else if constexpr (N == 4) {
    auto& [a, b, c, d] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d)>{}, a, b, c, d);
  } else if constexpr (N == 5) {
    auto& [a, b, c, d, e] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e)>{}, a, b, c, d,
      e);
  } else if constexpr (N == 6) {
    auto& [a, b, c, d, e, f] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f)>{},
      a, b, c, d, e, f);
  } else if constexpr (N == 7) {
    auto& [a, b, c, d, e, f, g] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g)>{}, a, b, c, d, e, f, g);
  } else if constexpr (N == 8) {
    auto& [a, b, c, d, e, f, g, h] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h)>{}, a, b, c, d, e, f, g, h);
  } else if constexpr (N == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i)>{}, a, b, c, d, e, f, g, h, i);
  } else if constexpr (N == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j)>{}, a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (N == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k)>{}, a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (N == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l)>{}, a, b, c, d, e, f, g,
      h, i, j, k, l);
  } else if constexpr (N == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m)>{}, a, b, c,
      d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (N == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (N == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (N == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  } else if constexpr (N == 17) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p,
      q);
  } else if constexpr (N == 18) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r)>{}, a, b, c, d, e, f, g, h, i, j, k,
      l, m, n, o, p, q, r);
  } else if constexpr (N == 19) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s)>{}, a, b, c, d, e, f, g,
      h, i, j, k, l, m, n, o, p, q, r, s);
  } else if constexpr (N == 20) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t)>{}, a, b, c,
      d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  } else if constexpr (N == 21) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
  } else if constexpr (N == 22) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
  } else if constexpr (N == 23) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t,
      u, v, w);
  } else if constexpr (N == 24) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p,
      q, r, s, t, u, v, w, x);
  } else if constexpr (N == 25) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y)>{}, a, b, c, d, e, f, g, h, i, j, k,
      l, m, n, o, p, q, r, s, t, u, v, w, x, y);
  } else if constexpr (N == 26) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z)>{}, a, b, c, d, e, f, g,
      h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z);
  } else if constexpr (N == 27) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa)>{}, a, b,
      c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa);
  } else if constexpr (N == 28) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa),
      decltype(ab)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa,
      ab);
  } else if constexpr (N == 29) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac] =
      value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa),
      decltype(ab), decltype(ac)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x,
      y, z, aa, ab, ac);
  } else if constexpr (N == 30) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad] =
      value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa),
      decltype(ab), decltype(ac), decltype(ad)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s,
      t, u, v, w, x, y, z, aa, ab, ac, ad);
  } else if constexpr (N == 31) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae]
      = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa),
      decltype(ab), decltype(ac), decltype(ad), decltype(ae)>{}, a, b, c, d, e, f, g, h, i, j, k, l, m, n,
      o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae);
  } else if constexpr (N == 32) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae,
      af] = value;
    return function(types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(f),
      decltype(g), decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
      decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s), decltype(t),
      decltype(u), decltype(v), decltype(w), decltype(x), decltype(y), decltype(z), decltype(aa),
      decltype(ab), decltype(ac), decltype(ad), decltype(ae), decltype(af)>{}, a, b, c, d, e, f, g, h, i, j,
      k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af);
  }
}

// clang-format on

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_CODEC_BIND_HPP
