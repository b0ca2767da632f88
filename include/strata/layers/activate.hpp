#pragma once

#include <span>
#include <string>
#include <utility>

#include <strata/activation.hpp>
#include <strata/activation_rows.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' Activation layer: y = activation(x), number by number; softmax over the features. (B, F)
/// to (B, F), (B, T, F) to (B, T, F).
template <class Scalar = float>
class Activate : public detail::PlainLayer<Scalar> {
 public:
  static constexpr LayerTraits traits{.execution = true};
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;

  explicit Activate(Activation activation) : activation_(activation) {}

  [[nodiscard]] std::string kind() const { return "Activation"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", std::string(name(activation_))});
  }
  [[nodiscard]] Activation activation() const noexcept { return activation_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("activation", activation_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.bounded = is_bounded(activation_, asked.bounded)};
  }

  struct Packed {
    Activation activation;
    Index features;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept { rows(x, y, 1); }

    /// x and y: `count` rows of F numbers.
    void rows(const Scalar* x, Scalar* y, Index count) const noexcept {
      detail::activate_rows(activation, count, features, x, y);
    }
  };

  struct Tape {};

  void pack(Packed& packed, bool) const { packed = {activation_, this->inputs()}; }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    packed.rows(x.data(), y.data(), x.batch() * x.steps());
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar>, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    detail::activation_gradient(activation_, x.batch() * x.steps(), packed.features, x.data(),
                                y.data(), std::as_const(dy).data(), dx->data());
  }

  template <class Other>
  [[nodiscard]] Activate<Other> to_dynamic() const {
    Activate<Other> layer(activation_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  Activation activation_;
};

Activate(Activation)->Activate<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Activate<Scalar>> : HeldAs<HeldKind::activate> {};

}  // namespace strata::detail
