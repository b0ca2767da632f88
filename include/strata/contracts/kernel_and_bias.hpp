#pragma once

#include <algorithm>
#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/initializers.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The weights W and b of a layer that computes x W + b, and what an option `use_bias` means for
/// them: without it b is zeros and not among the parameters. W lies in memory as `Units` columns of
/// `Rows`, which Dynamic leaves to run time.
template <class Scalar, Index Units, Index Rows>
struct KernelAndBias {
  Weights<Scalar, Units, Rows> kernel;
  Weights<Scalar, Units, 1> bias;

  void resize(Index units, Index rows) {
    kernel.resize(units, rows);
    bias.resize(units, 1);
  }

  /// Draws W, by `inputs` and `outputs` as its number of ways in and out, and b.
  template <class Options>
  void initialize(const Options& options, Index inputs, Index outputs, const Random& random) {
    Random for_kernel = random.fork(0);
    Random for_bias = random.fork(1);
    strata::initialize(options.kernel_initializer,
                       WeightMatrix<Scalar>{kernel.values(), inputs, outputs}, for_kernel);
    const auto units = static_cast<Index>(bias.values().size());
    if (options.use_bias) {
      strata::initialize(options.bias_initializer,
                         WeightMatrix<Scalar>{bias.values(), units, units}, for_bias);
    } else {
      detail::fill(bias.values(), Scalar(0));
    }
  }

  /// W with the given shape, and b.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters(const Shape& shape, bool use_bias) {
    std::vector<Parameter<Scalar>> list{{"kernel", shape, kernel.values()}};
    if (use_bias) {
      list.push_back({"bias", {static_cast<Index>(bias.values().size())}, bias.values()});
    }
    return list;
  }
  [[nodiscard]] Index parameter_count(bool use_bias) const noexcept {
    return static_cast<Index>(kernel.values().size() + (use_bias ? bias.values().size() : 0));
  }

  /// The place of the derivatives by b behind those by W; null without `use_bias`.
  [[nodiscard]] Scalar* bias_gradient(Scalar* gradient, bool use_bias) const noexcept {
    return use_bias ? gradient + kernel.values().size() : nullptr;
  }

  template <class Other, Index U, Index R>
  void copy_to(KernelAndBias<Other, U, R>& to) const {
    to.kernel.matrix() = kernel.matrix().template cast<Other>();
    to.bias.matrix() = bias.matrix().template cast<Other>();
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
