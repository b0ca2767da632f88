#pragma once

#include <strata/kernels/pack.hpp>

#if defined(__wasm_simd128__)

#include <wasm_simd128.h>

#include <cmath>
#include <concepts>
#include <cstring>

#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A register of WebAssembly, which Eigen does not know: four floats or two doubles.
template <std::floating_point Scalar>
struct Pack<Scalar, 16 / sizeof(Scalar)> {
  using value_type = Scalar;
  static constexpr int width = 16 / sizeof(Scalar);
  static constexpr bool is_float = sizeof(Scalar) == 4;
  typedef Scalar Register __attribute__((vector_size(16)));

  Register lanes;

  static STRATA_ALWAYS_INLINE Pack load(const Scalar* from) {
    return {reinterpret_cast<Register>(wasm_v128_load(from))};
  }
  static STRATA_ALWAYS_INLINE Pack broadcast(Scalar value) {
    if constexpr (is_float) {
      return {reinterpret_cast<Register>(wasm_f32x4_splat(value))};
    } else {
      return {reinterpret_cast<Register>(wasm_f64x2_splat(value))};
    }
  }
  STRATA_ALWAYS_INLINE void store(Scalar* to) const { wasm_v128_store(to, bits()); }

  friend STRATA_ALWAYS_INLINE Pack operator+(Pack a, Pack b) { return {a.lanes + b.lanes}; }
  friend STRATA_ALWAYS_INLINE Pack operator-(Pack a, Pack b) { return {a.lanes - b.lanes}; }
  friend STRATA_ALWAYS_INLINE Pack operator*(Pack a, Pack b) { return {a.lanes * b.lanes}; }
  friend STRATA_ALWAYS_INLINE Pack operator/(Pack a, Pack b) { return {a.lanes / b.lanes}; }

  /// a b + c, rounded twice.
  friend STRATA_ALWAYS_INLINE Pack multiply_add(Pack a, Pack b, Pack c) {
    return {a.lanes * b.lanes + c.lanes};
  }
  friend STRATA_ALWAYS_INLINE Pack lesser(Pack a, Pack b) { return where_less(b, a, b, a); }
  friend STRATA_ALWAYS_INLINE Pack greater(Pack a, Pack b) { return where_less(a, b, b, a); }
  friend STRATA_ALWAYS_INLINE Pack abs(Pack a) {
    return of_bits(is_float ? wasm_f32x4_abs(a.bits()) : wasm_f64x2_abs(a.bits()));
  }
  friend STRATA_ALWAYS_INLINE Pack sqrt(Pack a) {
    return of_bits(is_float ? wasm_f32x4_sqrt(a.bits()) : wasm_f64x2_sqrt(a.bits()));
  }

  friend Pack exp(Pack a) {
    if constexpr (is_float) {
      return exp_of_floats(a);
    } else {
      return each(a, [](Scalar x) { return std::exp(x); });
    }
  }
  friend Pack log(Pack a) {
    return each(a, [](Scalar x) { return std::log(x); });
  }
  friend Pack eigen_tanh(Pack a) {
    return each(a, [](Scalar x) { return std::tanh(x); });
  }
  friend Pack erf(Pack a) {
    return each(a, [](Scalar x) { return std::erf(x); });
  }

  /// The sum of all lanes.
  friend STRATA_ALWAYS_INLINE Scalar sum(Pack a) {
    if constexpr (is_float) {
      return (a.lanes[0] + a.lanes[2]) + (a.lanes[1] + a.lanes[3]);
    } else {
      return a.lanes[0] + a.lanes[1];
    }
  }

  [[nodiscard]] STRATA_ALWAYS_INLINE Pack held() const { return *this; }

  /// Lane by lane: `yes` where a < b, else `no`.
  friend STRATA_ALWAYS_INLINE Pack where_less(Pack a, Pack b, Pack yes, Pack no) {
    return of_bits(
        wasm_v128_bitselect(yes.bits(), no.bits(), reinterpret_cast<v128_t>(a.lanes < b.lanes)));
  }

 private:
  [[nodiscard]] STRATA_ALWAYS_INLINE v128_t bits() const { return reinterpret_cast<v128_t>(lanes); }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pack of_bits(v128_t bits) {
    return {reinterpret_cast<Register>(bits)};
  }

  template <class F>
  [[nodiscard]] static Pack each(Pack a, F f) {
    Scalar numbers[width];
    a.store(numbers);
    for (Scalar& number : numbers) number = f(number);
    return load(numbers);
  }

  /// e^x = 2^n e^r with a whole n and |r| <= ln(2) / 2, of which e^r is the sum of its first eight
  /// powers. Relative error below 2e-7; 0 and infinity where a float has no such number.
  [[nodiscard]] static Pack exp_of_floats(Pack x) {
    // The ends: e^-87.4 is the smallest normal float.
    const Pack least = broadcast(Scalar(-87.3)), most = broadcast(Scalar(88.7228));
    const Pack within = greater(lesser(x, most), least);
    const Pack n = of_bits(wasm_f32x4_nearest((within * broadcast(Scalar(1.44269504))).bits()));
    // ln(2) in two parts, of which the first has few digits, so that its product with n is exact.
    Pack r = multiply_add(n, broadcast(Scalar(-0.693359375)), within);
    r = multiply_add(n, broadcast(Scalar(2.12194440e-4)), r);
    Pack power = broadcast(Scalar(1.0 / 5040));
    for (const double factor : {1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0}) {
      power = multiply_add(power, r, broadcast(static_cast<Scalar>(factor)));
    }
    // 2^n in two factors, since 2^128 is no float.
    const v128_t whole = wasm_i32x4_trunc_sat_f32x4(n.bits());
    const v128_t half = wasm_i32x4_shr(whole, 1);
    const auto power_of_two = [](v128_t exponent) {
      return of_bits(wasm_i32x4_shl(wasm_i32x4_add(exponent, wasm_i32x4_splat(127)), 23));
    };
    const Pack result = power * power_of_two(half) * power_of_two(wasm_i32x4_sub(whole, half));
    const Pack infinity = of_bits(wasm_i32x4_splat(0x7f800000));
    const Pack ends = where_less(x, least, broadcast(0), where_less(most, x, infinity, result));
    // A number that is none is not equal to itself.
    return of_bits(wasm_v128_bitselect(ends.bits(), x.bits(), wasm_f32x4_eq(x.bits(), x.bits())));
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

#endif
