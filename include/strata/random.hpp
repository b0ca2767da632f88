#pragma once

#include <cmath>
#include <cstdint>

#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Random numbers that are the same on every platform and compiler, for the same seed.
///
/// SplitMix64 (Steele, Lea, Flood 2014): the n-th number is a hash of the n-th point of a Weyl
/// sequence, so that streams can be forked and positions reached without drawing what lies before.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed = 0) noexcept : state_(mix(seed)) {}

  /// An independent stream, one for each key.
  [[nodiscard]] constexpr Random fork(std::uint64_t key) const noexcept { return Random(at(key)); }

  /// The number at a position, without moving.
  [[nodiscard]] constexpr std::uint64_t at(std::uint64_t position) const noexcept {
    return mix(state_ + (position + 1) * weyl);
  }

  constexpr std::uint64_t operator()() noexcept { return mix(state_ += weyl); }

  /// In [0, 1).
  [[nodiscard]] constexpr double uniform() noexcept { return to_unit((*this)()); }

  /// Normal with mean 0 and deviation 1 (Box & Muller 1958).
  [[nodiscard]] double normal() noexcept {
    constexpr double two_pi = 6.283185307179586;
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(two_pi * uniform());
  }

  /// A whole number in [0, count).
  [[nodiscard]] constexpr Index below(Index count) noexcept {
    return static_cast<Index>(uniform() * static_cast<double>(count));
  }

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

}  // namespace strata::inline STRATA_TARGET
