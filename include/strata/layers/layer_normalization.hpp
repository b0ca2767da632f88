#pragma once

#include <Eigen/Core>
#include <span>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/normalize.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of a LayerNormalization layer, with Keras' defaults.
struct LayerNormalizationOptions {
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
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

/// Each sample, or step of one, with mean 0 and variance 1 over its features, then scaled and
/// shifted (Ba et al. 2016): y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with gamma and
/// beta of (F). (B, F) to (B, F), (B, T, F) to (B, T, F).
template <class Scalar = float, Index Features = Dynamic>
class LayerNormalization {
  using Row = detail::Row<Scalar>;
  using ConstRowMap = detail::Map<const Row>;
  using Normal = detail::Normal<Scalar>;
  using P = detail::Pack<Scalar>;

 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Features;
  static constexpr Index fixed_outputs = Features;

  /// Throws ValueError on a negative epsilon.
  explicit LayerNormalization(LayerNormalizationOptions options = {}) : options_(options) {
    if (!detail::is_finite(options.epsilon) || options.epsilon < 0) {
      detail::fail<ValueError>(
          {"LayerNormalization: epsilon must be at least 0, found ", options.epsilon});
    }
    if (features_ != Dynamic) build(features_);
  }

  [[nodiscard]] std::string kind() const { return "LayerNormalization"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] const LayerNormalizationOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add_all(options_);
  }
  [[nodiscard]] Index inputs() const noexcept { return features_; }

  [[nodiscard]] Index output_features(Index features) const {
    if (features_ != Dynamic && features != features_) {
      detail::fail<ShapeError>({"expects ", features_, " features, found ", features});
    }
    return features;
  }

  void build(Index features) {
    gamma_.resize(features, 1);
    beta_.resize(features, 1);
    features_ = features;
  }

  void initialize(const Random& random) {
    const auto draw = [&](const Initializer& initializer, auto& weights, std::uint64_t key) {
      Random own = random.fork(key);
      strata::initialize(initializer, WeightMatrix<Scalar>{weights.values(), features_, features_},
                         own);
    };
    draw(options_.gamma_initializer, gamma_, 0);
    draw(options_.beta_initializer, beta_, 1);
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    if (options_.scale) list.push_back({"gamma", {features_}, gamma_.values()});
    if (options_.center) list.push_back({"beta", {features_}, beta_.values()});
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return (Index(options_.scale) + Index(options_.center)) * features_;
  }

  struct Packed {
    Row gamma;
    Row beta;
    Scalar epsilon = 0;

    void step(const Scalar* x, Scalar*, Scalar* y) const noexcept {
      const Normal normal(x, gamma.size(), epsilon);
      detail::transform(
          gamma.size(), y,
          [&](P value, P slope, P shift) { return multiply_add(normal(value), slope, shift); }, x,
          gamma.data(), beta.data());
    }
  };

  struct Tape {};

  void pack(Packed& packed, bool) const {
    packed.gamma.setOnes(features_);
    packed.beta.setZero(features_);
    if (options_.scale) packed.gamma = ConstRowMap(gamma_.values().data(), features_);
    if (options_.center) packed.beta = ConstRowMap(beta_.values().data(), features_);
    packed.epsilon = Scalar(options_.epsilon);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.step(x.data() + at, nullptr, y.data() + at);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
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

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] LayerNormalization<Other> to_dynamic() const {
    LayerNormalization<Other> layer(options_);
    if (features_ == Dynamic) return layer;
    layer.build(features_);
    layer.gamma_.matrix() = gamma_.matrix().template cast<Other>();
    layer.beta_.matrix() = beta_.matrix().template cast<Other>();
    return layer;
  }

 private:
  template <class, Index>
  friend class LayerNormalization;

  Index features_ = Features;
  LayerNormalizationOptions options_;
  detail::Weights<Scalar, Features, 1> gamma_;
  detail::Weights<Scalar, Features, 1> beta_;
};

LayerNormalization()->LayerNormalization<float>;

}  // namespace strata::inline STRATA_TARGET
