#pragma once

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/precision.hpp>
#include <strata/sample_weights.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of predict.
///
///   State<float> state;
///   model.predict(x, {.mask = Mask::from_lengths(lengths, x.steps()), .state = &state})
template <class Scalar>
struct PredictOptions {
  /// The number of samples in a batch, at least 1; above B, all samples are one batch. 32 as in
  /// Keras, since a larger batch is cut into parts of up to 32 samples anyway.
  Index batch_size = 32;
  /// Which steps of x count, (B, T). By default it is empty: every step counts.
  Mask mask = {};
  /// The state of all B sequences: read before the first step and overwritten by the state after
  /// the last step. An empty State stands for zeros. null, the default, starts every sequence from
  /// zeros and keeps no state, since sequences have nothing to do with each other in most data.
  State<Scalar>* state = nullptr;
  /// The precision of the layers that can run in it, see Stream: int16 for batches of any size;
  /// half for batches of one sequence, B = 1 or batch_size = 1, and the full precision for larger
  /// ones, which wait for multiplications and not for weights. Throws ValueError where no layer of
  /// the model can run in it.
  Precision precision = Precision::full;
};

/// Options of evaluate.
///
///   model.evaluate(x, y, {.mask = mask, .sample_weight = weights})
template <class Scalar>
struct EvaluateOptions {
  /// As in PredictOptions.
  Index batch_size = 32;
  /// As in PredictOptions. A step that does not count has no part in loss and metrics.
  Mask mask = {};
  /// As in PredictOptions.
  State<Scalar>* state = nullptr;
  /// How much each sample (B) or step (B, T) weighs in the loss, and in metrics that are Weighted;
  /// without weights all weigh 1.
  SampleWeights<Scalar> sample_weight = {};
};

/// Options of train_on_batch, test_on_batch and Trainer::step, which compute all their samples
/// together.
///
///   model.train_on_batch(x, y, {.mask = mask, .state = &state})
template <class Scalar>
struct BatchOptions {
  /// As in PredictOptions. A step that does not count has no part in loss and metrics.
  Mask mask = {};
  /// As in PredictOptions.
  State<Scalar>* state = nullptr;
  /// As in EvaluateOptions.
  SampleWeights<Scalar> sample_weight = {};
  /// How much the samples or steps of each class weigh in a step of a training, times their own
  /// weights; a class that is not named weighs 1. test_on_batch does not use it, as in Keras.
  ClassWeights class_weight = {};
  /// The standard deviation of noise that is added to all trained weights for a step of a training
  /// (Graves 2011). 0: no noise.
  double weight_noise = 0;
  /// Where Trainer::gradients puts the derivative of the loss by x, in the shape of x; null:
  /// nowhere.
  Tensor<Scalar>* input_derivative = nullptr;
};

}  // namespace strata::inline STRATA_RUNTIME
