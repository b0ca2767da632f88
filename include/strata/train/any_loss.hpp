#pragma once

#include <concepts>
#include <span>
#include <string>

#include <strata/mask.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The targets that a loss or metric compares outputs with: values, or class numbers.
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
/// A lambda or a function will do.
///
/// A loss may have more members, static or not:
/// - `name`, a text for messages and logs; "loss" without it.
/// - `targets`, Targets::values or Targets::classes; values without it.
/// - `void check() const` throws ValueError on settings that make no sense.
/// - `Predictions predictions() const`: the meaning that predictions must have. Training refuses a
///   last layer whose activation has other outputs.
/// - `Shape target_shape(const Shape& output) const`: the shape of y for outputs of a shape, where
///   a target has another number of features than a prediction. It throws ShapeError on outputs
///   that the loss does not take.
/// - `bool takes(Scalar target) const` and `target_range`, a text: training refuses a target that
///   the loss does not take, and names the range.
/// - `void check_target(target, size) const` throws ValueError on a target of a row, for losses
/// whose
///   targets have ranges of their own.
/// - `std::string doubt(target, size) const`: a sentence about targets of a row that are allowed
///   but may be a mistake, which training gives as a warning; empty for other targets.
template <class L, class Scalar>
concept RowLoss = requires(const L& loss, const Scalar* values, Index size, Scalar* gradient) {
  { loss(values, values, size, gradient) } -> std::convertible_to<double>;
};

/// A loss of one sample as a whole: of all outputs of a sequence, and a target of any shape.
///
/// loss(prediction, counts, target, gradient) returns the loss of a sample whose outputs are
/// `prediction`, (T, F). Only the steps with a true `counts[t]` count. `target` is the sample's
/// target as it was given. Where `gradient`, (T, F), is not empty, the loss writes the derivatives
/// by the outputs of the steps that count; those of the others are set to 0. The loss of a batch is
/// the mean over its samples. `loss.target_shape(output)` is the shape of y for outputs of a shape,
/// where a Dynamic size stands for any size; it throws ShapeError on outputs that the loss does not
/// take.
///
/// A loss may have more members: name, targets, check() and predictions() as a RowLoss, and
/// - `void check_target(SequenceView<const Scalar> target, Index counted) const` throws ValueError
///   on the target of a sample of which `counted` steps count. Training calls it before the first
///   step where no layer changes which steps count.
template <class L, class Scalar>
concept SequenceLoss = requires(const L& loss, SequenceView<const Scalar> values,
                                std::span<const bool> counts, SequenceView<Scalar> gradient,
                                const Shape& output) {
  { loss(values, counts, values, gradient) } -> std::convertible_to<double>;
  { loss.target_shape(output) } -> std::convertible_to<Shape>;
};

template <class L, class Scalar>
concept LossFunction = RowLoss<L, Scalar> || SequenceLoss<L, Scalar>;

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// A loss of any type, with its settings.
template <class Scalar>
struct AnyLoss {
  /// What a mean is taken over, and how.
  struct Batch {
    const Tensor<Scalar>& prediction;
    const Tensor<Scalar>& target;
    const Mask& mask;
    const SampleWeights<Scalar>& weights;
    /// Where the derivatives by the predictions go; null where they are not wanted.
    Scalar* gradient;
    /// Whether to check that the loss writes its whole derivative.
    bool checked;
    const Threads& threads;
    /// Of other processes' sequences neither predictions nor targets are read.
    const BatchParts& parts;
  };

  virtual ~AnyLoss() = default;
  [[nodiscard]] virtual Shape target_shape(const Shape& output) const = 0;
  [[nodiscard]] virtual bool takes(Scalar target) const = 0;
  [[nodiscard]] virtual std::string doubt(const Scalar* target, Index size) const = 0;
  /// Throws ValueError on the target of a sample, or of a row, with (1, F).
  virtual void check_sample(SequenceView<const Scalar> target, Index counted) const = 0;
  /// The mean over the batch, in the same order whichever process has computed a sequence.
  virtual double mean(const Batch& batch) const = 0;

  std::string name;
  Targets targets = Targets::values;
  Predictions predictions = Predictions::values;
  std::string target_range = "any";
  bool is_of_rows = true;
};

/// The name of a loss or metric, or `otherwise` where it has none.
template <class F>
[[nodiscard]] std::string name_of(const F& figure, const char* otherwise) {
  if constexpr (requires {
                  { figure.name } -> std::convertible_to<std::string>;
                }) {
    return figure.name;
  } else {
    return otherwise;
  }
}

/// The targets of a loss.
template <class L>
[[nodiscard]] Targets targets_of(const L& loss) {
  if constexpr (requires {
                  { loss.targets } -> std::convertible_to<Targets>;
                }) {
    return loss.targets;
  } else {
    return Targets::values;
  }
}

/// The shape of y for outputs of a shape, by L::target_shape or, without it, by the kind of
/// targets.
template <class L>
[[nodiscard]] Shape target_shape_of(const L& loss, Targets targets, const Shape& output) {
  if constexpr (requires { loss.target_shape(output); }) {
    return loss.target_shape(output);
  } else {
    Shape shape = output;
    if (targets == Targets::classes) shape[shape.rank() - 1] = 1;
    return shape;
  }
}

/// Whether targets of a shape are what is expected, where Dynamic stands for any size. Targets with
/// one number for each step may leave out the last size.
[[nodiscard]] inline bool fits_targets(const Shape& y, const Shape& expected) {
  if (expected.rank() == 3 && expected[2] == 1 && y.rank() == 2) {
    return fits_targets(y, {expected[0], expected[1]});
  }
  if (y.rank() != expected.rank()) return false;
  for (Index axis = 0; axis < y.rank(); ++axis) {
    if (expected[axis] != Dynamic && y[axis] != expected[axis]) return false;
  }
  return true;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
