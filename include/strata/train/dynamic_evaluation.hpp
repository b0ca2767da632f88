#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/history.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of dynamic_evaluation.
///
///   dynamic_evaluation(model, SGD{.learning_rate = 1e-3}, loss, x, y, {.window = 50})
template <class Scalar>
struct DynamicEvaluationOptions {
  /// The steps after which the model learns, at least 1. 100, as in Graves 2013.
  Index window = 100;
  /// Which steps of x count, (B, T). By default it is empty: every step counts.
  Mask mask = {};
  /// Figures beside the loss.
  std::vector<Metric<Scalar>> metrics = {};
  /// The seed of dropout and noise in the layers, which act while the model learns. 0.
  std::uint64_t seed = 0;
};

/// What dynamic_evaluation finds.
template <class Model>
struct DynamicEvaluation {
  /// Loss and metrics over all steps.
  Evaluation figures;
  /// The model after it has learned from all windows.
  Model model;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] Evaluation dynamic_evaluation(TrainableNetwork<Scalar> network,
                                            Optimizer<Scalar> optimizer, Loss<Scalar> loss,
                                            const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                            const DynamicEvaluationOptions<Scalar>& options);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Dynamic evaluation (Mikolov et al. 2010; Graves 2013, section 3): scores long sequences window
/// by window, and lets the model learn each window after it has been scored, so that it gets used
/// to the sequences while it reads them. A score never sees a weight that has learned from the
/// window itself. States go on from window to window.
///
///   const auto dynamic = dynamic_evaluation(model, SGD{.learning_rate = 1e-3}, loss, x, y);
///   std::cout << model.evaluate(x, y).loss << " static, " << dynamic.figures.loss << " dynamic\n";
///
/// x (B, T, F), or (B, T) of class numbers; y has targets for each step. The model learns in a
/// copy, which is returned beside the figures: the caller's model stays as it was.
///
/// Throws StateError on a model that is not built, ShapeError and ValueError where x, y or the mask
/// do not fit, on a model with one output for a whole sequence or with a layer that cannot go on
/// from a state, on a loss of whole sequences, and when a loss or weight is not finite.
template <class Model>
[[nodiscard]] DynamicEvaluation<Model> dynamic_evaluation(
    Model model, Optimizer<typename Model::scalar_type> optimizer,
    Loss<typename Model::scalar_type> loss, const Tensor<typename Model::scalar_type>& x,
    const Tensor<typename Model::scalar_type>& y,
    const DynamicEvaluationOptions<typename Model::scalar_type>& options = {}) {
  Evaluation figures = detail::dynamic_evaluation(model.trainable_network(), std::move(optimizer),
                                                  std::move(loss), x, y, options);
  return {std::move(figures), std::move(model)};
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/dynamic_evaluation_definitions.hpp>
#endif
