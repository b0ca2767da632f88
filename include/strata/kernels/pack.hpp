#pragma once

// The one place that names Eigen's packet primitives. They are the same in Eigen 3.4 and 5.0, and
// exist for most instruction sets and, as plain scalars, for every other type. The registers of
// WebAssembly are in kernels/wasm_pack.hpp.

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <strata/language/compiler.hpp>
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

#if defined(__wasm_simd128__)
template <>
inline constexpr int register_width<float> = 4;
template <>
inline constexpr int register_width<double> = 2;
template <int Width>
inline constexpr bool has_register<float, Width> = Width == 4;
template <int Width>
inline constexpr bool has_register<double, Width> = Width == 2;
#endif

/// a / b, lane by lane.
template <class Register>
[[nodiscard]] STRATA_ALWAYS_INLINE Register quotient(const Register& a, const Register& b) {
  return packet::pdiv(a, b);
}
#if defined(EIGEN_VECTORIZE_NEON) && !defined(__aarch64__)
/// 32-bit ARM has no division of registers. Eigen refines the estimate of 1 / b once, which leaves
/// 1e-5; twice leaves a rounding or two. The instruction of a refinement is right for 0 and
/// infinity.
[[nodiscard]] STRATA_ALWAYS_INLINE packet::Packet4f quotient(const packet::Packet4f& a,
                                                             const packet::Packet4f& b) {
  float32x4_t inverse = vrecpeq_f32(b);
  for (int i = 0; i < 2; ++i) inverse = vmulq_f32(vrecpsq_f32(b, inverse), inverse);
  return vmulq_f32(a, inverse);
}
[[nodiscard]] STRATA_ALWAYS_INLINE packet::Packet2f quotient(const packet::Packet2f& a,
                                                             const packet::Packet2f& b) {
  float32x2_t inverse = vrecpe_f32(b);
  for (int i = 0; i < 2; ++i) inverse = vmul_f32(vrecps_f32(b, inverse), inverse);
  return vmul_f32(a, inverse);
}
#endif

/// The square root, lane by lane.
template <class Register>
[[nodiscard]] STRATA_ALWAYS_INLINE Register root(const Register& a) {
#if defined(EIGEN_VECTORIZE_NEON) && !defined(__aarch64__)
  // 32-bit ARM has no root of registers, and Eigen's estimate of it leaves 1e-5.
  using Scalar = typename packet::unpacket_traits<Register>::type;
  Scalar lanes[packet::unpacket_traits<Register>::size];
  packet::pstoreu(lanes, a);
  for (Scalar& lane : lanes) lane = std::sqrt(lane);
  return packet::ploadu<Register>(lanes);
#else
  return packet::psqrt(a);
#endif
}

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
    return {quotient(a.lanes, b.lanes)};
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
  friend STRATA_ALWAYS_INLINE Pack lesser(Pack a, Pack b) {
    return {packet::pmin(a.lanes, b.lanes)};
  }
  friend STRATA_ALWAYS_INLINE Pack greater(Pack a, Pack b) {
    return {packet::pmax(a.lanes, b.lanes)};
  }
  friend STRATA_ALWAYS_INLINE Pack abs(Pack a) { return {packet::pabs(a.lanes)}; }
  friend STRATA_ALWAYS_INLINE Pack sqrt(Pack a) { return {root(a.lanes)}; }

  // A compiler may leave Eigen's functions out of line. The linker then keeps one copy of each for
  // the whole program, compiled perhaps for a wider instruction set than this one. `flatten` puts
  // the code of Eigen's function into each of these.
  STRATA_FLATTEN friend Pack exp(Pack a) {
    if constexpr (sizeof(Scalar) < 8) {
      // A number too small to change 1 counts as 0: its cube may be a denormal number.
      const Pack least = broadcast(std::numeric_limits<Scalar>::epsilon() / 8);
      a = where_less(abs(a), least, broadcast(0), a);
    }
    return {packet::pexp(a.lanes)};
  }
  STRATA_FLATTEN friend Pack log(Pack a) { return {packet::plog(a.lanes)}; }
  STRATA_FLATTEN friend Pack eigen_tanh(Pack a) { return {packet::ptanh(a.lanes)}; }

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

}  // namespace strata::detail::inline STRATA_TARGET
