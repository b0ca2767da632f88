#pragma once

#include <Eigen/Core>

#include <strata/activation.hpp>
#include <strata/recurrent/gated/weights.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The order of the gates in every kernel and bias of an LSTM, that of Keras and PyTorch.
struct LSTMGates {
  static constexpr Index input = 0;
  static constexpr Index forget = 1;
  static constexpr Index candidate = 2;
  static constexpr Index output = 3;
  static constexpr Index count = 4;
};

/// What an LSTM remembers from step to step: output h and memory c, one column for each sample.
template <class Scalar, Index Units = Dynamic, Index Samples = 1>
struct LSTMState {
  Eigen::Matrix<Scalar, Units, Samples, Eigen::ColMajor | Eigen::DontAlign> h;
  Eigen::Matrix<Scalar, Units, Samples, Eigen::ColMajor | Eigen::DontAlign> c;

  /// The state before the first step.
  [[nodiscard]] static LSTMState zero(Index units = Units, Index samples = Samples) {
    LSTMState state;
    state.h.setZero(units, samples);
    state.c.setZero(units, samples);
    return state;
  }
};

/// One step of the long short-term memory of Hochreiter & Schmidhuber 1997 with the forget gate of
/// Gers, Schmidhuber & Cummins 2000:
///
///   i = sigma(W_i x + U_i h + b_i), f = sigma(W_f x + U_f h + b_f),
///   g = phi(W_g x + U_g h + b_g), o = sigma(W_o x + U_o h + b_o), c' = f c + i g, h' = o phi(c').
///
/// The parameters stay as they are; the state goes in and comes out.
///
/// Shapes: kernel 4U x F, recurrent kernel 4U x U, bias 4U; in memory they are Keras' (F, 4U),
/// (U, 4U) and (4U). Scalar is float, double or any type with exp and tanh.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic>
class LSTMCell
    : public detail::GateWeights<Scalar, Inputs, Units, static_cast<int>(LSTMGates::count)> {
  using Base = detail::GateWeights<Scalar, Inputs, Units, static_cast<int>(LSTMGates::count)>;

 public:
  using Base::Base, Base::Rows, Base::bias, Base::kernel, Base::recurrent_kernel, Base::units;

  /// x_t and state to the next state. x_t: F x B, one column for each sample, so an ordinary Eigen
  /// vector for one. state: h and c of U x B.
  template <class X, Index Samples>
  [[nodiscard]] LSTMState<Scalar, Units, Samples> step(
      const Eigen::MatrixBase<X>& x, const LSTMState<Scalar, Units, Samples>& state) const {
    using Array = Eigen::Array<Scalar, Units, Samples, Eigen::ColMajor | Eigen::DontAlign>;
    using Z = Eigen::Matrix<Scalar, Rows, Samples, Eigen::ColMajor | Eigen::DontAlign>;
    const auto sigma = [&](const Scalar& z) { return activate(recurrent_activation, z); };
    const auto phi = [&](const Scalar& z) { return activate(activation, z); };

    const Z z =
        (kernel().lazyProduct(x) + recurrent_kernel().lazyProduct(state.h)).colwise() + bias();

    // Eigen computes these expressions where c and h use them, each number once.
    const auto i = gate(z, LSTMGates::input).unaryExpr(sigma);
    const auto f = gate(z, LSTMGates::forget).unaryExpr(sigma);
    const auto g = gate(z, LSTMGates::candidate).unaryExpr(phi);
    const auto o = gate(z, LSTMGates::output).unaryExpr(sigma);

    const Array c = f * state.c.array() + i * g;
    const Array h = o * c.unaryExpr(phi);
    return {h, c};
  }

  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;

 private:
  template <class Z>
  [[nodiscard]] auto gate(const Z& z, Index which) const {
    return z.template middleRows<Units>(which * units(), units()).array();
  }
};

}  // namespace strata::inline STRATA_TARGET
