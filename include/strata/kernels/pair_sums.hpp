#pragma once

// The one place that names instructions for 16-bit integers: sums of products of pairs.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Two 16-bit integers in one 32-bit integer, the first in its low half.
[[nodiscard]] constexpr std::int32_t pair_of(std::int16_t first, std::int16_t second) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint16_t>(first) |
                                   static_cast<std::uint32_t>(static_cast<std::uint16_t>(second))
                                       << 16);
}

/// Pair number `pair` of integers that lie side by side.
[[nodiscard]] STRATA_ALWAYS_INLINE std::int32_t pair_at(const std::int16_t* integers,
                                                        Index pair) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::int32_t both;
    std::memcpy(&both, integers + 2 * pair, sizeof both);
    return both;
  } else {
    return pair_of(integers[2 * pair], integers[2 * pair + 1]);
  }
}

/// A register of 32-bit sums, one for each float of a register, of products of pairs of 16-bit
/// integers. The general one is for processors without instructions for pairs, lane by lane.
template <int Width = register_width<float>>
struct PairSums {
  /// Whether one instruction multiplies and adds, so that an addition waits for the whole product
  /// before it.
  static constexpr bool is_fused = false;
  /// A pair for each lane.
  struct Pairs {
    std::int32_t lanes[Width];
  };
  std::int32_t lanes[Width] = {};

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    Pairs pairs;
    std::copy_n(from, Width, pairs.lanes);
    return pairs;
  }
  /// One pair for all lanes.
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    Pairs pairs;
    std::fill_n(pairs.lanes, Width, pair);
    return pairs;
  }
  /// Adds w0 v0 + w1 v1 for the pairs of each lane.
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
    const auto low = [](std::int32_t pair) { return static_cast<std::int16_t>(pair & 0xffff); };
    const auto high = [](std::int32_t pair) { return static_cast<std::int16_t>(pair >> 16); };
    for (int i = 0; i < Width; ++i) {
      lanes[i] += low(weights.lanes[i]) * low(values.lanes[i]) +
                  high(weights.lanes[i]) * high(values.lanes[i]);
    }
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) {
    for (int i = 0; i < Width; ++i) lanes[i] += other.lanes[i];
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, Width> numbers() const {
    float sums[Width];
    for (int i = 0; i < Width; ++i) sums[i] = static_cast<float>(lanes[i]);
    return Pack<float, Width>::load(sums);
  }
};

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512BW__)
template <>
struct PairSums<16> {
#if defined(__AVX512VNNI__)
  static constexpr bool is_fused = true;
#else
  static constexpr bool is_fused = false;
#endif
  using Pairs = __m512i;
  __m512i lanes = _mm512_setzero_si512();

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    return _mm512_loadu_si512(from);
  }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    return _mm512_set1_epi32(pair);
  }
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
#if defined(__AVX512VNNI__) && defined(__GNUC__)
    // With the intrinsic, GCC 12 copies the sums of a tile before each instruction and spills them.
    __m512i sum = lanes;
    asm("vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(weights), "v"(values));
    lanes = sum;
#elif defined(__AVX512VNNI__)
    lanes = _mm512_dpwssd_epi32(lanes, weights, values);
#else
    lanes = _mm512_add_epi32(lanes, _mm512_madd_epi16(weights, values));
#endif
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) {
    lanes = _mm512_add_epi32(lanes, other.lanes);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 16> numbers() const {
    return {_mm512_cvtepi32_ps(lanes)};
  }
};
#endif
#if defined(EIGEN_VECTORIZE_AVX2)
template <>
struct PairSums<8> {
#if defined(__AVXVNNI__)
  static constexpr bool is_fused = true;
#else
  static constexpr bool is_fused = false;
#endif
  using Pairs = __m256i;
  __m256i lanes = _mm256_setzero_si256();

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    return _mm256_set1_epi32(pair);
  }
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
#if defined(__AVXVNNI__) && defined(__GNUC__)
    __m256i sum = lanes;
    asm("%{vex%} vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+x"(sum) : "x"(weights), "x"(values));
    lanes = sum;
#elif defined(__AVXVNNI__)
    lanes = _mm256_dpwssd_avx_epi32(lanes, weights, values);
#else
    lanes = _mm256_add_epi32(lanes, _mm256_madd_epi16(weights, values));
