#pragma once

#include <cmath>
#include <cstdint>

#include <strata/shape.hpp>

namespace strata {

/// Random numbers: the same seed gives the same numbers with every platform and compiler.
///
/// SplitMix64 (Steele, Lea & Flood 2014): the n-th number is a hash of the n-th point of a Weyl
/// sequence, so that a number can be read at any position without drawing the numbers before it,
/// and independent sequences can be forked.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed = 0) noexcept : state_(mix(seed)) {}

  /// An independent generator for each key.
  [[nodiscard]] constexpr Random fork(std::uint64_t key) const noexcept { return Random(at(key)); }

  /// The number that is `position` draws ahead, 0 for the next one, without drawing.
  [[nodiscard]] constexpr std::uint64_t at(std::uint64_t position) const noexcept {
    return mix(state_ + (position + 1) * weyl);
  }

  /// Draws 64 random bits.
  constexpr std::uint64_t operator()() noexcept { return mix(state_ += weyl); }

  /// Draws a number in [0, 1).
  [[nodiscard]] constexpr double uniform() noexcept { return to_unit((*this)()); }

  /// Draws a normal number with the mean 0 and the deviation 1 (Box & Muller 1958).
  [[nodiscard]] double normal() noexcept {
    constexpr double two_pi = 6.283185307179586;
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(two_pi * uniform());
  }

  /// Draws a whole number in [0, count).
  [[nodiscard]] constexpr Index below(Index count) noexcept {
    return static_cast<Index>(uniform() * static_cast<double>(count));
  }

  /// 64 random bits as a number in [0, 1), by their first 53.
  [[nodiscard]] static constexpr double to_unit(std::uint64_t bits) noexcept {
    return static_cast<double>(bits >> 11) * 0x1p-53;
  }

 private:
  static constexpr std::uint64_t weyl = 0x9e3779b97f4a7c15;

  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

}  // namespace strata
