#include <cmath>
#include <vector>

#include <strata/layers/lstm_cell.hpp>
#include <strata/random.hpp>

#include "support/catch.hpp"
#include "support/dual.hpp"

// The cell alone, against the equations written out number by number.

namespace {

using namespace strata;
using strata::test::Dual;

template <class Matrix>
void fill(Matrix&& matrix, Random& random) {
  for (Index i = 0; i < matrix.size(); ++i) {
    matrix.data()[i] = typename std::decay_t<Matrix>::Scalar(random.uniform() * 2 - 1);
  }
}

template <class Cell>
void fill_cell(Cell& cell, std::uint64_t seed = 1) {
  Random random(seed);
  fill(cell.kernel(), random);
  fill(cell.recurrent_kernel(), random);
  fill(cell.bias(), random);
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

struct ByHand {
  std::vector<double> h;
  std::vector<double> c;
};

/// One step for one sample. w(gate, unit, input), u(gate, unit, unit), b(gate, unit).
template <class W, class U, class B>
ByHand by_hand(const std::vector<double>& x, const ByHand& state, W w, U u, B b) {
  ByHand next = state;
  const std::size_t units = state.h.size();
  for (std::size_t unit = 0; unit < units; ++unit) {
    double z[4];
    for (std::size_t gate = 0; gate < 4; ++gate) {
      z[gate] = b(gate, unit);
      for (std::size_t k = 0; k < x.size(); ++k) z[gate] += w(gate, unit, k) * x[k];
      for (std::size_t k = 0; k < units; ++k) z[gate] += u(gate, unit, k) * state.h[k];
    }
    const double i = sigmoid(z[0]);
    const double f = sigmoid(z[1]);
    const double g = std::tanh(z[2]);
    const double o = sigmoid(z[3]);
    next.c[unit] = f * state.c[unit] + i * g;
    next.h[unit] = o * std::tanh(next.c[unit]);
  }
  return next;
}

/// The same with the weights read from the cell's memory as Keras' (F, 4U), (U, 4U) and (4U).
template <class Cell>
ByHand by_hand(const Cell& cell, const std::vector<double>& x, const ByHand& state) {
  const std::size_t units = state.h.size();
  const auto keras = [units](const auto& matrix) {
    const auto* values = matrix.data();
    return [values, units](std::size_t gate, std::size_t unit, std::size_t k) {
      return static_cast<double>(values[k * 4 * units + gate * units + unit]);
    };
  };
  const auto bias = keras(cell.bias());
  return by_hand(x, state, keras(cell.kernel()), keras(cell.recurrent_kernel()),
                 [&](std::size_t gate, std::size_t unit) { return bias(gate, unit, 0); });
}

template <class Cell>
void check_steps(Cell cell, double bound) {
  using Scalar = typename std::decay_t<decltype(cell.kernel())>::Scalar;
  fill_cell(cell);
  const Index inputs = cell.inputs();
  const Index units = cell.units();
  Random random(2);
  auto state = LSTMState<Scalar>::zero(units);
  ByHand expected{std::vector<double>(static_cast<std::size_t>(units), 0),
                  std::vector<double>(static_cast<std::size_t>(units), 0)};
  for (int t = 0; t < 10; ++t) {
    Eigen::Matrix<Scalar, Dynamic, 1> x(inputs);
    fill(x, random);
    state = cell.step(x, state);
    expected = by_hand(cell, std::vector<double>(x.data(), x.data() + x.size()), expected);
    for (Index unit = 0; unit < units; ++unit) {
      const auto at = static_cast<std::size_t>(unit);
      REQUIRE(std::abs(static_cast<double>(state.h[unit]) - expected.h[at]) < bound);
      REQUIRE(std::abs(static_cast<double>(state.c[unit]) - expected.c[at]) < bound);
    }
  }
}

}  // namespace

TEST_CASE("LSTMCell: ten steps are the equations, number by number") {
  // Rounding of ten steps with memories of the order of 1.
  check_steps(LSTMCell<double>(3, 5), 1e-14);
  check_steps(LSTMCell<float>(3, 5), 5e-6);
  check_steps(LSTMCell<double>(1, 1), 1e-14);
}

TEST_CASE("LSTMCell: sizes fixed by the type compute the same as others") {
  LSTMCell<double, 3, 4> fixed;
  LSTMCell<double> dynamic(3, 4);
  fill_cell(fixed);
  fill_cell(dynamic);
  Eigen::Vector3d x(0.3, -1, 2);
  LSTMState<double, 4> state = LSTMState<double, 4>::zero();
  auto other = LSTMState<double>::zero(4);
  for (int t = 0; t < 5; ++t) {
    state = fixed.step(x, state);
    other = dynamic.step(x, other);
    x *= -0.7;
    // The sums may be taken in another order.
    REQUIRE((state.h - other.h).cwiseAbs().maxCoeff() < 1e-15);
    REQUIRE((state.c - other.c).cwiseAbs().maxCoeff() < 1e-15);
  }
  static_assert(std::is_same_v<decltype(state), LSTMState<double, 4>>);
}

TEST_CASE("LSTMCell: columns are samples, each by itself") {
  LSTMCell<double, 3, 4> cell;
  fill_cell(cell);
  Random random(4);
  Eigen::Matrix<double, 3, 6> x;
  LSTMState<double, 4, 6> state;
  fill(x, random);
  fill(state.h, random);
  fill(state.c, random);
  const LSTMState<double, 4, 6> next = cell.step(x, state);
  for (Index b = 0; b < 6; ++b) {
    const auto alone = cell.step(x.col(b), LSTMState<double, 4>{state.h.col(b), state.c.col(b)});
    REQUIRE((next.h.col(b) - alone.h).cwiseAbs().maxCoeff() < 1e-15);
    REQUIRE((next.c.col(b) - alone.c).cwiseAbs().maxCoeff() < 1e-15);
  }
  REQUIRE((next.h.col(0) - next.h.col(1)).cwiseAbs().maxCoeff() > 1e-3);
}

TEST_CASE("LSTMCell: a step changes neither the cell nor the state") {
  LSTMCell<double, 2, 3> cell;
  fill_cell(cell);
  const LSTMCell<double, 2, 3> before = cell;
  const auto state = LSTMState<double, 3>::zero();
  (void)std::as_const(cell).step(Eigen::Vector2d(1, 2), state);
  REQUIRE(cell.kernel() == before.kernel());
  REQUIRE(cell.recurrent_kernel() == before.recurrent_kernel());
  REQUIRE(cell.bias() == before.bias());
  REQUIRE(state.h.isZero(0));
}

TEST_CASE("LSTMCell: any activations") {
  // One unit, so that the equations can be written in a line.
  LSTMCell<double, 1, 1> cell;
  fill_cell(cell, 7);
  const auto w = cell.kernel();
  const auto u = cell.recurrent_kernel();
  const auto b = cell.bias();
  LSTMState<double, 1> state;
  state.h << 0.4;
  state.c << -0.8;
  const Eigen::Matrix<double, 1, 1> x(0.9);
  for (const Activation phi : {Activation::relu, Activation::linear, Activation::softsign}) {
    for (const Activation sigma : {Activation::hard_sigmoid, Activation::sigmoid}) {
      cell.activation = phi;
      cell.recurrent_activation = sigma;
      const auto z = [&](Index gate) { return w(gate, 0) * 0.9 + u(gate, 0) * 0.4 + b[gate]; };
      const double c = activate(sigma, z(1)) * -0.8 + activate(sigma, z(0)) * activate(phi, z(2));
      const double h = activate(sigma, z(3)) * activate(phi, c);
      const auto next = cell.step(x, state);
      REQUIRE(std::abs(next.c[0] - c) < 1e-15);
      REQUIRE(std::abs(next.h[0] - h) < 1e-15);
    }
  }
}

TEST_CASE("LSTMCell: runs with dual numbers, whose derivatives are the right ones") {
  LSTMCell<Dual, 2, 3> cell;
  LSTMCell<double, 2, 3> plain;
  fill_cell(cell);
  fill_cell(plain);
  Eigen::Matrix<Dual, 2, 1> x;
  x << 0.5, -0.3;
  LSTMState<Dual, 3> state = LSTMState<Dual, 3>::zero();
  state.h << 0.1, -0.2, 0.3;
  state.c << 0.5, 0.4, -0.6;

  // The same with plain numbers: the sum of h and c after two steps.
  const auto sum = [&](const auto& any_cell, const auto& any_x, auto any_state) {
    any_state = any_cell.step(any_x, any_state);
    any_state = any_cell.step(any_x, any_state);
    return any_state.h.sum() + any_state.c.sum();
  };
  Eigen::Vector2d x_plain(0.5, -0.3);
  LSTMState<double, 3> state_plain;
  state_plain.h << 0.1, -0.2, 0.3;
  state_plain.c << 0.5, 0.4, -0.6;

  REQUIRE(std::abs(sum(cell, x, state).value - sum(plain, x_plain, state_plain)) < 1e-14);

  const auto check = [&](auto&& duals, auto&& numbers) {
    for (Index i = 0; i < duals.size(); ++i) {
      duals.data()[i].slope = 1;
      const double slope = sum(cell, x, state).slope;
      duals.data()[i].slope = 0;

      constexpr double h = 1e-6;
      double& number = numbers.data()[i];
      const double kept = number;
      number = kept + h;
      const double above = sum(plain, x_plain, state_plain);
      number = kept - h;
      const double below = sum(plain, x_plain, state_plain);
      number = kept;
      REQUIRE(std::abs(slope - (above - below) / (2 * h)) < 1e-8);
    }
  };
  check(x, x_plain);
  check(state.h, state_plain.h);
  check(state.c, state_plain.c);
  check(cell.kernel(), plain.kernel());
  check(cell.recurrent_kernel(), plain.recurrent_kernel());
  check(cell.bias(), plain.bias());
}
