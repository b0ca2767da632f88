#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include <strata/detail/checks.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET {

/// What a loss or metric compares the outputs with: values, one for each output, or the number of
/// the right class, one for each row of outputs.
enum class Targets { values, classes };

/// A loss of one row of outputs: of a sample, or of one step of a sample.
///
/// loss(prediction, target, size, gradient) gives the row's loss and, where `gradient` is not null,
/// writes its `size` derivatives by the prediction. `target` holds `size` values, or one class
/// number. The loss of a batch is the mean over its rows, as in Keras.
template <class L, class Scalar>
concept LossFunction = requires(const L& loss, const Scalar* values, Index size, Scalar* gradient) {
  { loss(values, values, size, gradient) } -> std::convertible_to<double>;
  { L::targets } -> std::convertible_to<Targets>;
  { L::name } -> std::convertible_to<std::string>;
};

/// Any loss function, chosen at run time.
template <class Scalar>
class Loss {
 public:
  template <class L>
    requires(!std::same_as<L, Loss> && LossFunction<L, Scalar>)
  Loss(L loss) : self_(std::make_shared<Model<L>>(std::move(loss))) {}

  [[nodiscard]] Targets targets() const { return self_->targets(); }

  /// The mean loss over the rows of the predictions, of sequences over the steps that count; 0 when
  /// none does. Where `derivative` is not null it is resized and set to the derivatives by the
  /// predictions.
  double operator()(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                    Tensor<Scalar>* derivative, const Mask& mask = {}) const {
    if (derivative) derivative->resize(prediction.shape());
    return self_->mean(prediction, target, derivative ? derivative->data() : nullptr, mask);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual Targets targets() const = 0;
    virtual double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                        Scalar* gradient, const Mask& mask) const = 0;
  };

  template <class L>
  struct Model final : Base {
    explicit Model(L value) : loss(std::move(value)) {}

    Targets targets() const override { return L::targets; }

    double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target, Scalar* gradient,
                const Mask& mask) const override {
      const Index rows = prediction.batch() * prediction.steps();
      const Index size = prediction.features();
      const Index target_size = target.size() / rows;
      const Index counted = mask.empty() ? rows : mask.count();
      double sum = 0;
      for (Index row = 0; row < rows; ++row) {
        Scalar* const slope = gradient ? gradient + row * size : nullptr;
        if (!mask.empty() && !mask(row / mask.steps(), row % mask.steps())) {
          if (slope) std::fill_n(slope, size, Scalar(0));
          continue;
        }
        sum += loss(prediction.data() + row * size, target.data() + row * target_size, size, slope);
        if (!slope) continue;
        for (Index i = 0; i < size; ++i) slope[i] /= static_cast<Scalar>(counted);
      }
      return counted == 0 ? 0 : sum / static_cast<double>(counted);
    }

    L loss;
  };

  std::shared_ptr<const Base> self_;
};

namespace detail {

/// Throws ShapeError unless y fits outputs of a shape, and ValueError on values that are not finite
/// and on labels that are no class.
template <class Scalar>
void check_targets(const Tensor<Scalar>& y, const Shape& output, Targets targets) {
  check_not_empty("y", y);
  if (y.batch() != output[0]) {
    fail<ShapeError>({"y: x has ", output[0], " samples, y has ", y.batch()});
  }
  Shape expected = output;
  if (targets == Targets::classes) expected[expected.rank() - 1] = 1;
  const bool one_per_step = y.rank() == 2 && expected.rank() == 3 && expected[2] == 1 &&
                            y.shape() == Shape{expected[0], expected[1]};
  if (y.shape() != expected && !one_per_step) {
    if (targets == Targets::classes) {
      fail<ShapeError>({"y: the model's output has the shape ", output,
                        ", so class numbers have the shape ", expected, "; found ", y.shape()});
    }
    fail<ShapeError>({"y: the model's output has the shape ", output, "; found ", y.shape()});
  }
  check_finite("y", y);
  if (targets == Targets::values) return;
  for (Index i = 0; i < y.size(); ++i) {
    const Scalar label = y.data()[i];
    if (label >= Scalar(0) && label < static_cast<Scalar>(output.back()) &&
        label == static_cast<Scalar>(static_cast<Index>(label))) {
      continue;
    }
    fail<ValueError>(
        {place("y", y, i), " is ", label, ", but the classes are 0 to ", output.back() - 1});
  }
}

}  // namespace detail
}  // namespace strata::inline STRATA_TARGET
