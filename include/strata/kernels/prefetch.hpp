#pragma once

#include <algorithm>

#include <strata/kernels/simd.hpp>
#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Asks for `count` numbers that are needed soon to come to the second cache. Each of `calls` calls
/// of advance() asks for an equal share, since a core that asks for many lines at once waits for
/// them. An object made without arguments asks for nothing.
template <class Scalar>
class Prefetch {
 public:
  Prefetch() = default;
  Prefetch(const Scalar* from, Index count, Index calls)
      : next_(from), end_(from + count), share_((count / line + calls) / calls * line) {}

  STRATA_ALWAYS_INLINE void advance() {
    const Scalar* const stop = (std::min)(next_ + share_, end_);
    for (; next_ < stop; next_ += line) prefetch<CacheLevel::second>(next_);
  }

 private:
  static constexpr Index line = 64 / sizeof(Scalar);

  const Scalar* next_ = nullptr;
  const Scalar* end_ = nullptr;
  Index share_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
