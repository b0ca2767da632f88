#pragma once

#include <span>
#include <string>
#include <vector>

#include <strata/detail/dropout_mask.hpp>
#include <strata/layers/layer.hpp>

namespace strata {

/// Drops a share of its inputs in training and scales up the rest; does nothing in prediction
/// (Srivastava et al. 2014). (B, F) to (B, F), (B, T, F) to (B, T, F).
template <class Scalar = float>
class Dropout {
 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;

  /// Throws ValueError unless the rate is in [0, 1).
  explicit Dropout(double rate) : rate_(rate) { detail::check_rate("Dropout: the rate", rate); }

  [[nodiscard]] std::string kind() const { return "Dropout"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] double rate() const noexcept { return rate_; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }

  [[nodiscard]] Index output_features(Index features) const { return features; }
  void build(Index features) { inputs_ = features; }
  void initialize(const Random&) {}
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return {}; }

  struct Packed {
    Index features = 0;

    void step(const Scalar* x, Scalar*, Scalar* y) const noexcept { std::copy_n(x, features, y); }
  };

  /// The masks are drawn again in backward, from the same numbers.
  struct Tape {
    Random random;
  };

  void pack(Packed& packed, bool) const { packed.features = inputs_; }

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y) const { y = x; }

  void forward(const Packed&, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass& pass) const {
    tape.random = pass.random;
    y.resize(x.shape());
    scale(tape, x.data(), y.data(), x.size());
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape& tape, std::span<Scalar>, Tensor<Scalar>* dx) const {
    if (!dx) return;
    dx->resize(x.shape());
    scale(tape, std::as_const(dy).data(), dx->data(), x.size());
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  template <class Other>
  [[nodiscard]] Dropout<Other> to_dynamic() const {
    Dropout<Other> layer(rate_);
    layer.build(inputs_);
    return layer;
  }

 private:
  void scale(const Tape& tape, const Scalar* from, Scalar* to, Index size) const {
    for (Index i = 0; i < size; ++i) {
      to[i] = from[i] * detail::dropout_factor<Scalar>(tape.random, i, rate_);
    }
  }

  double rate_;
  Index inputs_ = Dynamic;
};

Dropout(double)->Dropout<float>;

}  // namespace strata
