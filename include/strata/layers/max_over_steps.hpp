#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The largest value of each feature over the steps of a sequence, without masked steps: (B, T, F)
/// to (B, F). It is Keras' GlobalMaxPooling1D, which, however, knows no masks. The largest value of
/// a sequence whose steps are all masked is zero. The layer needs the whole sequence, so it cannot
/// stream.
template <class Scalar = float>
class MaxOverSteps : public detail::PlainLayer<Scalar> {
 public:
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::last;
  static constexpr LayerTraits traits{.streams = false};

  [[nodiscard]] std::string kind() const { return "MaxOverSteps"; }
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
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index f = 0; f < x.features(); ++f) {
        bool any = false;
        Scalar largest = 0;
        for_each_step(x, b, pass, [&](Index t) {
          const Scalar value = x(b, t, f);
          if (!any || value > largest || detail::is_nan(value)) largest = value;
          any = true;
        });
        y(b, f) = largest;
      }
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  /// Steps with the same largest value share its derivative, as in Keras.
  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>& y, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>& pass) const {
    if (!dx) return;
    dx->resize(x.shape());
    std::ranges::fill(dx->values(), Scalar(0));
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index f = 0; f < x.features(); ++f) {
        Index count = 0;
        for_each_step(x, b, pass, [&](Index t) { count += x(b, t, f) == y(b, f) ? 1 : 0; });
        for_each_step(x, b, pass, [&](Index t) {
          if (x(b, t, f) == y(b, f)) {
            (*dx)(b, t, f) = std::as_const(dy)(b, f) / static_cast<Scalar>(count);
          }
        });
      }
    }
  }

  void check_stream() const {
    detail::raise<ValueError>(
        "MaxOverSteps needs the whole sequence, which a stream does not have");
  }

  template <class Other>
  [[nodiscard]] MaxOverSteps<Other> to_dynamic() const {
    MaxOverSteps<Other> layer;
    layer.build(this->inputs());
    return layer;
  }

 private:
  /// Calls f(t) for each step of sequence b that counts.
  template <class F>
  static void for_each_step(const Tensor<Scalar>& x, Index b, const Pass<Scalar>& pass, F f) {
    for (Index t = 0; t < x.steps(); ++t) {
      if (!pass.mask || (*pass.mask)(b, t)) f(t);
    }
  }
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<MaxOverSteps<Scalar>> : HeldAs<HeldKind::max_over_steps> {};

}  // namespace strata::detail
