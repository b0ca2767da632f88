#pragma once

#include <utility>

#include <strata/model/forward_network.hpp>
#include <strata/model/options.hpp>
#include <strata/model/predict.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Predicts with weights that are packed once, as a Stream does with steps; model.predict packs
/// them for each call. It pays where calls are short: one sequence, or a few.
///
///   const Predictor predictor{model};
///   Tensor<float> y = predictor(x);               // from any thread
///
/// A Predictor has a copy of the model, whose later changes do not reach it. Several threads may
/// use one at the same time.
template <class Model>
class Predictor {
 public:
  using Scalar = typename Model::scalar_type;

  /// `precision`: as in PredictOptions. The model may be a temporary. Throws StateError before the
  /// model is built, ValueError where no layer can run in `precision`.
  explicit Predictor(Model model, Precision precision = Precision::full)
      : model_(std::move(model)) {
    const auto network = std::as_const(model_).forward_network();
    network.require_built("the model's sizes");
    network.pack(packed_, false);
    if (precision != Precision::full) network.reduce("Predictor", packed_, precision);
  }

  /// The outputs for all samples of x, as model.predict(x, options). `options.precision` has no
  /// part in it.
  [[nodiscard]] Tensor<Scalar> operator()(const Tensor<Scalar>& x,
                                          const PredictOptions<Scalar>& options = {}) const {
    return detail::predict(model_.forward_network(), packed_, x, options);
  }

 private:
  Model model_;
  typename ForwardNetwork<Scalar>::Packed packed_;
};

}  // namespace strata::inline STRATA_RUNTIME
