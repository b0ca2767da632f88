#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <strata/activation.hpp>
#include <strata/activation_rows.hpp>
#include <strata/recurrent/gated/activations.hpp>

#include "support/catch.hpp"
#include "support/dual.hpp"

// Activations of packs, single numbers and dual numbers, against the C++ library in long double.

namespace {

using namespace strata;
using strata::test::Dual;

constexpr Activation of_output[] = {
    Activation::linear,       Activation::relu,       Activation::sigmoid,
    Activation::tanh,         Activation::softsign,   Activation::softplus,
    Activation::hard_sigmoid, Activation::elu,        Activation::exponential,
    Activation::relu6,        Activation::leaky_relu, Activation::hard_sigmoid_fifth,
    Activation::selu};

/// Those of which Dense, Conv1D and Activate keep the input.
constexpr Activation of_input[] = {Activation::silu, Activation::gelu, Activation::gelu_tanh,
                                   Activation::mish};

long double exact(Activation activation, long double x) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0L);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::hard_sigmoid:
      return std::clamp(x / 6 + 0.5L, 0.0L, 1.0L);
    case Activation::softsign:
      return x / (1 + std::abs(x));
    case Activation::softplus:
      return std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0L);
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::exponential:
      return std::exp(x);
    case Activation::relu6:
      return std::clamp(x, 0.0L, 6.0L);
    case Activation::leaky_relu:
      return x < 0 ? x / 5 : x;
    case Activation::hard_sigmoid_fifth:
      return std::clamp(x / 5 + 0.5L, 0.0L, 1.0L);
    case Activation::selu:
      return 1.0507009873554804934193349852946L *
             (x > 0 ? x : 1.6732632423543772848170429916717L * std::expm1(x));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::gelu:
      return x / 2 * std::erfc(-x * std::sqrt(0.5L));
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0L)) * (x + 0.044715L * x * x * x)));
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0L));
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return x;
}

/// f of every number, a pack at a time.
template <class Scalar, class F>
std::vector<Scalar> through_packs(const std::vector<Scalar>& x, F f) {
  std::vector<Scalar> y(x.size());
  detail::transform(static_cast<Index>(x.size()), y.data(), f, x.data());
  return y;
}

/// An odd number of points from -30 to 30, then -0, tiny and large ones.
template <class Scalar>
std::vector<Scalar> points() {
  std::vector<Scalar> x;
  for (int i = -60000; i <= 60000; ++i) x.push_back(static_cast<Scalar>(i * 5e-4));
  for (const double special : {-0.0, 1e-30, -1e-30, 1e-4, -1e-4, 80.0, -80.0}) {
    x.push_back(static_cast<Scalar>(special));
  }
  return x;
}

/// The largest error, of which numbers above 1 count their relative error.
template <class Scalar>
double worst(const std::vector<Scalar>& x, const std::vector<Scalar>& y, Activation activation) {
  long double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double expected = exact(activation, x[i]);
    const long double error =
        std::abs(static_cast<long double>(y[i]) - expected) / std::max(1.0L, std::abs(expected));
    largest = std::max(largest, std::isnan(error) ? 1.0L : error);
  }
  return static_cast<double>(largest);
}

}  // namespace

TEMPLATE_TEST_CASE("Activations: packs are close to the C++ library", "", float, double) {
  using Scalar = TestType;
  // Three units of the last place of 1; float tanh is a rational function with error 3e-7.
  const double bound = std::is_same_v<Scalar, float> ? 4e-7 : 2e-15;
  const auto x = points<Scalar>();
  for (const Activation activation : of_output) {
    INFO(name(activation));
    const auto y = through_packs(x, [&](auto v) { return activate(activation, v); });
    CHECK(worst(x, y, activation) < bound);
  }
}

TEMPLATE_TEST_CASE("Activations: single numbers are close to the C++ library", "", float, double) {
  using Scalar = TestType;
  const double bound = std::is_same_v<Scalar, float> ? 4e-7 : 2e-15;
  const auto x = points<Scalar>();
  for (const Activation activation : of_output) {
    INFO(name(activation));
    std::vector<Scalar> y;
    for (const Scalar value : x) y.push_back(activate(activation, value));
    CHECK(worst(x, y, activation) < bound);
  }
}

TEMPLATE_TEST_CASE("Activations that need their input: packs, and their derivatives", "", float,
                   double) {
  using Scalar = TestType;
  // An error of the weight of x, of up to four units of the last place of 1.
  const double bound = std::is_same_v<Scalar, float> ? 5e-7 : 2e-15;
  const auto x = points<Scalar>();
  for (const Activation activation : of_input) {
    INFO(name(activation));
    const auto y =
        through_packs(x, [&](auto v) { return detail::weighted_input(activation, v).value; });
    long double largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double size = std::max(1.0L, std::abs(static_cast<long double>(x[i])));
      const long double error = std::abs(static_cast<long double>(y[i]) - exact(activation, x[i]));
      largest = std::max(largest, std::isnan(error) ? 1.0L : error / size);
    }
    CHECK(static_cast<double>(largest) < bound);

    std::vector<double> at;
    for (double value = -6.05; value < 6; value += 0.1) at.push_back(value);
    const auto slopes =
        through_packs(at, [&](auto v) { return detail::weighted_input(activation, v).derivative; });
    for (std::size_t i = 0; i < at.size(); ++i) {
      INFO(at[i]);
      // Some machines have long double and compute its functions in double all the same.
      const bool wider = std::exp(1.1L) != static_cast<long double>(std::exp(1.1));
      const long double h = wider ? 1e-6L : 1e-5L;
      const long double finite =
          (exact(activation, at[i] + h) - exact(activation, at[i] - h)) / (2 * h);
      // The error of central differences at this h, and, where long double is no wider than double,
      // of numbers up to 6 that are rounded before they are divided by h.
      CHECK(std::abs(slopes[i] - static_cast<double>(finite)) < (wider ? 1e-11 : 2e-10));
    }
  }
}

