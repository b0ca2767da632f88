#pragma once

// What kernels do with registers, whatever the instruction set.

#include <algorithm>
#include <type_traits>
#include <utility>

#include <strata/kernels/lane_masks.hpp>
#include <strata/kernels/pack.hpp>
#include <strata/kernels/wasm_pack.hpp>
#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

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
    const Index used = (std::min)(width, count - i);
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
    const Index used = (std::min)(width, count - i);
    [&](auto... values) STRATA_INLINE_LAMBDA {
      f(load_lanes<Pack<Scalar>>(from + i, used), values...);
      (store_lanes(values, to + i, used), ...);
    }(load_lanes<Pack<Scalar>>(to + i, used)...);
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
