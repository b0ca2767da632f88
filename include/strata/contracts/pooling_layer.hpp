#pragma once

#include <string>

#include <strata/base/message.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error.hpp>
#include <strata/support/counted_rows.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What layers have in common that make one output of a sequence from those of its steps that
/// count, without parameters: (B, T, F) to (B, F). They need the whole sequence, so they cannot
/// stream.
///
/// `Layer` is the class template that inherits this one.
template <template <class> class Layer, class Scalar>
class PoolingLayer : public PlainLayer<Scalar> {
 public:
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::last;
  static constexpr LayerTraits traits{.streams = false};

  [[nodiscard]] std::string kind() const { return Layer<Scalar>::name; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] LayerDescription description() const { return LayerDescription{kind()}; }
  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };
  struct Tape {};

  void pack(Packed&, bool) const {}

  void check_stream() const {
    fail<ValueError>({kind(), " needs the whole sequence, which a stream does not have"});
  }

  template <class Other>
  [[nodiscard]] Layer<Other> to_dynamic() const {
    Layer<Other> layer;
    layer.build(this->inputs());
    return layer;
  }

 protected:
  /// Calls f(t) for each step t of sequence b of x that counts.
  template <class F>
  static void for_each_step(const Tensor<Scalar>& x, Index b, const Pass<Scalar>& pass, F f) {
    const CountedRows sequence{pass.mask, b, x.steps(), 0};
    for (Index t = 0; t < x.steps(); ++t) {
      if (sequence.counts(t)) f(t);
    }
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
