#pragma once

#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Throws ValueError unless `rate`, the share of dropped values, is in [0, 1).
inline void check_rate(const char* what, double rate) {
  if (!is_finite(rate) || rate < 0 || rate >= 1) {
    fail<ValueError>({what, " must be in [0, 1), found ", rate});
  }
}

/// The factor of the value at a position: 0 where the value is dropped, otherwise 1 / (1 - rate),
/// so that the expectation stays (Srivastava et al. 2014, in Keras' inverted form).
template <class Scalar>
[[nodiscard]] Scalar dropout_factor(const Random& random, Index position, double rate) {
  const double draw = Random::to_unit(random.at(static_cast<std::uint64_t>(position)));
  return draw < rate ? Scalar(0) : Scalar(1 / (1 - rate));
}

/// Fills `mask` with the factors of `size` values.
template <class Scalar>
void draw_dropout(std::vector<Scalar>& mask, Index size, double rate, const Random& random) {
  mask.resize(static_cast<std::size_t>(size));
  for (Index i = 0; i < size; ++i) {
    mask[static_cast<std::size_t>(i)] = dropout_factor<Scalar>(random, i, rate);
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