#endif
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) {
    lanes = _mm256_add_epi32(lanes, other.lanes);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 8> numbers() const {
    return {_mm256_cvtepi32_ps(lanes)};
  }
};
#elif defined(EIGEN_VECTORIZE_SSE) && !defined(EIGEN_VECTORIZE_AVX)
template <>
struct PairSums<4> {
  static constexpr bool is_fused = false;
  using Pairs = __m128i;
  __m128i lanes = _mm_setzero_si128();

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    return _mm_set1_epi32(pair);
  }
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
    lanes = _mm_add_epi32(lanes, _mm_madd_epi16(weights, values));
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) {
    lanes = _mm_add_epi32(lanes, other.lanes);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 4> numbers() const {
    return {_mm_cvtepi32_ps(lanes)};
  }
};
#elif defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
template <>
struct PairSums<4> {
  static constexpr bool is_fused = false;
  using Pairs = int16x8_t;
  int32x4_t lanes = vdupq_n_s32(0);

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    return vreinterpretq_s16_s32(vld1q_s32(from));
  }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    return vreinterpretq_s16_s32(vdupq_n_s32(pair));
  }
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
    const int32x4_t low = vmull_s16(vget_low_s16(weights), vget_low_s16(values));
    const int32x4_t high = vmull_high_s16(weights, values);
    lanes = vaddq_s32(lanes, vpaddq_s32(low, high));
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) { lanes = vaddq_s32(lanes, other.lanes); }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 4> numbers() const {
    return {vcvtq_f32_s32(lanes)};
  }
};
#elif defined(__wasm_simd128__)
template <>
struct PairSums<4> {
  static constexpr bool is_fused = false;
  using Pairs = v128_t;
  v128_t lanes = wasm_i32x4_splat(0);

  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs load(const std::int32_t* from) {
    return wasm_v128_load(from);
  }
  [[nodiscard]] static STRATA_ALWAYS_INLINE Pairs broadcast(std::int32_t pair) {
    return wasm_i32x4_splat(pair);
  }
  STRATA_ALWAYS_INLINE void add(Pairs weights, Pairs values) {
    lanes = wasm_i32x4_add(lanes, wasm_i32x4_dot_i16x8(weights, values));
  }
  STRATA_ALWAYS_INLINE void add(const PairSums& other) {
    lanes = wasm_i32x4_add(lanes, other.lanes);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 4> numbers() const {
    float sums[4];
    wasm_v128_store(sums, wasm_f32x4_convert_i32x4(lanes));
    return Pack<float, 4>::load(sums);
  }
};
#endif

/// The largest 16-bit integer for a number of at most 1.
inline constexpr float int16_one = 16383;

/// Writes a register of numbers, of at most 32767, as 16-bit integers, rounded.
template <int Width>
STRATA_ALWAYS_INLINE void store_int16(Pack<float, Width> numbers, std::int16_t* to) {
  float values[Width];
  numbers.store(values);
  for (int i = 0; i < Width; ++i) to[i] = static_cast<std::int16_t>(std::nearbyint(values[i]));
}
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512BW__)
STRATA_ALWAYS_INLINE void store_int16(Pack<float, 16> numbers, std::int16_t* to) {
  const __m512i whole = _mm512_cvtps_epi32(numbers.lanes);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi32_epi16(whole));
}
#elif defined(EIGEN_VECTORIZE_AVX2)
STRATA_ALWAYS_INLINE void store_int16(Pack<float, 8> numbers, std::int16_t* to) {
  const __m256i whole = _mm256_cvtps_epi32(numbers.lanes);
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(to),
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1)));
}
#elif defined(EIGEN_VECTORIZE_SSE) && !defined(EIGEN_VECTORIZE_AVX)
STRATA_ALWAYS_INLINE void store_int16(Pack<float, 4> numbers, std::int16_t* to) {
  const __m128i whole = _mm_cvtps_epi32(numbers.lanes);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi32(whole, whole));
}
#endif

[[nodiscard]] constexpr Index pair_count(Index count) noexcept { return (count + 1) / 2; }

/// to[i] = from[i] in units of 1/16383, rounded, at most 1 and at least -1. Behind the `count`
/// numbers follow zeros, up to whole registers of floats, for which `to` has room. Returns 0, or
/// not-a-number where a number is not finite.
[[nodiscard]] inline float to_int16(Index count, const float* from, std::int16_t* to) noexcept {
  using P = Pack<float>;
  P differences = P::broadcast(0);
  const auto scaled = [&](P x) STRATA_INLINE_LAMBDA {
    differences = differences + (x - x);
    return lesser(greater(x, P::broadcast(-1)), P::broadcast(1)) * P::broadcast(int16_one);
  };
  Index i = 0;
  for (; i + P::width <= count; i += P::width) store_int16(scaled(P::load(from + i)), to + i);
  if (i < count) store_int16(scaled(load_lanes<P>(from + i, count - i)), to + i);
  return sum(differences);
}

}  // namespace strata::detail::inline STRATA_TARGET
