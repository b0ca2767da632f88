#pragma once

#include <memory>
#include <span>
#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/tensor.hpp>

#include "layer_cases.hpp"

namespace strata::test {

/// A training pass of a layer, whose derivatives are those of a scalar: the sum of the outputs,
/// each times a random weight. The layer, the input and the pass are the caller's and may change
/// between calls.
class TrainingPass {
 public:
  TrainingPass(const AnyLayer<double>& layer, const Tensor<double>& x, const Pass<double>& pass,
               std::uint64_t seed)
      : layer_(layer), x_(x), pass_(pass) {
    forward();
    weight_ = random_tensor<double>(y_.shape(), seed);
  }

  /// The scalar.
  double sum() {
    forward();
    return (y_.matrix().array() * weight_.matrix().array()).sum();
  }

  /// Runs forward and backward. Adds the derivatives by the parameters to `gradient`, and writes
  /// the derivatives by the input to dx, where that is not null.
  void backward(std::span<double> gradient, Tensor<double>* dx) {
    forward();
    Tensor<double> dy = weight_;
    layer_.backward(packed_, x_, y_, dy, tape_, gradient, dx, pass_);
  }

 private:
  void forward() {
    layer_.pack(packed_, true);
    layer_.forward(packed_, x_, tape_, y_, pass_);
  }

  const AnyLayer<double>& layer_;
  const Tensor<double>& x_;
  const Pass<double>& pass_;
  AnyLayer<double>::Packed packed_;
  std::shared_ptr<void> tape_;
  Tensor<double> y_;
  Tensor<double> weight_;
};

}  // namespace strata::test