TEMPLATE_TEST_CASE("Activations: the gates of the kernels are tanh and sigmoid", "", float,
                   double) {
  using Scalar = TestType;
  const double bound = std::is_same_v<Scalar, float> ? 4e-7 : 2e-15;
  const auto x = points<Scalar>();
  const detail::StandardActivations gates;
  const auto sigma = through_packs(x, [&](auto v) { return gates.sigma(v); });
  const auto phi = through_packs(x, [&](auto v) { return gates.phi(v); });
  CHECK(worst(x, sigma, Activation::sigmoid) < bound);
  CHECK(worst(x, phi, Activation::tanh) < bound);
  // A gate must not leave its range, or memories would grow without an end.
  for (std::size_t i = 0; i < x.size(); ++i) {
    REQUIRE((sigma[i] >= 0 && sigma[i] <= 1));
    REQUIRE(std::abs(phi[i]) <= 1);
  }
}

TEMPLATE_TEST_CASE("Activations: the ends of the range of numbers", "", float, double) {
  using Scalar = TestType;
  constexpr Scalar inf = std::numeric_limits<Scalar>::infinity();
  constexpr Scalar most = std::numeric_limits<Scalar>::max();
  const std::vector<Scalar> x{inf, -inf, most, -most, 1000, -1000, 0};
  for (const Activation activation :
       {Activation::sigmoid, Activation::tanh, Activation::hard_sigmoid, Activation::relu,
        Activation::elu, Activation::linear}) {
    INFO(name(activation));
    const auto y = through_packs(x, [&](auto v) { return activate(activation, v); });
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(x[i]);
      const auto expected = static_cast<Scalar>(exact(activation, x[i]));
      CHECK((y[i] == expected || std::abs(y[i] - expected) < Scalar(1e-6)));
    }
  }
  const detail::StandardActivations gates;
  const auto sigma = through_packs(x, [&](auto v) { return gates.sigma(v); });
  const auto phi = through_packs(x, [&](auto v) { return gates.phi(v); });
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    CHECK(std::abs(sigma[i] - (x[i] > 0 ? 1 : 0)) < 1e-6);
    CHECK(std::abs(phi[i] - (x[i] > 0 ? 1 : -1)) < 1e-6);
  }
}

TEMPLATE_TEST_CASE("Activations: NaN stays NaN", "", float, double) {
  using Scalar = TestType;
  // In every lane, beside ordinary numbers.
  std::vector<Scalar> x(19, Scalar(0.5));
  for (std::size_t lane = 0; lane < x.size(); ++lane) {
    x[lane] = std::numeric_limits<Scalar>::quiet_NaN();
    for (const Activation activation : of_output) {
      INFO(name(activation));
      const auto y = through_packs(x, [&](auto v) { return activate(activation, v); });
      for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(std::isnan(y[i]) == (i == lane));
      REQUIRE(std::isnan(activate(activation, x[lane])));
    }
    const detail::StandardActivations gates;
    REQUIRE(std::isnan(through_packs(x, [&](auto v) { return gates.sigma(v); })[lane]));
    REQUIRE(std::isnan(through_packs(x, [&](auto v) { return gates.phi(v); })[lane]));
    x[lane] = Scalar(0.5);
  }
}

TEST_CASE("Activations: derivatives in terms of the output") {
  for (const Activation activation : of_output) {
    INFO(name(activation));
    for (double x = -4.05; x < 4; x += 0.1) {
      INFO(x);
      const double y = activate(activation, x);
      const double slope = derivative(activation, y);
      const double h = 1e-6;
      const double finite = (activate(activation, x + h) - activate(activation, x - h)) / (2 * h);
      // The error of central differences at this h; no point lies at a corner.
      CHECK(std::abs(slope - finite) < 1e-8 * std::max(1.0, std::abs(finite)));
      const Dual dual = activate(activation, Dual(x, 1));
      // A compiler may round a product and the sum behind it once or twice.
      CHECK(std::abs(dual.value - y) <=
            std::numeric_limits<double>::epsilon() * std::max(1.0, std::abs(y)));
      CHECK(std::abs(dual.slope - slope) < 1e-13 * std::max(1.0, std::abs(slope)));
    }
    const std::vector<double> y{activate(activation, -0.7), activate(activation, 0.3), 0.25};
    const auto packs = through_packs(y, [&](auto v) { return derivative(activation, v); });
    for (std::size_t i = 0; i < y.size(); ++i) {
      CHECK(std::abs(packs[i] - derivative(activation, y[i])) < 1e-14);
    }
  }
}

TEST_CASE("Activations: names are Keras'") {
  const std::string_view names[] = {"linear",      "relu",     "sigmoid",      "tanh",
                                    "softsign",    "softplus", "hard_sigmoid", "elu",
                                    "exponential", "relu6",    "leaky_relu",   "hard_sigmoid_fifth",
                                    "selu"};
  for (std::size_t i = 0; i < std::size(of_output); ++i) REQUIRE(name(of_output[i]) == names[i]);
  const std::string_view more[] = {"silu", "gelu", "gelu_tanh", "mish"};
  for (std::size_t i = 0; i < std::size(of_input); ++i) REQUIRE(name(of_input[i]) == more[i]);
  REQUIRE(name(Activation::softmax) == "softmax");
}
