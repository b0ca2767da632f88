#pragma once

#include <vector>

#include <strata/contracts/layer_ref.hpp>
#include <strata/model/network.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A network that can predict.
template <class Scalar>
class ForwardNetwork : public Network<Scalar> {
 public:
  using Packed = std::vector<PackedLayer>;

  ForwardNetwork(std::vector<ForwardRef<Scalar>> layers, NetworkSetup& setup);

  /// Throws when x is not data for this model: StateError before it is built, ShapeError when the
  /// shape does not fit, ValueError when a value is not finite.
  void check_data(const Tensor<Scalar>& x) const;

  /// Throws ValueError, with the place, on finite values that the first layer does not take.
  void check_values(const Tensor<Scalar>& x) const { forward_.front().check_input(x); }

  void pack(Packed& packed, bool training) const;

  /// Adds the weights of a precision to packed ones. Throws ValueError, with the name of the asker
  /// `who`, where no layer can run in it.
  void reduce(const char* who, Packed& packed, Precision precision) const;

  /// The outputs for x, predicted in one thread. The output of a layer is overwritten as soon as
  /// the next layer has read it.
  [[nodiscard]] Tensor<Scalar> forward(const Packed& packed, const Tensor<Scalar>& x,
                                       const SequenceContext<Scalar>& context = {}) const;

 private:
  std::vector<ForwardRef<Scalar>> forward_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/forward_network_definitions.hpp>
#endif
