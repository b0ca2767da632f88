#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Adds normal noise of mean 0 and standard deviation `stddev` to its inputs in training, as in
/// Keras; does nothing in prediction. (B, F) to (B, F), (B, T, F) to (B, T, F).
///
///   GaussianNoise{0.1}
template <class Scalar = float>
class GaussianNoise : public detail::PlainLayer<Scalar> {
 public:
  static constexpr LayerTraits traits{.execution = true};
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;

  /// Throws ValueError when `stddev` is negative or not finite.
  explicit GaussianNoise(double stddev) : stddev_(stddev) {
    if (!detail::is_finite(stddev) || stddev < 0) {
      detail::fail<ValueError>({"GaussianNoise: stddev must be at least 0, found ", stddev});
    }
  }

  [[nodiscard]] std::string kind() const { return "GaussianNoise"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] double stddev() const noexcept { return stddev_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("stddev", stddev_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    Index features = 0;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      std::copy_n(x, features, y);
    }
  };

  struct Tape {};

  /// Numbers pass unchanged.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.bounded = asked.bounded};
  }

  void pack(Packed& packed, bool) const { packed.features = this->inputs(); }

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y = x;
  }

  void forward(const Packed&, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y = x;
    Random random = pass.random;
    for (Scalar& value : y.values()) value += Scalar(stddev_ * random.normal());
  }

  void backward(const Packed&, const Tensor<Scalar>&, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>&) const {
    if (dx) *dx = std::as_const(dy);
  }

  template <class Other>
  [[nodiscard]] GaussianNoise<Other> to_dynamic() const {
    GaussianNoise<Other> layer(stddev_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  double stddev_;
};

GaussianNoise(double)->GaussianNoise<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<GaussianNoise<Scalar>> : HeldAs<HeldKind::gaussian_noise> {};

}  // namespace strata::detail
