#pragma once

#include <concepts>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>

#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/row_loss.hpp>
#include <strata/train/sequence_loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Whether a type may be meant as a loss or metric: an object or a function.
template <class F>
inline constexpr bool may_be_figure =
    (std::is_class_v<F> && !std::ranges::range<F>) || std::is_function_v<std::remove_pointer_t<F>>;

/// A loss that strata::compiled holds, for the processor in use. `settings` points to the loss.
template <class Scalar>
[[nodiscard]] std::shared_ptr<const AnyLoss<Scalar>> held_loss(int number, const void* settings);

/// Fails to compile, with the member that is missing, where L is no loss.
template <class Scalar, class L>
constexpr void require_loss() {
  constexpr bool sees_sequences =
      requires(const L& loss, SequenceView<const Scalar> values, std::span<const bool> counts,
               SequenceView<Scalar> gradient) {
    loss(values, counts, values, gradient);
  };
  constexpr bool changes_itself =
      !LossFunction<L, Scalar> &&
      requires(L & loss, const Scalar* values, Index size, Scalar* gradient) {
    loss(values, values, size, gradient);
  };
  static_assert(!sees_sequences || LossFunction<L, Scalar>,
                "strata: this loss of whole sequences misses the function `Shape "
                "target_shape(const Shape& output) const`, or does not return a number");
  static_assert(!changes_itself,
                "strata: the function operator() of this loss must be const, and return a number");
  static_assert(
      sees_sequences || changes_itself || LossFunction<L, Scalar>,
      "strata: this loss misses the function `double operator()(const Scalar* prediction, "
      "const Scalar* target, Index size, Scalar* gradient) const`, where Scalar is that "
      "of the model; a loss of whole sequences has other arguments, see SequenceLoss");
}

/// The loss without its type.
template <class Scalar, class L>
[[nodiscard]] std::shared_ptr<const AnyLoss<Scalar>> loss_of(const L& loss) {
  require_loss<Scalar, L>();
  if constexpr (is_held<L>) {
    return held_loss<Scalar>(Held<L>::number, &loss);
  } else if constexpr (RowLoss<L, Scalar>) {
    return std::make_shared<RowLossOf<L, Scalar>>(loss);
  } else if constexpr (SequenceLoss<L, Scalar>) {
    return std::make_shared<SequenceLossOf<L, Scalar>>(loss);
  } else {
    return nullptr;
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
    requires(!std::same_as<L, Loss> && detail::may_be_figure<L>)
  Loss(L loss) : self_(detail::loss_of<Scalar>(loss)) {}

  [[nodiscard]] std::string name() const { return self_->name; }
  [[nodiscard]] Targets targets() const { return self_->targets; }
  [[nodiscard]] Predictions predictions() const { return self_->predictions; }
  /// Whether the loss is one of rows, and not of whole samples.
  [[nodiscard]] bool is_of_rows() const { return self_->is_of_rows; }
  /// The shape of y for outputs of a shape; a Dynamic size stands for any size. Throws ShapeError
  /// on outputs that the loss does not take.
  [[nodiscard]] Shape target_shape(const Shape& output) const {
    return self_->target_shape(output);
  }
  /// Whether the loss is defined for a target.
  [[nodiscard]] bool takes(Scalar target) const { return self_->takes(target); }
  /// The targets for which the loss is defined, in words.
  [[nodiscard]] std::string target_range() const { return self_->target_range; }
  /// A sentence about targets of a row that may be a mistake; empty for other targets.
  [[nodiscard]] std::string doubt(const Scalar* target, Index size) const {
    return self_->doubt(target, size);
  }
  /// Throws ValueError where the loss refuses the target of a sample, of which `counted` steps
  /// count, or, as a loss of rows, that of a row.
  void check_sample(SequenceView<const Scalar> target, Index counted) const {
    self_->check_sample(target, counted);
  }

  /// The mean loss of a batch: over the rows of the predictions that count, or over the samples; 0
  /// when no row counts. A weight multiplies the loss of its sample or step, as in Keras. Where
  /// `derivative` is not null it is resized and set to the derivatives by the predictions. Throws
  /// ShapeError when the targets do not fit the predictions, ValueError on a target that the loss
  /// does not take. `parts`: the sequences that this process computes; the mean is that of the
  /// whole batch.
  double operator()(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                    Tensor<Scalar>* derivative, const Mask& mask = {},
                    const detail::Threads& threads = {}, const SampleWeights<Scalar>& weights = {},
                    const detail::BatchParts& parts = {}) const {
    return mean(prediction, target, derivative, mask, weights, false, threads, parts);
  }

  /// The mean loss and its derivatives, as above, with checks of the loss itself: throws ValueError
  /// when the loss does not write all of its derivatives, and when it is finite but a derivative is
  /// not.
  double with_checked_derivative(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                                 Tensor<Scalar>& derivative, const Mask& mask = {},
                                 const detail::Threads& threads = {},
                                 const SampleWeights<Scalar>& weights = {},
                                 const detail::BatchParts& parts = {}) const {
    return mean(prediction, target, &derivative, mask, weights, true, threads, parts);
  }

 private:
  double mean(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
              Tensor<Scalar>* derivative, const Mask& mask, const SampleWeights<Scalar>& weights,
              bool checked, const detail::Threads& threads, const detail::BatchParts& parts) const {
    const Shape expected = target_shape(prediction.shape());
    if (!detail::fits_targets(target.shape(), expected)) {
      detail::fail<ShapeError>({"loss ", name(), ": takes targets of the shape ", expected,
                                " for predictions of the shape ", prediction.shape(), ", found ",
                                target.shape()});
    }
    if (derivative) derivative->resize(prediction.shape());
    return self_->mean({prediction, target, mask, weights,
                        derivative ? derivative->data() : nullptr, checked, threads, parts});
  }

  std::shared_ptr<const detail::AnyLoss<Scalar>> self_;
};

}  // namespace strata::inline STRATA_RUNTIME
