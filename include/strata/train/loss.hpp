#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The targets that a loss or metric compares outputs with: values, one for each output, or
/// classes, the number of the right class for each row of outputs.
enum class Targets { values, classes };

/// The meaning that predictions have for a loss.
enum class Predictions {
  values,         ///< any numbers
  logits,         ///< numbers to which the loss applies a sigmoid or softmax
  probabilities,  ///< numbers from 0 to 1
  shares          ///< numbers of at least 0, which the loss scales to the sum 1
};

/// A loss of one row of outputs: of a sample, or of one step of a sample.
///
/// loss(prediction, target, size, gradient) returns the loss of a row of `size` predictions and,
/// where `gradient` is not null, writes its `size` derivatives by the predictions. `target` holds
/// `size` values, or one class number. The loss of a batch is the mean over its rows, as in Keras.
///
/// A loss may have more members:
/// - `void check() const` throws ValueError on settings that make no sense.
/// - `Predictions predictions() const`: the meaning that predictions must have. Training refuses a
///   last layer whose activation has other outputs.
/// - `bool takes(Scalar target) const` and `target_range`, a text: training refuses a target that
///   the loss does not take, and names the range.
/// - `std::string doubt(target, size) const`: a sentence about targets of a row that are allowed
///   but may be a mistake, which training gives as a warning; empty for other targets.
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
  /// Throws ValueError on settings that the loss refuses.
  template <class L>
    requires(!std::same_as<L, Loss> && LossFunction<L, Scalar>)
  Loss(L loss) : self_(std::make_shared<Model<L>>(std::move(loss))) {}

  [[nodiscard]] std::string name() const { return self_->name; }
  [[nodiscard]] Targets targets() const { return self_->targets; }
  [[nodiscard]] Predictions predictions() const { return self_->predictions; }
  /// Whether the loss is defined for a target.
  [[nodiscard]] bool takes(Scalar target) const { return self_->takes(target); }
  /// The targets for which the loss is defined, in words.
  [[nodiscard]] std::string target_range() const { return self_->target_range; }
  /// A sentence about targets of a row that may be a mistake; empty for other targets.
  [[nodiscard]] std::string doubt(const Scalar* target, Index size) const {
    return self_->doubt(target, size);
  }

  /// The mean loss over the rows of the predictions, of sequences over the steps that count; 0 when
  /// none does. Where `derivative` is not null it is resized and set to the derivatives by the
  /// predictions. Throws ValueError on a target that the loss does not take.
  double operator()(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                    Tensor<Scalar>* derivative, const Mask& mask = {}) const {
    if (derivative) derivative->resize(prediction.shape());
    return self_->mean(prediction, target, derivative ? derivative->data() : nullptr, mask, false);
  }

  /// The mean loss and its derivatives, as above, with checks of the loss itself: throws ValueError
  /// when the loss does not write all of its derivatives, and when it is finite but a derivative is
  /// not.
  double with_checked_derivative(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                                 Tensor<Scalar>& derivative, const Mask& mask = {}) const {
    derivative.resize(prediction.shape());
    return self_->mean(prediction, target, derivative.data(), mask, true);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual bool takes(Scalar target) const = 0;
    [[nodiscard]] virtual std::string doubt(const Scalar* target, Index size) const = 0;
    virtual double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                        Scalar* gradient, const Mask& mask, bool checked) const = 0;

    std::string name;
    Targets targets = Targets::values;
    Predictions predictions = Predictions::values;
    std::string target_range = "any";
  };

  template <class L>
  struct Model final : Base {
    static constexpr bool has_range = requires(const L& l, Scalar target) {
      { l.takes(target) } -> std::convertible_to<bool>;
      { L::target_range } -> std::convertible_to<std::string>;
    };

    explicit Model(L value) : loss(std::move(value)) {
      detail::check_settings(loss);
      this->name = L::name;
      this->targets = L::targets;
      if constexpr (requires { loss.predictions(); }) this->predictions = loss.predictions();
      if constexpr (has_range) this->target_range = L::target_range;
    }

    bool takes([[maybe_unused]] Scalar target) const override {
      if constexpr (has_range) {
        return loss.takes(target);
      } else {
        return true;
      }
    }
    std::string doubt([[maybe_unused]] const Scalar* target,
                      [[maybe_unused]] Index size) const override {
      if constexpr (requires { loss.doubt(target, size); }) {
        return loss.doubt(target, size);
      } else {
        return {};
      }
    }

    double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target, Scalar* gradient,
                const Mask& mask, bool checked) const override {
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
        const Scalar* const wanted = target.data() + row * target_size;
        if constexpr (has_range) check_row(wanted, target_size);
        if (checked) mark(slope, size);
        const double value = loss(prediction.data() + row * size, wanted, size, slope);
        sum += value;
        if (!slope) continue;
        if (checked) {
          check_written(slope, size);
          if (detail::is_finite(value)) {
            check_derivatives(slope, size, prediction.data() + row * size, wanted, target_size);
          }
        }
        for (Index i = 0; i < size; ++i) slope[i] /= static_cast<Scalar>(counted);
      }
      return counted == 0 ? 0 : sum / static_cast<double>(counted);
    }

    void check_row(const Scalar* target, Index size) const {
      for (Index i = 0; i < size; ++i) {
        if (loss.takes(target[i])) continue;
        detail::fail<ValueError>(
            {this->name, ": targets must be ", this->target_range, ", found ", target[i]});
      }
    }

    /// A marker for derivatives that have not been written yet: a NaN with bits that no computation
    /// gives.
    static constexpr detail::Bits<Scalar> unwritten = detail::infinite_bits<Scalar> | 0x2b5a7;

    static void mark(Scalar* slope, Index size) {
      for (Index i = 0; i < size; ++i) std::memcpy(slope + i, &unwritten, sizeof unwritten);
    }
    void check_written(const Scalar* slope, Index size) const {
      Index written = 0;
      for (Index i = 0; i < size; ++i) {
        detail::Bits<Scalar> bits;
        std::memcpy(&bits, slope + i, sizeof bits);
        written += bits != unwritten;
      }
      if (written < size) {
        detail::fail<ValueError>({"loss ", this->name, ": wrote ", written, " of the ", size,
                                  " derivatives of a row; where `gradient` is not null a loss "
                                  "writes gradient[0] to gradient[size - 1]"});
      }
    }
    void check_derivatives(const Scalar* slope, Index size, const Scalar* prediction,
                           const Scalar* target, Index target_size) const {
      for (Index i = 0; i < size; ++i) {
        if (detail::is_finite(slope[i])) continue;
        detail::fail<ValueError>({"loss ", this->name, ": is finite, but gradient[", i, "] is ",
                                  detail::is_nan(slope[i]) ? "not a number" : "infinite",
                                  " for a prediction of ", prediction[i], " and a target of ",
                                  target[target_size == size ? i : 0]});
      }
    }

    L loss;
  };

  std::shared_ptr<const Base> self_;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

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

/// Calls f(row) for each row of outputs that is known to count before the pass. `mask` is the mask
/// of x. Where layers of the model change the mask, no row of a sequence is known to count.
template <class F>
void for_each_counted_row(const Shape& output, const Mask& mask, bool layers_mask, F f) {
  const bool is_sequence = output.rank() == 3;
  const bool is_masked = is_sequence && !mask.empty();
  if (is_sequence && (layers_mask || (is_masked && mask.steps() != output[1]))) return;
  const Index rows = is_sequence ? output[0] * output[1] : output[0];
  for (Index row = 0; row < rows; ++row) {
    if (is_masked && !mask(row / mask.steps(), row % mask.steps())) continue;
    f(row);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
