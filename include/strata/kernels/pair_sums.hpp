#pragma once

// The one place that names instructions for 16-bit integers: sums of products of pairs.

#include <algorithm>
#include <cmath>
#include <cstdint>

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

/// A register of 32-bit sums, one for each float of a register. The general one is for processors
/// without instructions for pairs, lane by lane.
template <int Width = register_width<float>>
struct PairSums {
  std::int32_t lanes[Width] = {};

  /// Adds w0 v0 + w1 v1 for the pairs `weights` of each lane and one pair `values` for all lanes.
  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    const auto low = [](std::int32_t pair) { return static_cast<std::int16_t>(pair & 0xffff); };
    const auto high = [](std::int32_t pair) { return static_cast<std::int16_t>(pair >> 16); };
    for (int i = 0; i < Width; ++i) {
      lanes[i] += low(weights[i]) * low(values) + high(weights[i]) * high(values);
    }
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
  __m512i lanes = _mm512_setzero_si512();

  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    const __m512i pairs = _mm512_loadu_si512(weights);
#if defined(__AVX512VNNI__)
    lanes = _mm512_dpwssd_epi32(lanes, pairs, _mm512_set1_epi32(values));
#else
    lanes = _mm512_add_epi32(lanes, _mm512_madd_epi16(pairs, _mm512_set1_epi32(values)));
#endif
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 16> numbers() const {
    return {_mm512_cvtepi32_ps(lanes)};
  }
};
#endif
#if defined(EIGEN_VECTORIZE_AVX2)
template <>
struct PairSums<8> {
  __m256i lanes = _mm256_setzero_si256();

  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
    lanes = _mm256_add_epi32(lanes, _mm256_madd_epi16(pairs, _mm256_set1_epi32(values)));
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 8> numbers() const {
    return {_mm256_cvtepi32_ps(lanes)};
  }
};
#elif defined(EIGEN_VECTORIZE_SSE) && !defined(EIGEN_VECTORIZE_AVX)
template <>
struct PairSums<4> {
  __m128i lanes = _mm_setzero_si128();

  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
    lanes = _mm_add_epi32(lanes, _mm_madd_epi16(pairs, _mm_set1_epi32(values)));
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 4> numbers() const {
    return {_mm_cvtepi32_ps(lanes)};
  }
};
#elif defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
template <>
struct PairSums<4> {
  int32x4_t lanes = vdupq_n_s32(0);

  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    const int16x8_t pairs = vreinterpretq_s16_s32(vld1q_s32(weights));
    const int16x8_t by = vreinterpretq_s16_s32(vdupq_n_s32(values));
    const int32x4_t low = vmull_s16(vget_low_s16(pairs), vget_low_s16(by));
    const int32x4_t high = vmull_high_s16(pairs, by);
    lanes = vaddq_s32(lanes, vpaddq_s32(low, high));
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, 4> numbers() const {
    return {vcvtq_f32_s32(lanes)};
  }
};
#elif defined(__wasm_simd128__)
template <>
struct PairSums<4> {
  v128_t lanes = wasm_i32x4_splat(0);

  STRATA_ALWAYS_INLINE void add(const std::int32_t* weights, std::int32_t values) {
    lanes = wasm_i32x4_add(lanes,
                           wasm_i32x4_dot_i16x8(wasm_v128_load(weights), wasm_i32x4_splat(values)));
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

/// to[i] = from[i] in units of 1/16383, rounded, at most 1 and at least -1. Returns 0, or
/// not-a-number where a number is not finite.
[[nodiscard]] inline float to_int16(Index count, const float* from, std::int16_t* to) noexcept {
  using P = Pack<float>;
  P differences = P::broadcast(0);
  const auto scaled = [&](P x) STRATA_INLINE_LAMBDA {
    differences = differences + (x - x);
    return min(max(x, P::broadcast(-1)), P::broadcast(1)) * P::broadcast(int16_one);
  };
  Index i = 0;
  for (; i + P::width <= count; i += P::width) store_int16(scaled(P::load(from + i)), to + i);
  if (i < count) {
    std::int16_t rest[P::width];
    store_int16(scaled(load_lanes<P>(from + i, count - i)), rest);
    std::copy_n(rest, count - i, to + i);
  }
  return sum(differences);
}

}  // namespace strata::detail::inline STRATA_TARGET
