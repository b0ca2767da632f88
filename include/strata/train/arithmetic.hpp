#pragma once

#include <cstddef>
#include <span>

#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/weight_rules.hpp>

// The sums and products of a training outside of layers, losses and update rules. Their last bits
// depend on whether the processor rounds a product before it is added, so strata::compiled has them
// once for each instruction set.

namespace strata::detail::inline STRATA_RUNTIME {

/// The sum of the squares of every `stride`-th number, each divided by `divisor`.
template <class Scalar>
[[nodiscard]] double sum_of_squares(std::span<const Scalar> numbers, std::size_t stride,
                                    double divisor);

/// `sum` plus the penalty of the weights. Its derivatives are added to the first numbers of
/// `gradient`, unless that is empty.
template <class Scalar>
[[nodiscard]] double add_penalty(const L1L2& penalty, std::span<const Scalar> weights,
                                 std::span<Scalar> gradient, double sum);

/// Adds normal noise with a standard deviation to all weights.
template <class Scalar>
void add_noise(std::span<Scalar> weights, double deviation, Random& random);

/// Adds numbers to as many others.
template <class Scalar>
void add_to(std::span<Scalar> sums, std::span<const Scalar> numbers) noexcept;

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/arithmetic_definitions.hpp>
#endif
