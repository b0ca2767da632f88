#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
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

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// A loss of any type, with its settings.
template <class Scalar>
struct AnyLoss {
  virtual ~AnyLoss() = default;
  [[nodiscard]] virtual bool takes(Scalar target) const = 0;
  [[nodiscard]] virtual std::string doubt(const Scalar* target, Index size) const = 0;
  virtual double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                      Scalar* gradient, const Mask& mask, bool checked) const = 0;

  std::string name;
  Targets targets = Targets::values;
  Predictions predictions = Predictions::values;
  std::string target_range = "any";
};

template <class L, class Scalar>
struct LossOf final : AnyLoss<Scalar> {
  static constexpr bool has_range = requires(const L& l, Scalar target) {
    { l.takes(target) } -> std::convertible_to<bool>;
    { L::target_range } -> std::convertible_to<std::string>;
  };

  explicit LossOf(L value) : loss(std::move(value)) {
    check_settings(loss);
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
        if (is_finite(value)) {
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
      fail<ValueError>(
          {this->name, ": targets must be ", this->target_range, ", found ", target[i]});
    }
  }

  /// A marker for derivatives that have not been written yet: a NaN with bits that no computation
  /// gives.
  static constexpr Bits<Scalar> unwritten = infinite_bits<Scalar> | 0x2b5a7;

  static void mark(Scalar* slope, Index size) {
    for (Index i = 0; i < size; ++i) std::memcpy(slope + i, &unwritten, sizeof unwritten);
  }
  void check_written(const Scalar* slope, Index size) const {
    Index written = 0;
    for (Index i = 0; i < size; ++i) {
      Bits<Scalar> bits;
      std::memcpy(&bits, slope + i, sizeof bits);
      written += bits != unwritten;
    }
    if (written < size) {
      fail<ValueError>({"loss ", this->name, ": wrote ", written, " of the ", size,
                        " derivatives of a row; where `gradient` is not null a loss "
                        "writes gradient[0] to gradient[size - 1]"});
    }
  }
  void check_derivatives(const Scalar* slope, Index size, const Scalar* prediction,
                         const Scalar* target, Index target_size) const {
    for (Index i = 0; i < size; ++i) {
      if (is_finite(slope[i])) continue;
      fail<ValueError>({"loss ", this->name, ": is finite, but gradient[", i, "] is ",
                        is_nan(slope[i]) ? "not a number" : "infinite", " for a prediction of ",
                        prediction[i], " and a target of ", target[target_size == size ? i : 0]});
    }
  }

  L loss;
};

/// A loss that strata::compiled holds, for the processor in use. `settings` points to the loss.
template <class Scalar>
[[nodiscard]] std::shared_ptr<const AnyLoss<Scalar>> held_loss(int number, const void* settings);

/// The loss without its type.
template <class Scalar, class L>
[[nodiscard]] std::shared_ptr<const AnyLoss<Scalar>> loss_of(const L& loss) {
  if constexpr (is_held<L>) {
    return held_loss<Scalar>(Held<L>::number, &loss);
  } else {
    return std::make_shared<LossOf<L, Scalar>>(loss);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Any loss function, chosen at run time.
template <class Scalar>
class Loss {
 public:
  /// Throws ValueError on settings that the loss refuses.
  template <class L>
    requires(!std::same_as<L, Loss> && LossFunction<L, Scalar>)
  Loss(L loss) : self_(detail::loss_of<Scalar>(loss)) {}

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
  std::shared_ptr<const detail::AnyLoss<Scalar>> self_;
};

}  // namespace strata::inline STRATA_RUNTIME
