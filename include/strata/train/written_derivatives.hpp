#pragma once

#include <cstring>

#include <strata/base/finite.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Whether a loss writes all of its derivatives, which is checked in the first step of a training.

namespace strata::detail::inline STRATA_RUNTIME {

/// A marker for derivatives that have not been written yet: a NaN with bits that no computation
/// gives.
template <class Scalar>
inline constexpr Bits<Scalar> unwritten = infinite_bits<Scalar> | 0x2b5a7;

/// Marks the derivatives of a row.
template <class Scalar>
void mark_unwritten(Scalar* slope, Index size) {
  for (Index i = 0; i < size; ++i) std::memcpy(slope + i, &unwritten<Scalar>, sizeof(Scalar));
}

/// How many of the derivatives of a row have lost their marks.
template <class Scalar>
[[nodiscard]] Index count_written(const Scalar* slope, Index size) {
  Index written = 0;
  for (Index i = 0; i < size; ++i) {
    Bits<Scalar> bits;
    std::memcpy(&bits, slope + i, sizeof bits);
    written += bits != unwritten<Scalar>;
  }
  return written;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
