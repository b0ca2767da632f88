#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Masks padding, the steps at which every feature is `value`: recurrent layers, losses and metrics
/// behind this layer pass over such steps, and its own output is zeros there. The mask replaces one
/// that comes with x, as in Keras. (B, T, F) to (B, T, F).
///
/// A stream passes over such steps too: the layers behind repeat their last output and keep their
/// state.
template <class Scalar = float>
class Masking : public detail::PlainLayer<Scalar> {
 public:
  static constexpr LayerTraits traits{.output_mask = true, .makes_mask = true, .execution = true};
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::same;

  explicit Masking(double value = 0) : value_(value) {}

  [[nodiscard]] std::string kind() const { return "Masking"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] double value() const noexcept { return value_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("value", value_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  [[nodiscard]] bool makes_mask() const noexcept { return true; }
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask&) const {
    Mask mask(x.batch(), x.steps());
    const Scalar* row = x.data();
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index t = 0; t < x.steps(); ++t, row += x.features()) {
        mask.set(b, t, counts(row, x.features(), Scalar(value_)));
      }
    }
    return mask;
  }

  struct Packed {
    Index features = 0;
    Scalar value = 0;

    [[nodiscard]] bool counts(const Scalar* x, bool) const noexcept {
      return Masking::counts(x, features, value);
    }

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      if (counts(x, true)) {
        std::copy_n(x, features, y);
      } else {
        std::fill_n(y, features, Scalar(0));
      }
    }
  };

  struct Tape {};

  /// Numbers pass unchanged.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.bounded = asked.bounded};
  }

  void pack(Packed& packed, bool) const { packed = {this->inputs(), Scalar(value_)}; }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += packed.features) {
      packed.step(x.data() + at, nullptr, y.data() + at, WeightOrder::ascending);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar>, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    for (Index at = 0; at < x.size(); at += packed.features) {
      if (counts(x.data() + at, packed.features, packed.value)) {
        std::copy_n(dy.data() + at, packed.features, dx->data() + at);
      } else {
        std::fill_n(dx->data() + at, packed.features, Scalar(0));
      }
    }
  }

  template <class Other>
  [[nodiscard]] Masking<Other> to_dynamic() const {
    Masking<Other> layer(value_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  [[nodiscard]] static bool counts(const Scalar* row, Index features, Scalar value) noexcept {
    return std::any_of(row, row + features, [value](Scalar x) { return x != value; });
  }

  double value_;
};

Masking(double)->Masking<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Masking<Scalar>> : HeldAs<HeldKind::masking> {};

}  // namespace strata::detail
