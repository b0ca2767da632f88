#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The flags of the steps of one sample, all true where the mask is empty.
class CountedSteps {
 public:
  CountedSteps(const Mask& mask, Index sample, Index steps)
      : size_(static_cast<std::size_t>(steps)), flags_(new bool[size_]) {
    for (Index t = 0; t < steps; ++t) {
      flags_[static_cast<std::size_t>(t)] = mask.empty() || mask(sample, t);
    }
  }

  CountedSteps(const CountedSteps&) = delete;
  CountedSteps& operator=(const CountedSteps&) = delete;
  ~CountedSteps() { delete[] flags_; }

  [[nodiscard]] std::span<const bool> flags() const noexcept { return {flags_, size_}; }

 private:
  std::size_t size_;
  /// Not std::vector<bool>, which has no bool in memory.
  bool* flags_;
};

/// The numbers of the steps that count.
[[nodiscard]] inline std::vector<Index> counted_steps(std::span<const bool> counts) {
  std::vector<Index> steps;
  for (std::size_t t = 0; t < counts.size(); ++t) {
    if (counts[t]) steps.push_back(static_cast<Index>(t));
  }
  return steps;
}

}  // namespace strata::detail::inline STRATA_TARGET
