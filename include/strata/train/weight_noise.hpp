#pragma once

#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError on a deviation of noise that is negative or not finite. `what` is its name.
inline void check_noise(const char* what, double deviation) {
  if (is_finite(deviation) && deviation >= 0) return;
  fail<ValueError>(
      {what, " must be ", is_finite(deviation) ? "at least 0" : "finite", ", found ", deviation});
}

/// Adds noise to the trainable weights of a network for as long as the object lives (Graves 2011,
/// "Practical variational inference for neural networks"). Afterwards the weights are as before,
/// bit for bit.
template <class Scalar>
class WeightNoise {
 public:
  /// The noise is normal, with the mean 0 and the standard deviation `deviation`. `clean` holds the
  /// weights without noise; the caller keeps it, so that its memory is allocated once for all
  /// steps.
  WeightNoise(TrainableNetwork<Scalar>& network, double deviation, const Random& random,
              KeptWeights<Scalar>& clean)
      : clean_(clean), parameters_(network.parameters()) {
    clean_.keep_all(parameters_);
    // The layers use the forks below network.size().
    Random noise = random.fork(network.size());
    for (const auto& parameter : parameters_) {
      if (!parameter.trainable) continue;
      add_noise(parameter.values, deviation, noise);
    }
  }
  WeightNoise(const WeightNoise&) = delete;
  WeightNoise& operator=(const WeightNoise&) = delete;
  ~WeightNoise() { clean_.put_back(parameters_); }

 private:
  KeptWeights<Scalar>& clean_;
  std::vector<Parameter<Scalar>> parameters_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
