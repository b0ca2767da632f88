#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A copy of all weights of a model from before they are changed. The object can be used for any
/// number of changes, and allocates memory only for the first.
template <class Scalar>
class KeptWeights {
 public:
  /// Makes room for `count` weights.
  void resize(std::size_t count) { weights_.resize(count); }

  /// Copies some weights; the first of them is number `at` among all weights.
  void keep(std::span<const Scalar> weights, std::size_t at) {
    detail::copy(weights, weights_.data() + at);
  }
  void keep_all(std::span<const Parameter<Scalar>> parameters) {
    resize(count_of(parameters));
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      keep(parameter.values, at);
      at += parameter.values.size();
    }
  }

  /// Gives the model the copied weights.
  void put_back(std::span<const Parameter<Scalar>> parameters) const noexcept {
    const Scalar* from = weights_.data();
    for (const auto& parameter : parameters) {
      std::copy_n(from, parameter.values.size(), parameter.values.data());
      from += parameter.values.size();
    }
  }

  /// The number of weights of all parameters.
  [[nodiscard]] static std::size_t count_of(std::span<const Parameter<Scalar>> parameters) {
    std::size_t count = 0;
    for (const auto& parameter : parameters) count += parameter.values.size();
    return count;
  }

 private:
  std::vector<Scalar> weights_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
