#pragma once

// The one place that names Eigen's packet primitives. They are the same in Eigen 3.4 and 5.0, and
// exist for every instruction set and, as plain scalars, for every other type.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <strata/base/compiler.hpp>
#include <strata/kernels/lane_masks.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

namespace packet = Eigen::internal;

/// Scalars in the widest register.
template <class Scalar>
inline constexpr int register_width =
    packet::unpacket_traits<typename packet::packet_traits<Scalar>::type>::size;

// GCC warns that a register type loses its attributes, such as its alignment, as a template
// argument. No code here depends on these attributes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

/// Eigen's widest register, halved `Halvings` times, or the narrowest there is.
template <class Scalar, int Halvings>
struct HalvedRegister {
  using type =
      typename packet::unpacket_traits<typename HalvedRegister<Scalar, Halvings - 1>::type>::half;
};
template <class Scalar>
struct HalvedRegister<Scalar, 0> {
  using type = typename packet::packet_traits<Scalar>::type;
};

/// How often the widest register is halved to hold Width scalars, at most twice.
template <class Scalar, int Width>
inline constexpr int halvings = Width == register_width<Scalar>       ? 0
                                : 2 * Width == register_width<Scalar> ? 1
                                                                      : 2;

template <class Scalar, int Width>
inline constexpr bool has_register =
    packet::unpacket_traits<typename HalvedRegister<Scalar, halvings<Scalar, Width>>::type>::size ==
    Width;

#pragma GCC diagnostic pop

/// `size` rounded up to whole registers.
template <class Scalar>
[[nodiscard]] constexpr Index padded(Index size) noexcept {
  constexpr Index width = register_width<Scalar>;
  return (size + width - 1) / width * width;
}

/// One register of `Width` scalars, its lanes, with operators that compute lane by lane.
template <class Scalar, int Width = register_width<Scalar>>
struct Pack {
  using value_type = Scalar;
  using Register = typename HalvedRegister<Scalar, halvings<Scalar, Width>>::type;
  static constexpr int width = Width;

  Register lanes;

  static STRATA_ALWAYS_INLINE Pack load(const Scalar* from) {
    return {packet::ploadu<Register>(from)};
  }
  static STRATA_ALWAYS_INLINE Pack broadcast(Scalar value) {
    return {packet::pset1<Register>(value)};
  }
  STRATA_ALWAYS_INLINE void store(Scalar* to) const { packet::pstoreu(to, lanes); }

  friend STRATA_ALWAYS_INLINE Pack operator+(Pack a, Pack b) {
    return {packet::padd(a.lanes, b.lanes)};
  }
  friend STRATA_ALWAYS_INLINE Pack operator-(Pack a, Pack b) {
    return {packet::psub(a.lanes, b.lanes)};
  }
  friend STRATA_ALWAYS_INLINE Pack operator*(Pack a, Pack b) {
    return {packet::pmul(a.lanes, b.lanes)};
  }
  friend STRATA_ALWAYS_INLINE Pack operator/(Pack a, Pack b) {
    return {packet::pdiv(a.lanes, b.lanes)};
  }

  /// a b + c, rounded once where the machine can.
  friend STRATA_ALWAYS_INLINE Pack multiply_add(Pack a, Pack b, Pack c) {
#if defined(__clang__) && defined(__FMA__)
    // Eigen's pmadd is assembly for Clang, and the compiler could not take an operand from memory.
#pragma clang fp contract(fast)
    return {a.lanes * b.lanes + c.lanes};
#else
    return {packet::pmadd(a.lanes, b.lanes, c.lanes)};
#endif
  }
  friend STRATA_ALWAYS_INLINE Pack min(Pack a, Pack b) { return {packet::pmin(a.lanes, b.lanes)}; }
  friend STRATA_ALWAYS_INLINE Pack max(Pack a, Pack b) { return {packet::pmax(a.lanes, b.lanes)}; }
  friend STRATA_ALWAYS_INLINE Pack abs(Pack a) { return {packet::pabs(a.lanes)}; }
  friend STRATA_ALWAYS_INLINE Pack sqrt(Pack a) { return {packet::psqrt(a.lanes)}; }

  // A compiler may leave Eigen's functions out of line. The linker then keeps one copy of each for
  // the whole program, compiled perhaps for a wider instruction set than this one. `flatten` puts
  // the code of Eigen's function into each of these.
  [[gnu::flatten]] friend Pack exp(Pack a) {
    if constexpr (sizeof(Scalar) < 8) {
      // A number too small to change 1 counts as 0: its cube may be a denormal number.
      const Pack least = broadcast(std::numeric_limits<Scalar>::epsilon() / 8);
      a = where_less(abs(a), least, broadcast(0), a);
    }
    return {packet::pexp(a.lanes)};
  }
  [[gnu::flatten]] friend Pack log(Pack a) { return {packet::plog(a.lanes)}; }
  [[gnu::flatten]] friend Pack eigen_tanh(Pack a) { return {packet::ptanh(a.lanes)}; }

  /// The error function, number by number: Eigen's own is not in its core.
  friend Pack erf(Pack a) {
    Scalar numbers[Width];
    a.store(numbers);
    for (Scalar& number : numbers) number = std::erf(number);
    return load(numbers);
  }

  /// The sum of all lanes.
  friend STRATA_ALWAYS_INLINE Scalar sum(Pack a) { return packet::predux(a.lanes); }

