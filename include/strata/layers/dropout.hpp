#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/support/dropout_mask.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a Dropout layer.
///
///   Dropout{0.2, {.same_for_all_steps = true}}
struct DropoutOptions {
  /// Whether the same features are dropped at every step of a sequence, as with Keras' noise_shape
  /// (B, 1, F) (Gal & Ghahramani 2016). Off, as in Keras: every step draws anew.
  bool same_for_all_steps = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("same_for_all_steps", self.same_for_all_steps);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Drops a share of its inputs in training and scales up the rest; does nothing in prediction
/// (Srivastava et al. 2014). (B, F) to (B, F), (B, T, F) to (B, T, F).
template <class Scalar = float>
class Dropout : public detail::PlainLayer<Scalar> {
 public:
  static constexpr LayerTraits traits{.execution = true};
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;

  /// Throws ValueError unless the rate is in [0, 1).
  explicit Dropout(double rate, DropoutOptions options = {}) : rate_(rate), options_(options) {
    detail::check_rate("Dropout: the rate", rate);
  }

  [[nodiscard]] std::string kind() const { return "Dropout"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] double rate() const noexcept { return rate_; }
  [[nodiscard]] const DropoutOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("rate", rate_).add_all(options_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    Index features = 0;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      std::copy_n(x, features, y);
    }
  };

  /// The masks are drawn again in backward, from the same numbers.
  struct Tape {
    Random random;
  };

  /// Numbers pass unchanged.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.bounded = asked.bounded};
  }

  void pack(Packed& packed, bool) const { packed.features = this->inputs(); }

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y = x;
  }

  void forward(const Packed&, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    tape.random = pass.random;
    y.resize(x.shape());
    scale(tape, x, y);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape& tape, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    scale(tape, dy, *dx);
  }

  template <class Other>
  [[nodiscard]] Dropout<Other> to_dynamic() const {
    Dropout<Other> layer(rate_, options_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  void scale(const Tape& tape, const Tensor<Scalar>& from, Tensor<Scalar>& to) const {
    const Scalar* values = from.data();
    Scalar* scaled = to.data();
    const Index features = from.features();
    for (Index row = 0; row < from.batch() * from.steps(); ++row) {
      const Index draw = options_.same_for_all_steps ? row / from.steps() : row;
      for (Index i = draw * features; i < (draw + 1) * features; ++i) {
        *scaled++ = *values++ * detail::dropout_factor<Scalar>(tape.random, i, rate_);
      }
    }
  }

  double rate_;
  DropoutOptions options_;
};

Dropout(double)->Dropout<float>;
Dropout(double, DropoutOptions)->Dropout<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Dropout<Scalar>> : HeldAs<HeldKind::dropout> {};

}  // namespace strata::detail
