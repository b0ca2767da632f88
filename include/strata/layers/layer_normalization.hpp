#pragma once

#include <cstddef>
#include <span>

#include <strata/contracts/feature_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/normalize.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a LayerNormalization layer, with the names and defaults of Keras.
///
///   LayerNormalization{{.epsilon = 1e-5, .center = false}}
struct LayerNormalizationOptions {
  /// Added to the variance, so that a feature that hardly varies is not blown up. Keras' default;
  /// PyTorch's is 1e-5.
  double epsilon = 1e-3;
  /// Whether beta is added. A layer with a bias right behind needs none.
  bool center = true;
  /// Whether gamma multiplies. A layer that multiplies by weights right behind needs none.
  bool scale = true;
  /// First values of beta and of gamma: 0 and 1, so that at first nothing but the normalization
  /// happens.
  Initializer beta_initializer = Zeros{};
  Initializer gamma_initializer = Ones{};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("epsilon", self.epsilon);
    f("center", self.center);
    f("scale", self.scale);
    f("beta_initializer", self.beta_initializer);
    f("gamma_initializer", self.gamma_initializer);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Each sample, or step of one, with mean 0 and variance 1 over its features, then scaled and
/// shifted (Ba et al. 2016): y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with gamma and
/// beta of (F). (B, F) to (B, F), (B, T, F) to (B, T, F).
template <class Scalar = float, Index Features = Dynamic>
class LayerNormalization : public detail::FeatureLayer<LayerNormalization, Scalar, Features,
                                                       LayerNormalizationOptions, 2> {
  using Base =
      detail::FeatureLayer<LayerNormalization, Scalar, Features, LayerNormalizationOptions, 2>;
  using Base::features_, Base::options_;
  using typename Base::Row;
  using Normal = detail::Normal<Scalar>;
  using P = detail::Pack<Scalar>;

  /// Places of the arrays.
  static constexpr std::size_t gamma_place = 0;
  static constexpr std::size_t beta_place = 1;

 public:
  using typename Base::Tape;

  static constexpr const char* name = "LayerNormalization";
  static constexpr LayerTraits traits{};

  /// Throws ValueError on a negative epsilon.
  explicit LayerNormalization(LayerNormalizationOptions options = {})
      : Base(
            options,
            {{{.name = "gamma", .initializer = options.gamma_initializer, .used = options.scale},
              {.name = "beta", .initializer = options.beta_initializer, .used = options.center}}}) {
    detail::check_normalization_epsilon(name, options.epsilon);
  }

  struct Packed {
    Row gamma;
    Row beta;
    Scalar epsilon = 0;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      const Normal normal(x, gamma.size(), epsilon);
      detail::transform(
          gamma.size(), y,
          [&](P value, P slope, P shift) { return multiply_add(normal(value), slope, shift); }, x,
          gamma.data(), beta.data());
    }
  };

  void pack(Packed& packed, bool) const {
    this->copy_row(gamma_place, packed.gamma, 1);
    this->copy_row(beta_place, packed.beta);
    packed.epsilon = Scalar(options_.epsilon);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (dx) dx->resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      const Scalar* const from = x.data() + at;
      const Scalar* const slope = dy.data() + at;
      const Normal normal(from, features_, packed.epsilon);
      Scalar* to = gradient.data();
      if (options_.scale) {
        detail::transform(
            features_, to, [&](P value, P d, P sum) { return multiply_add(d, normal(value), sum); },
            from, slope, to);
        to += features_;
      }
      if (options_.center) detail::add_scaled(features_, Scalar(1), slope, to);
      if (!dx) continue;
      Scalar* const out = dx->data() + at;
      detail::transform(features_, out, normal, from);
      detail::normal_backward(features_, out, normal.factor, packed.gamma.data(), slope, out);
    }
  }
};

LayerNormalization()->LayerNormalization<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<LayerNormalization<Scalar>> : HeldAs<HeldKind::layer_normalization> {};

}  // namespace strata::detail
