#pragma once

// The one place that names instructions that load and store a part of a register.

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Whether `Bytes` bytes from an address on lie in one page of memory. Where a masked instruction
/// reaches into a page that the program has not touched yet, the processor takes 150 ns to see that
/// the mask leaves it out.
template <std::size_t Bytes>
[[nodiscard]] STRATA_ALWAYS_INLINE bool is_within_page(const void* address) {
  constexpr std::uintptr_t page = 4096;
  return reinterpret_cast<std::uintptr_t>(address) % page <= page - Bytes;
}

/// Loads and stores of the first `used` < Width scalars of a register, with `load` filling the
/// other lanes with zeros. `loads` and `stores` say whether the processor has fast instructions for
/// it; without them there are no such functions. AVX stores with a mask, but AMD's processors take
/// longer for that than for the scalars one by one.
template <class Scalar, int Width>
struct MaskedLanes {
  static constexpr bool loads = false;
  static constexpr bool stores = false;
};

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__)

template <int Width>
[[nodiscard]] STRATA_ALWAYS_INLINE auto first_lanes(Index used) {
  const std::uint32_t mask = (std::uint32_t{1} << used) - 1;
  if constexpr (Width == 16) {
    return static_cast<__mmask16>(mask);
  } else {
    return static_cast<__mmask8>(mask);
  }
}

#define STRATA_MASKED_LANES(SCALAR, WIDTH, REGISTER, PREFIX, SUFFIX)                          \
  template <>                                                                                 \
  struct MaskedLanes<SCALAR, WIDTH> {                                                         \
    static constexpr bool loads = true;                                                       \
    static constexpr bool stores = true;                                                      \
    [[nodiscard]] static STRATA_ALWAYS_INLINE REGISTER load(const SCALAR* from, Index used) { \
      return PREFIX##_maskz_loadu_##SUFFIX(first_lanes<WIDTH>(used), from);                   \
    }                                                                                         \
    static STRATA_ALWAYS_INLINE void store(REGISTER lanes, SCALAR* to, Index used) {          \
      PREFIX##_mask_storeu_##SUFFIX(to, first_lanes<WIDTH>(used), lanes);                     \
    }                                                                                         \
  };
STRATA_MASKED_LANES(float, 16, __m512, _mm512, ps)
STRATA_MASKED_LANES(float, 8, __m256, _mm256, ps)
STRATA_MASKED_LANES(float, 4, __m128, _mm, ps)
STRATA_MASKED_LANES(double, 8, __m512d, _mm512, pd)
STRATA_MASKED_LANES(double, 4, __m256d, _mm256, pd)
STRATA_MASKED_LANES(double, 2, __m128d, _mm, pd)
#undef STRATA_MASKED_LANES

#elif defined(EIGEN_VECTORIZE_AVX)

/// `used` times -1 follow each other, then zeros.
template <class Integer>
[[nodiscard]] STRATA_ALWAYS_INLINE const Integer* lane_mask(Index used) {
  static constexpr Integer ones_and_zeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return ones_and_zeros + 8 - used;
}

#define STRATA_MASKED_LANES(SCALAR, INTEGER, WIDTH, REGISTER, PREFIX, SUFFIX, MASK)           \
  template <>                                                                                 \
  struct MaskedLanes<SCALAR, WIDTH> {                                                         \
    static constexpr bool loads = true;                                                       \
    static constexpr bool stores = false;                                                     \
    [[nodiscard]] static STRATA_ALWAYS_INLINE REGISTER load(const SCALAR* from, Index used) { \
      const INTEGER* const mask = lane_mask<INTEGER>(used);                                   \
      return PREFIX##_maskload_##SUFFIX(                                                      \
          from, PREFIX##_loadu_si##MASK(reinterpret_cast<const __m##MASK##i*>(mask)));        \
    }                                                                                         \
  };
STRATA_MASKED_LANES(float, std::int32_t, 8, __m256, _mm256, ps, 256)
STRATA_MASKED_LANES(float, std::int32_t, 4, __m128, _mm, ps, 128)
STRATA_MASKED_LANES(double, std::int64_t, 4, __m256d, _mm256, pd, 256)
STRATA_MASKED_LANES(double, std::int64_t, 2, __m128d, _mm, pd, 128)
#undef STRATA_MASKED_LANES

#endif

}  // namespace strata::detail::inline STRATA_TARGET