  /// The same numbers, in a register from here on. Otherwise a compiler may read them from memory
  /// again for each use, as GCC does when it tunes for Zen 3, and the processor waits for the
  /// loads.
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack held() const {
    Register held = lanes;
#if defined(__x86_64__) && defined(__GNUC__)
    if constexpr (Width > 1) asm("" : "+v"(held));
#endif
    return {held};
  }

  /// Lane by lane: `yes` where a < b, else `no`.
  friend STRATA_ALWAYS_INLINE Pack where_less(Pack a, Pack b, Pack yes, Pack no) {
    return {packet::pselect(packet::pcmp_lt(a.lanes, b.lanes), yes.lanes, no.lanes)};
  }
};

/// The number `value` as a V: a pack, or a scalar of any kind.
template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE V constant(double value) {
  if constexpr (requires { V::width; }) {
    return V::broadcast(static_cast<typename V::value_type>(value));
  } else {
    return V(value);
  }
}

template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE V where_less(const V& a, const V& b, const V& yes, const V& no) {
  return a < b ? yes : no;
}

/// Calls f(0), f(1), ..., f(Count - 1) with the number as a constant, so that arrays of registers
/// stay in registers at every optimisation level.
template <int Count, class F>
STRATA_ALWAYS_INLINE void unroll(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) STRATA_INLINE_LAMBDA {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, Count>{});
}

/// Copies `count` < Width values. It is inlined: around a call the compiler would move all
/// registers in use to memory, also on the path without the call.
template <int Width, class Scalar>
STRATA_ALWAYS_INLINE void copy_lanes(const Scalar* from, Index count, Scalar* to) {
  if constexpr (Width > 1) {
    constexpr int half = Width / 2;
    if (count & half) {
      std::copy_n(from, half, to);
      from += half;
      to += half;
    }
    copy_lanes<half>(from, count, to);
  }
}

/// Loads a register of consecutive values, of which only the first `used` exist in memory. The
/// other lanes are 0.
template <class P>
STRATA_ALWAYS_INLINE P load_lanes(const typename P::value_type* from, Index used) {
  using Scalar = typename P::value_type;
  if (used == P::width) return P::load(from);
  if constexpr (MaskedLanes<Scalar, P::width>::loads) {
    if (is_within_page<P::width * sizeof(Scalar)>(from)) [[likely]] {
      return {MaskedLanes<Scalar, P::width>::load(from, used)};
    }
  }
  Scalar lanes[P::width] = {};
  copy_lanes<P::width>(from, used, lanes);
  return P::load(lanes);
}

template <class Scalar, int Width>
STRATA_ALWAYS_INLINE void store_lanes(Pack<Scalar, Width> values, Scalar* to, Index used) {
  if (used == Width) return values.store(to);
  if constexpr (MaskedLanes<Scalar, Width>::stores) {
    if (is_within_page<Width * sizeof(Scalar)>(to)) [[likely]] {
      return MaskedLanes<Scalar, Width>::store(values.lanes, to, used);
    }
  }
  Scalar lanes[Width];
  values.store(lanes);
  copy_lanes<Width>(lanes, used, to);
}

/// The sum of f(from[i]...) over all i. It has the same bits at every address of the numbers,
/// unlike Eigen's sums, which begin at an aligned address.
template <class F, class Scalar, class... More>
[[nodiscard]] Scalar sum_over(Index count, F f, const Scalar* from, const More*... more) {
  using P = Pack<Scalar>;
  P whole = P::broadcast(0);
  Index i = 0;
  for (; i + P::width <= count; i += P::width) {
    whole = whole + f(P::load(from + i), P::load(more + i)...);
  }
  if (i == count) return sum(whole);
  const Index used = count - i;
  Scalar rest[P::width] = {};
  f(load_lanes<P>(from + i, used), load_lanes<P>(more + i, used)...).store(rest);
  std::fill(rest + used, rest + P::width, Scalar(0));
  return sum(whole + P::load(rest));
}

/// The sum of a[i] b[i].
template <class Scalar>
[[nodiscard]] Scalar dot(Index count, const Scalar* a, const Scalar* b) {
  using P = Pack<Scalar>;
  return sum_over(
      count, [](P x, P y) { return x * y; }, a, b);
}

/// to[i] = f(from[i]...) for all i, a register at a time.
template <class F, class Scalar, class... From>
void transform(Index count, Scalar* to, F f, const From*... from) {
  constexpr Index width = Pack<Scalar>::width;
  for (Index i = 0; i < count; i += width) {
    const Index used = std::min(width, count - i);
    store_lanes(f(load_lanes<Pack<Scalar>>(from + i, used)...), to + i, used);
  }
}

/// to[i] += factor from[i] for all i.
template <class Scalar>
void add_scaled(Index count, Scalar factor, const Scalar* from, Scalar* to) {
  using P = Pack<Scalar>;
  transform(
      count, to,
      [factor = P::broadcast(factor)](P x, P sum) { return multiply_add(factor, x, sum); }, from,
      static_cast<const Scalar*>(to));
}

/// f(from[i], to[i]...) for all i, a register at a time; f changes its later arguments.
template <class F, class Scalar, class... To>
void update_lanes(Index count, F f, const Scalar* from, To*... to) {
  constexpr Index width = Pack<Scalar>::width;
  for (Index i = 0; i < count; i += width) {
    const Index used = std::min(width, count - i);
    [&](auto... values) STRATA_INLINE_LAMBDA {
      f(load_lanes<Pack<Scalar>>(from + i, used), values...);
      (store_lanes(values, to + i, used), ...);
    }(load_lanes<Pack<Scalar>>(to + i, used)...);
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
