#include <algorithm>
#include <cmath>
#include <vector>

#include <Eigen/Core>

#include <strata/initializers.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"

// The statistics of drawn weights. Bounds are five standard deviations of the estimate: one seed in
// two million would miss them, and the seeds are fixed.

namespace {

using namespace strata;

constexpr Index fan_in = 300;
constexpr Index fan_out = 200;
constexpr double draws = static_cast<double>(fan_in * fan_out);

std::vector<double> draw(const Initializer& initializer, std::uint64_t seed = 1, Index in = fan_in,
                         Index out = fan_out) {
  std::vector<double> values(static_cast<std::size_t>(in * out), -77);
  Random random(seed);
  initialize(initializer, WeightMatrix<double>{values, in, out}, random);
  return values;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double variance(const std::vector<double>& values) {
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return sum / static_cast<double>(values.size());
}

/// Mean 0, a variance, and limits that are nearly reached. `kurtosis` is the fourth moment over the
/// squared variance, on which the error of an estimated variance depends.
void check(const Initializer& initializer, double expected_variance, double limit,
           double kurtosis) {
  const auto values = draw(initializer);
  REQUIRE(std::abs(mean(values)) < 5 * std::sqrt(expected_variance / draws));
  double squares = 0;
  for (const double value : values) squares += value * value;
  REQUIRE(std::abs(squares / draws / expected_variance - 1) <
          5 * std::sqrt((kurtosis - 1) / draws));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  REQUIRE(*low >= -limit);
  REQUIRE(*high <= limit);
  // 60,000 draws leave no more than a thousandth of a uniform's range unused, or of the normal's
  // cut tails a fiftieth.
  REQUIRE(*low < -0.98 * limit);
  REQUIRE(*high > 0.98 * limit);
}

void check_uniform(const Initializer& initializer, double expected_variance) {
  check(initializer, expected_variance, std::sqrt(3 * expected_variance), 9.0 / 5);
}

void check_truncated(const Initializer& initializer, double expected_variance) {
  // Cut at two deviations of the normal before the cut, whose share of the variance is 0.77374.
  const double limit = 2 * std::sqrt(expected_variance / 0.7737413035499232);
  check(initializer, expected_variance, limit, 2.37);
}

}  // namespace

TEST_CASE("Initializers: variances and limits are those of the papers") {
  SECTION("Glorot: 2 / (in + out)") {
    check_uniform(GlorotUniform{}, 2.0 / (fan_in + fan_out));
    check_truncated(GlorotNormal{}, 2.0 / (fan_in + fan_out));
  }
  SECTION("He: 2 / in") {
    check_uniform(HeUniform{}, 2.0 / fan_in);
    check_truncated(HeNormal{}, 2.0 / fan_in);
  }
  SECTION("LeCun: 1 / in") {
    check_uniform(LecunUniform{}, 1.0 / fan_in);
    check_truncated(LecunNormal{}, 1.0 / fan_in);
  }
}

TEST_CASE("Initializers: constants") {
  const auto all = [](const Initializer& initializer, double expected) {
    const auto values = draw(initializer, 1, 3, 4);
    REQUIRE(std::count(values.begin(), values.end(), expected) == 12);
  };
  all(Zeros{}, 0);
  all(Ones{}, 1);
  all(Constant{.value = 0.25}, 0.25);
  all(Constant{}, 0);
}

TEST_CASE("Initializers: RandomUniform and RandomNormal take their own ranges") {
  const auto uniform = draw(RandomUniform{.minval = 2, .maxval = 5});
  REQUIRE(*std::min_element(uniform.begin(), uniform.end()) >= 2);
  REQUIRE(*std::max_element(uniform.begin(), uniform.end()) < 5);
  REQUIRE(std::abs(mean(uniform) - 3.5) < 5 * std::sqrt(0.75 / draws));
  const auto narrow = draw(RandomUniform{});
  REQUIRE(*std::min_element(narrow.begin(), narrow.end()) >= -0.05);
  REQUIRE(*std::max_element(narrow.begin(), narrow.end()) > 0.049);

  const auto normal = draw(RandomNormal{.mean = -1, .stddev = 0.5});
  REQUIRE(std::abs(mean(normal) + 1) < 5 * 0.5 / std::sqrt(draws));
  REQUIRE(std::abs(variance(normal) / 0.25 - 1) < 5 * std::sqrt(2 / draws));
  // Not cut: of 60,000 normal draws some lie beyond three deviations.
  REQUIRE(*std::max_element(normal.begin(), normal.end()) > 0.5);
}

TEST_CASE("Initializers: orthogonal rows or columns, whichever are fewer") {
  using Matrix = Eigen::Matrix<double, Dynamic, Dynamic, Eigen::RowMajor>;
  for (const auto& [in, out] : {std::pair<Index, Index>{32, 128}, {128, 32}, {40, 40}, {1, 4}}) {
    const auto values = draw(Orthogonal{}, 4, in, out);
    const Eigen::Map<const Matrix> w(values.data(), in, out);
    const Matrix product = in <= out ? Matrix(w * w.transpose()) : Matrix(w.transpose() * w);
    const Index size = std::min(in, out);
    REQUIRE((product - Matrix::Identity(size, size)).cwiseAbs().maxCoeff() < 1e-12);
  }
  const auto twice = draw(Orthogonal{.gain = 2}, 4, 8, 32);
  const auto once = draw(Orthogonal{}, 4, 8, 32);
  for (std::size_t i = 0; i < once.size(); ++i) REQUIRE(twice[i] == 2 * once[i]);
}

TEST_CASE("Initializers: an orthogonal matrix of floats is orthogonal to 1e-6") {
  std::vector<float> values(64 * 256);
  Random random(8);
  initialize(Initializer(Orthogonal{}), WeightMatrix<float>{values, 64, 256}, random);
  using Matrix = Eigen::Matrix<float, Dynamic, Dynamic, Eigen::RowMajor>;
  const Eigen::MatrixXd w = Eigen::Map<const Matrix>(values.data(), 64, 256).cast<double>();
  const Eigen::MatrixXd product = w * w.transpose();
  REQUIRE((product - Eigen::MatrixXd::Identity(64, 64)).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("Initializers: orthogonal directions are uniform") {
  // The signs of each entry are free: over 400 draws of a 2 x 2 rotation or reflection each entry
  // has mean 0 and variance 1/2.
  double sum = 0;
  double squares = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto values = draw(Orthogonal{}, seed, 2, 2);
    sum += values[0];
    squares += values[0] * values[0];
  }
  REQUIRE(std::abs(sum) < 5 * std::sqrt(400 * 0.5));
  // cos^2 of a uniform angle has variance 1/8.
  REQUIRE(std::abs(squares - 200) < 5 * std::sqrt(400 * 0.125));
}

TEST_CASE("Initializers: the seed decides") {
  for (const Initializer& initializer :
       {Initializer(RandomUniform{}), Initializer(RandomNormal{}), Initializer(GlorotUniform{}),
        Initializer(GlorotNormal{}), Initializer(HeUniform{}), Initializer(HeNormal{}),
        Initializer(LecunUniform{}), Initializer(LecunNormal{}), Initializer(Orthogonal{})}) {
    REQUIRE(draw(initializer, 5, 4, 6) == draw(initializer, 5, 4, 6));
    REQUIRE(draw(initializer, 5, 4, 6) != draw(initializer, 6, 4, 6));
  }
}

TEST_CASE("Initializers: an LSTM draws as Keras does") {
  LSTM<double> layer(64);
  layer.build(20);
  layer.initialize(Random(3));
  const LSTMCell<double>& cell = layer.cell();

  const double limit = std::sqrt(6.0 / (20 + 4 * 64));
  REQUIRE(cell.kernel().cwiseAbs().maxCoeff() <= limit);
  REQUIRE(cell.kernel().cwiseAbs().maxCoeff() > 0.98 * limit);

  // Keras' (U, 4U) has orthonormal rows; the cell shows it transposed.
  const Eigen::MatrixXd u = cell.recurrent_kernel();
  REQUIRE((u.transpose() * u - Eigen::MatrixXd::Identity(64, 64)).cwiseAbs().maxCoeff() < 1e-12);

  for (Index row = 0; row < 4 * 64; ++row) {
    REQUIRE(cell.bias()[row] == (row / 64 == LSTMGates::forget ? 1 : 0));
  }
}

TEST_CASE("Initializers: options of the layers choose them") {
  LSTM<double> layer(3, {.unit_forget_bias = false,
                         .kernel_initializer = Constant{.value = 0.5},
                         .recurrent_initializer = Ones{},
                         .bias_initializer = Constant{.value = -2}});
  layer.build(2);
  layer.initialize(Random(1));
  const LSTMCell<double>& cell = layer.cell();
  REQUIRE((cell.kernel().array() == 0.5).all());
  REQUIRE((cell.recurrent_kernel().array() == 1).all());
  REQUIRE((cell.bias().array() == -2).all());

  LSTM<double> forgetful(3, {.bias_initializer = Constant{.value = -2}});
  forgetful.build(2);
  forgetful.initialize(Random(1));
  const LSTMCell<double>& other = forgetful.cell();
  for (Index row = 0; row < 12; ++row) REQUIRE(other.bias()[row] == (row / 3 == 1 ? 1 : -2));

  Dense<double> dense(4, {.kernel_initializer = Ones{}, .bias_initializer = Constant{.value = 3}});
  dense.build(2);
  dense.initialize(Random(1));
  REQUIRE((dense.kernel().array() == 1).all());
  REQUIRE((dense.bias().array() == 3).all());
}

TEST_CASE("Initializers: without a bias there is none") {
  LSTM<double> layer(3, {.use_bias = false, .bias_initializer = Ones{}});
  layer.build(2);
  layer.initialize(Random(1));
  REQUIRE(layer.parameters().size() == 2);
  REQUIRE((layer.cell().bias().array() == 0).all());
  Dense<double> dense(3, {.use_bias = false, .bias_initializer = Ones{}});
  dense.build(2);
  dense.initialize(Random(1));
  REQUIRE(dense.parameters().size() == 1);
  REQUIRE((dense.bias().array() == 0).all());
}
