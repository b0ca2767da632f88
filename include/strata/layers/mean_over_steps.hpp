#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error_handler.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The mean of a sequence over its steps, without masked steps, as Keras' GlobalAveragePooling1D:
/// (B, T, F) to (B, F). The mean of a sequence whose steps are all masked is zeros. The layer needs
/// the whole sequence, so it cannot stream.
template <class Scalar = float>
class MeanOverSteps : public detail::PlainLayer<Scalar> {
 public:
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::last;
  static constexpr LayerTraits traits{.streams = false};

  [[nodiscard]] std::string kind() const { return "MeanOverSteps"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] LayerDescription description() const { return LayerDescription{kind()}; }
  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };
  struct Tape {};

  void pack(Packed&, bool) const {}

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize({x.batch(), x.features()});
    std::ranges::fill(y.values(), Scalar(0));
    for_each_step(x, pass, [&](Index b, const auto& step, Scalar share) {
      detail::matrix_of(y).row(b) += share * step;
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>& pass) const {
    if (!dx) return;
    dx->resize(x.shape());
    std::ranges::fill(dx->values(), Scalar(0));
    for_each_step(*dx, pass, [&](Index b, auto step, Scalar share) {
      step = share * detail::matrix_of(dy).row(b);
    });
  }

  void check_stream() const {
    detail::raise<ValueError>(
        "MeanOverSteps needs the whole sequence, which a stream does not have");
  }

  template <class Other>
  [[nodiscard]] MeanOverSteps<Other> to_dynamic() const {
    MeanOverSteps<Other> layer;
    layer.build(this->inputs());
    return layer;
  }

 private:
  /// Calls f(b, step, share) for each step of sequence b that counts: `step` is the row of its
  /// features, `share` is 1 / the number of steps of the sequence that count.
  template <class Sequences, class F>
  static void for_each_step(Sequences& x, const Pass<Scalar>& pass, F f) {
    for (Index b = 0; b < x.batch(); ++b) {
      const auto counts = [&](Index t) { return !pass.mask || (*pass.mask)(b, t); };
      Index count = 0;
      for (Index t = 0; t < x.steps(); ++t) count += counts(t) ? 1 : 0;
      for (Index t = 0; t < x.steps(); ++t) {
        if (counts(t))
          f(b, detail::sequence_of(x, b).row(t), Scalar(1) / static_cast<Scalar>(count));
      }
    }
  }
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<MeanOverSteps<Scalar>> : HeldAs<HeldKind::mean_over_steps> {};

}  // namespace strata::detail
