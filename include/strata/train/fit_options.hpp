#pragma once

#include <cstdint>
#include <vector>

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/sample_weights.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/validation_data.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Noise that is added to the gradients, with the variance eta / (1 + t)^gamma in update t from 0
/// (Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks").
///
///   model.fit(x, y, {.gradient_noise = {.eta = 0.01}});
struct GradientNoise {
  /// At least 0; 0: no noise. The paper takes 0.01, 0.3 or 1.
  double eta = 0;
  /// At least 0. The paper's value.
  double gamma = 0.55;
};

/// Options of fit, with the meaning and the defaults that they have in Keras.
///
///   model.fit(x, y, {.epochs = 100, .batch_size = 64, .validation_split = 0.2});
template <class Scalar>
struct FitOptions {
  /// The number of the last epoch, counted from 1. Where initial_epoch is 0, this is how often the
  /// training goes through all samples. 1, as in Keras, is only for a first try.
  int epochs = 1;
  /// The number of samples in an update, at least 1. Where there are fewer samples, all of them are
  /// one batch. 32, as in Keras.
  Index batch_size = 32;
  /// Whether to draw a new order of the samples for each epoch.
  bool shuffle = true;
  /// The seed for the order of samples, dropout and noise. The random numbers of an epoch follow
  /// from the seed and from the number of epochs that the model has been trained since compile, so
  /// that two trainings of one epoch end with the same bits as one training of two epochs.
  std::uint64_t seed = 0;
  /// The share of the samples, from the end, in [0, 1), that is not trained but validated. 0: none.
  double validation_split = 0;
  /// The steps of x that count, (B, T); without a mask all do. See also Mask::from_lengths.
  Mask mask = {};
  /// How much each sample (B) or step (B, T) weighs in the loss, and in metrics that are Weighted;
  /// without weights all weigh 1. As in Keras, the sum of the weighted losses of a batch is divided
  /// by the number of its rows, not by the sum of the weights.
  SampleWeights<Scalar> sample_weight = {};
  /// How much the samples or steps of each class weigh, times their own weights; a class that is
  /// not named weighs 1. Validation does not use it, as in Keras.
  ClassWeights class_weight = {};
  /// The state of all B sequences before their first step, such as one of text_state. An empty
  /// State, the default, stands for zeros. With `truncate`, a sequence's first window begins in it.
  /// Not with `stateful`.
  State<Scalar> initial_state = {};
  /// Samples x and targets y for validation, or a source of samples. Where they are given,
  /// validation_split has no effect.
  ValidationData<Scalar> validation_data = {};
  /// The steps of the validation data that count; without a mask all do.
  Mask validation_mask = {};
  /// How much the samples or steps of the validation data weigh.
  SampleWeights<Scalar> validation_sample_weight = {};
  /// The state of the sequences of the validation data before their first step.
  State<Scalar> validation_state = {};
  /// Whether sequence b of a batch begins in the last state of sequence b of the batch before, for
  /// long sequences that are cut into samples. Each epoch begins with zeros. Needs shuffle = false,
  /// and batches of equal size.
  bool stateful = false;
  /// The time steps of a window. Sequences are trained window by window, each from the last state
  /// of the window before, and derivatives end at a window's first step (truncated back-propagation
  /// through time, Williams & Peng 1990). 0: whole sequences.
  Index truncate = 0;
  /// The standard deviation of noise that is added to all trained weights for each step (Graves
  /// 2011). 0: no noise.
  double weight_noise = 0;
  /// Noise that is added to the gradients of all trained weights before they are clipped; by
  /// default none.
  GradientNoise gradient_noise = {};
  /// Callbacks, which are called in this order. Each fit uses copies of its own.
  std::vector<Callback> callbacks = {};
  /// How many batches a thread of its own fills before they are needed, where the samples come from
  /// a source. 0: the training itself fills each batch when it comes to it.
  Index read_ahead = 0;
  /// 0: silent, 1: progress bar, 2: a line for each epoch.
  int verbose = 1;
  /// The number of epochs that an earlier training has done, so that this training goes on with the
  /// random numbers and learning rates of the epochs that follow. 0: epochs count from 0, and
  /// random numbers go on from the epochs that the model has been trained.
  int initial_epoch = 0;
};

}  // namespace strata::inline STRATA_RUNTIME
