#pragma once

#include <span>
#include <string>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/mask.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/shards.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/apply_weight_rules.hpp>
#include <strata/train/class_weights.hpp>
#include <strata/train/training.hpp>
#include <strata/train/trial_build.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ShapeError, ValueError or StateError when x (B, F) or (B, T, F), with its mask, is not
/// data for a model, built or not.
template <class Scalar>
void check_data(const ForwardNetwork<Scalar>& model, const Tensor<Scalar>& x, const Mask& mask) {
  check_not_empty("x", x);
  if (model.size() == 0) detail::raise<StateError>("the model has no layers");
  if (model.is_built()) {
    model.check_data(x);
  } else {
    check_finite("x", x);
  }
  model.check_mask(mask, x);
}

/// Throws ShapeError or ValueError unless targets and weights fit outputs of a shape.
template <class Scalar>
void check_goal(const char* weights, const Training<Scalar>& training, const Goal<Scalar>& goal,
                const Shape& output) {
  training.check_targets(goal.y, output);
  check_sample_weights(weights, goal.weights, output, training.loss);
}

/// Throws when x and its goal, with their mask, are not data for the model of `build`, and on
/// weight rules that name no parameter of the model. Builds the model for x; the caller has to keep
/// it built. `is_first`: whether to check the values of targets and outputs too, which is done for
/// the first batch of a training alone.
template <class Scalar>
void prepare(const ForwardNetwork<Scalar>& model, TrialBuild<Scalar>& build,
             const Training<Scalar>& training, const Tensor<Scalar>& x, const Goal<Scalar>& goal,
             const Mask& mask, bool is_first = true) {
  check_data(model, x, mask);
  check_goal("sample_weight", training, goal, model.output_shape(x.shape()));
  if (is_first) training.check(model, x.shape(), goal.y, mask);
  build.build_for(x);
  model.check_parameter_rules();
  if (!training.update.rules.empty()) check_rules(training.update.rules, model.parameters());
}

/// Throws ShapeError or ValueError, naming the samples, unless a source has filled a batch with
/// data for the model and the loss. `numbers`: the samples that it was asked for. `own`: the rows
/// of x that this process has, the only ones that are checked.
template <class Scalar>
void check_batch(const ForwardNetwork<Scalar>& network, const Training<Scalar>& training,
                 const Batch<Scalar>& batch, std::span<const Index> numbers, const Shard& own) {
  const auto in_batch = [&](const char* what) {
    return message({"the batch of samples ", numbers.front(), numbers.size() > 1 ? " ... " : "",
                    numbers.size() > 1 ? message({numbers.back()}) : std::string(), ": ", what});
  };
  const auto check = [&] {
    if (batch.x.batch() != static_cast<Index>(numbers.size())) {
      fail<ShapeError>({"the source was asked for ", numbers.size(),
                        " samples, and has filled x with ", batch.x.batch()});
    }
    if (own.count > 0) {
      check_data(network, batch.x.rows(own.first, own.count), rows_of(&batch.mask, own));
    }
    check_goal("sample_weight", training, {batch.y, batch.sample_weight},
               network.output_shape(batch.x.shape()));
  };
  on_error<ShapeError>(
      [&] {
        on_error<ValueError>(
            check, [&](const ValueError& error) { raise<ValueError>(in_batch(error.what())); });
      },
      [&](const ShapeError& error) { raise<ShapeError>(in_batch(error.what())); });
}

}  // namespace strata::detail::inline STRATA_RUNTIME
