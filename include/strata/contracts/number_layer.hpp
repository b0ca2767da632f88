#pragma once

#include <span>
#include <string>
#include <utility>

#include <strata/contracts/plain_layer.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What layers have in common that compute y = f(x) number by number, without parameters: (B, F) to
/// (B, F), (B, T, F) to (B, T, F).
///
/// `Layer` is the class template that inherits this one, made from `Settings`. `Function` is made
/// from the settings: a copyable type with `value(x)` and `derivative(x)` for a register x.
template <template <class> class Layer, class Scalar, class Settings, class Function>
class NumberLayer : public PlainLayer<Scalar> {
  using P = Pack<Scalar>;

 public:
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;

  [[nodiscard]] std::string kind() const { return Layer<Scalar>::name; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] const Settings& options() const noexcept { return settings_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add_all(settings_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    Function function;
    Index features = 0;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      numbers(x, y, features);
    }
    void numbers(const Scalar* x, Scalar* y, Index count) const noexcept {
      transform(
          count, y, [this](P v) { return function.value(v); }, x);
    }
  };

  struct Tape {};

  void pack(Packed& packed, bool) const {
    packed.function = Function(settings_);
    packed.features = this->inputs();
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    packed.numbers(x.data(), y.data(), x.size());
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
    transform(
        x.size(), dx->data(), [&](P v, P slope) { return packed.function.derivative(v) * slope; },
        x.data(), std::as_const(dy).data());
  }

  template <class Other>
  [[nodiscard]] Layer<Other> to_dynamic() const {
    Layer<Other> layer(settings_);
    layer.build(this->inputs());
    return layer;
  }

 protected:
  explicit NumberLayer(Settings settings) : settings_(std::move(settings)) {}

 private:
  Settings settings_;
};

}  // namespace strata::detail::inline STRATA_TARGET
