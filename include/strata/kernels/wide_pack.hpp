#pragma once

#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Two or three registers as one. Each operation works on all of them, so results come in two or
/// three chains, none of which waits for another.
template <class Scalar, int Width>
  requires(Width == 2 * register_width<Scalar> || Width == 3 * register_width<Scalar>)
struct Pack<Scalar, Width> {
  using value_type = Scalar;
  using First = Pack<Scalar>;
  using Rest = Pack<Scalar, Width - First::width>;
  static constexpr int width = Width;

  First low;
  Rest high;

  static STRATA_ALWAYS_INLINE Pack load(const Scalar* from) {
    return {First::load(from), Rest::load(from + First::width)};
  }
  static STRATA_ALWAYS_INLINE Pack broadcast(Scalar value) {
    return {First::broadcast(value), Rest::broadcast(value)};
  }
  STRATA_ALWAYS_INLINE void store(Scalar* to) const {
    low.store(to);
    high.store(to + First::width);
  }

  friend STRATA_ALWAYS_INLINE Pack operator+(Pack a, Pack b) {
    return {a.low + b.low, a.high + b.high};
  }
  friend STRATA_ALWAYS_INLINE Pack operator-(Pack a, Pack b) {
    return {a.low - b.low, a.high - b.high};
  }
  friend STRATA_ALWAYS_INLINE Pack operator*(Pack a, Pack b) {
    return {a.low * b.low, a.high * b.high};
  }
  friend STRATA_ALWAYS_INLINE Pack operator/(Pack a, Pack b) {
    return {a.low / b.low, a.high / b.high};
  }
  friend STRATA_ALWAYS_INLINE Pack multiply_add(Pack a, Pack b, Pack c) {
    return {multiply_add(a.low, b.low, c.low), multiply_add(a.high, b.high, c.high)};
  }
  friend STRATA_ALWAYS_INLINE Pack lesser(Pack a, Pack b) {
    return {lesser(a.low, b.low), lesser(a.high, b.high)};
  }
  friend STRATA_ALWAYS_INLINE Pack greater(Pack a, Pack b) {
    return {greater(a.low, b.low), greater(a.high, b.high)};
  }
  friend STRATA_ALWAYS_INLINE Pack abs(Pack a) { return {abs(a.low), abs(a.high)}; }
  friend STRATA_ALWAYS_INLINE Pack exp(Pack a) { return {exp(a.low), exp(a.high)}; }
  friend STRATA_ALWAYS_INLINE Pack eigen_tanh(Pack a) {
    return {eigen_tanh(a.low), eigen_tanh(a.high)};
  }
  friend STRATA_ALWAYS_INLINE Pack where_less(Pack a, Pack b, Pack yes, Pack no) {
    return {where_less(a.low, b.low, yes.low, no.low),
            where_less(a.high, b.high, yes.high, no.high)};
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
