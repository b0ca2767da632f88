#pragma once

// The one place that names instructions for 16-bit floats.

#include <cstdint>

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <strata/base/half.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A register of 16-bit floats as floats.
template <int Width>
[[nodiscard]] STRATA_ALWAYS_INLINE Pack<float, Width> load_half(const std::uint16_t* from) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (Width == 16) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
  }
#endif
#if defined(__F16C__)
  if constexpr (Width == 8) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))};
  }
#elif defined(EIGEN_VECTORIZE_NEON) && defined(__aarch64__)
  if constexpr (Width == 4) return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)))};
#endif
  float numbers[Width];
  for (int i = 0; i < Width; ++i) numbers[i] = from_half(from[i]);
  return Pack<float, Width>::load(numbers);
}

/// Writes a register of floats as 16-bit floats, as to_half.
template <int Width>
STRATA_ALWAYS_INLINE void store_half(Pack<float, Width> numbers, std::uint16_t* to) {
#if defined(EIGEN_VECTORIZE_AVX512)
  if constexpr (Width == 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtps_ph(numbers.lanes, _MM_FROUND_TO_NEAREST_INT));
    return;
  }
#endif
#if defined(__F16C__)
  if constexpr (Width == 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm256_cvtps_ph(numbers.lanes, _MM_FROUND_TO_NEAREST_INT));
    return;
  }
#endif
  float values[Width];
  numbers.store(values);
  for (int i = 0; i < Width; ++i) to[i] = to_half(values[i]);
}

}  // namespace strata::detail::inline STRATA_TARGET
