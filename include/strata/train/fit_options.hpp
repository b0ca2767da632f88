#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <strata/mask.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/callback.hpp>

namespace strata::inline STRATA_TARGET {

/// Options of fit, with Keras' meaning.
template <class Scalar>
struct FitOptions {
  int epochs = 1;
  /// Samples of an update; any number above that of all samples: all of them.
  Index batch_size = 32;
  /// Draws a new order of the samples for each epoch.
  bool shuffle = true;
  /// Of the order of samples and of dropout. An epoch's random numbers follow from the seed and
  /// from how many epochs the model has been trained since compile, so that two trainings of one
  /// epoch give the same bits as one of two.
  std::uint64_t seed = 0;
  /// The share of the samples, from the end, that is kept for validation.
  double validation_split = 0;
  /// Which steps of x count, (B, T); all of them without. See also Mask::from_lengths.
  Mask mask = {};
  /// x and y for validation; goes before validation_split.
  std::optional<std::pair<Tensor<Scalar>, Tensor<Scalar>>> validation_data = std::nullopt;
  /// Which steps of the validation data count.
  Mask validation_mask = {};
  /// Sequence b of a batch goes on from the state that sequence b of the batch before ended with;
  /// each epoch begins with zeros. Needs shuffle = false, and batches of equal size.
  bool stateful = false;
  /// Trains sequences in windows of so many steps, from the state of the window before; derivatives
  /// end at a window's first step (truncated back-propagation through time, Williams & Peng 1990).
  /// 0: whole sequences.
  Index truncate = 0;
  /// The standard deviation of noise that is added to all weights for each step (Graves 2011).
  double weight_noise = 0;
  /// Each fit uses copies of its own.
  std::vector<Callback> callbacks = {};
  /// 0: silent, 1: progress bar, 2: a line for each epoch.
  int verbose = 1;
  /// The number of the first epoch, to go on with an earlier training: that many epochs are taken
  /// to be done already. 0: epochs count from 0, and random numbers go on from the epochs trained.
  int initial_epoch = 0;
};

}  // namespace strata::inline STRATA_TARGET
