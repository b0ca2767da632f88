#pragma once

#include <cmath>
#include <cstddef>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/network.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/class_weights.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/output_checks.hpp>
#include <strata/train/target_checks.hpp>
#include <strata/train/weight_noise.hpp>

// The checks of options and data that fit makes before anything changes.

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError when epochs, batch_size, initial_epoch or validation_split is out of range.
template <class Scalar>
void check_ranges(const FitOptions<Scalar>& options) {
  if (options.epochs < 1) {
    fail<ValueError>({"fit: epochs must be at least 1, found ", options.epochs});
  }
  if (options.batch_size < 1) {
    fail<ValueError>({"fit: batch_size must be at least 1, found ", options.batch_size});
  }
  if (options.read_ahead < 0) {
    fail<ValueError>({"fit: read_ahead must be at least 0, found ", options.read_ahead});
  }
  if (options.initial_epoch < 0 || options.initial_epoch >= options.epochs) {
    fail<ValueError>({"fit: initial_epoch must be at least 0 and below epochs, which is ",
                      options.epochs, "; found ", options.initial_epoch});
  }
  if (!is_finite(options.validation_split) || options.validation_split < 0 ||
      options.validation_split >= 1) {
    fail<ValueError>({"fit: validation_split must be in [0, 1), found ", options.validation_split});
  }
}

/// The number of samples that are trained of `all`, without the samples that validation_split takes
/// for validation. Throws what check_ranges throws.
template <class Scalar>
[[nodiscard]] Index training_samples(Index all, const FitOptions<Scalar>& options) {
  check_ranges(options);
  if (options.validation_data) return all;
  return static_cast<Index>(std::floor(static_cast<double>(all) * (1 - options.validation_split)));
}

/// Throws ValueError where samples from a source have options that are those of samples in memory.
template <class Scalar>
void check_source_options(const FitOptions<Scalar>& options, bool train, bool validation) {
  const auto refuse = [](const char* option, const char* member) {
    fail<ValueError>({"fit: ", option, " is for samples in memory; a source sets batch.", member});
  };
  if (train) {
    if (!options.mask.empty()) refuse("mask", "mask");
    if (!options.sample_weight.empty()) refuse("sample_weight", "sample_weight");
    if (!options.initial_state.empty()) refuse("initial_state", "state");
  }
  if (validation) {
    if (!options.validation_mask.empty()) refuse("validation_mask", "mask");
    if (!options.validation_sample_weight.empty()) {
      refuse("validation_sample_weight", "sample_weight");
    }
    if (!options.validation_state.empty()) refuse("validation_state", "state");
  }
}

/// Throws ValueError, naming the layer, where a network cannot go on from the state that it had at
/// the end of a window. `what` says what needs it.
template <class Scalar>
void check_carries_state(const char* what, const Network<Scalar>& network) {
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto& layer = network.layers()[i];
    on_error<ValueError>(
        [&] { layer.check_stream(); },
        [&](const ValueError& error) {
          fail<ValueError>({what, ": layer ", i, " (", layer.describe(), "): ", error.what()});
        });
  }
}

/// Throws ValueError on options of windows, states and noise that are out of range or exclude each
/// other, and ValueError or ShapeError where the data or a layer cannot do what the options ask
/// for. `samples`: the number of samples that are trained.
template <class Scalar>
void check_windows(const Network<Scalar>& network, const Loss<Scalar>& loss,
                   const Tensor<Scalar>& x, Index samples, const FitOptions<Scalar>& options) {
  if (options.truncate < 0) {
    fail<ValueError>({"fit: truncate must be at least 1 step, or 0, found ", options.truncate});
  }
  check_noise("fit: weight_noise", options.weight_noise);
  check_noise("fit: gradient_noise.eta", options.gradient_noise.eta);
  check_noise("fit: gradient_noise.gamma", options.gradient_noise.gamma);
  if (options.truncate > 0 && x.rank() != 3 && !takes_ids(network)) {
    fail<ShapeError>({"fit: truncate needs sequences (B, T, F), found ", x.shape()});
  }
  if (options.truncate > 0 && !loss.is_of_rows()) {
    fail<ValueError>({"fit: truncate cuts sequences into windows, but the loss ", loss.name(),
                      " needs whole sequences"});
  }
  if (options.stateful && options.shuffle) {
    detail::raise<ValueError>("fit: stateful needs shuffle = false");
  }
  if (options.stateful && samples > options.batch_size && samples % options.batch_size != 0) {
    fail<ValueError>({"fit: stateful needs batches of equal size, found ", samples,
                      " samples in batches of ", options.batch_size});
  }
  if (options.stateful && !options.initial_state.empty()) {
    detail::raise<ValueError>(
        "fit: stateful begins each epoch with zeros, so it excludes initial_state");
  }
  if (options.stateful || options.truncate > 0) {
    check_carries_state("fit: stateful and truncate carry a state", network);
  }
}

/// Throws ShapeError or ValueError when validation data in memory is no data for the network, or
/// has other features than x.
template <class Scalar>
void check_validation(const Network<Scalar>& network, const Loss<Scalar>& loss,
                      const Tensor<Scalar>& x, const Batch<Scalar>& validation) {
  const Tensor<Scalar>& x_validation = validation.x;
  check_not_empty("validation x", x_validation);
  check_finite("validation x", x_validation);
  const Shape output = network.output_shape(x_validation.shape());
  check_targets(validation.y, output, loss);
  check_target_values("validation y", network, loss, validation.y, output, validation.mask);
  check_sample_weights("validation_sample_weight", validation.sample_weight, output, loss);
  network.check_mask(validation.mask, x_validation);
  if (x_validation.features() != x.features() && !takes_ids(network)) {
    fail<ShapeError>({"validation x: expects ", x.features(), " features as x has, found ",
                      x_validation.features()});
  }
}

/// Throws ShapeError or ValueError when a state, unless it is empty, is not one of B sequences of
/// the network, or has numbers that are not finite.
template <class Scalar>
void check_initial_state(const char* what, const Network<Scalar>& network,
                         const State<Scalar>& state, Index batch) {
  if (state.empty()) return;
  network.check_state(what, state, batch);
  for (std::size_t i = 0; i < state.layers.size(); ++i) {
    for (const Scalar number : state.layers[i]) {
      if (!is_finite(number)) {
        fail<ValueError>({what, ": the state of layer ", i, " has the number ", number});
      }
    }
  }
}

/// Throws on data and options that fit refuses; x: all of `all` samples, or the first of a source.
/// prepare checks whether x and y fit the model.
template <class Scalar>
void check_fit(const Network<Scalar>& network, const Loss<Scalar>& loss, const Tensor<Scalar>& x,
               Index all, const FitOptions<Scalar>& options) {
  const Index samples = training_samples(all, options);
  check_not_empty("x", x);
  if (samples < 1 || (samples == all && options.validation_split > 0 && !options.validation_data)) {
    fail<ValueError>(
        {"fit: validation_split leaves ", samples, " of ", all, " samples for training"});
  }
  check_windows(network, loss, x, samples, options);
  if (options.validation_data) return;
  if (!options.validation_state.empty()) {
    detail::raise<ValueError>("fit: validation_state needs validation_data");
  }
  if (!options.validation_sample_weight.empty()) {
    detail::raise<ValueError>("fit: validation_sample_weight needs validation_data");
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
