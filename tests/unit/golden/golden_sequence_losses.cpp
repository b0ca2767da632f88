#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <strata/mask.hpp>
#include <strata/train/ctc.hpp>
#include <strata/train/forecast_losses.hpp>
#include <strata/train/mixture_density.hpp>
#include <strata/train/pen_density.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Losses of sequences and of distributions, and their gradients, against PyTorch.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
Loss<Scalar> loss_of(const std::string& name) {
  if (name.starts_with("ctc")) return CTC{.zero_infinity = name == "ctc.impossible"};
  if (name.starts_with("gaussian_nll")) return GaussianNLL{};
  if (name == "mixture_density.one_dimension") return MixtureDensity{.components = 3};
  if (name == "mixture_density.three_dimensions") {
    return MixtureDensity{.components = 2, .dimensions = 3};
  }
  if (name.starts_with("pen_density")) return PenDensity{.components = 3};
  return Quantiles{{0.1, 0.5, 0.9}};
}

Mask mask_of(const Golden& golden, const std::string& name, Index steps) {
  if (!golden.contains(name + ".lengths")) return {};
  const std::vector<Index> lengths = golden[name + ".lengths"].template flat<Index>();
  return Mask::from_lengths(lengths, steps);
}

}  // namespace

TEMPLATE_TEST_CASE("Losses of sequences and distributions: values and gradients are PyTorch's",
                   "[golden][losses]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("sequence_losses.txt");
  const auto cases = golden.cases("value");
  REQUIRE(cases.size() == 12);
  for (const auto& name : cases) {
    INFO(name);
    const Loss<Scalar> loss = loss_of<Scalar>(name);
    const auto y = golden[name + ".y"].template tensor<Scalar>();
    const auto prediction = golden[name + ".prediction"].template tensor<Scalar>();
    const Mask mask = mask_of(golden, name, prediction.steps());

    // The sums are kept in double for both scalars.
    Tensor<Scalar> gradient;
    const double value = golden[name + ".value"].value();
    require_close(loss(prediction, y, &gradient, mask), value, tolerance<double>.values, "value");
    require_close(loss(prediction, y, nullptr, mask), value, tolerance<double>.values,
                  "value alone");
    // Shares of alignments are differences of logarithms up to 100, rounded at each of 30 steps.
    const Tolerance of_shares{1e-13, 0};
    require_tensor_close(
        gradient, golden, name + ".grad",
        sizeof(Scalar) == 8 && name.starts_with("ctc") ? of_shares : tolerance<Scalar>.gradients);
  }
  // Read by the test of long sequences.
  CHECK(golden.unread() == std::set<std::string>{"long.loss", "long.weighted_gradient"});
}

TEMPLATE_TEST_CASE("CTC: 2000 steps are aligned as PyTorch aligns them", "[golden][losses]", float,
                   double) {
  using Scalar = TestType;
  constexpr Index steps = 2000;
  constexpr Index classes = 6;
  constexpr Index labels = 400;
  const Golden golden = Golden::read("sequence_losses.txt");
  Tensor<Scalar> prediction({1, steps, classes});
  for (Index t = 0; t < steps; ++t) {
    for (Index c = 0; c < classes; ++c) {
      prediction(0, t, c) = static_cast<Scalar>(
          3 * std::sin(0.37 * static_cast<double>(t) + 1.3 * static_cast<double>(c)));
    }
  }
  Tensor<Scalar> y({1, labels});
  for (Index i = 0; i < labels; ++i) y(0, i) = static_cast<Scalar>(1 + 7 * i % 5);

  Tensor<Scalar> gradient;
  const double value = Loss<Scalar>(CTC{})(prediction, y, &gradient);
  // The inputs are sines, which two libraries round differently, and each of the 2000 steps adds
  // an error of rounding of a number of about 2000.
  const bool is_double = sizeof(Scalar) == 8;
  const Tolerance of_sum = is_double ? Tolerance{0, 1e-12} : Tolerance{0, 1e-6};
  require_close(value, golden["long.loss"].value(), of_sum, "value");
  const auto& expected = golden["long.weighted_gradient"].values;
  for (Index c = 0; c < classes; ++c) {
    double sum = 0;
    for (Index t = 0; t < steps; ++t) {
      sum += static_cast<double>(gradient(0, t, c)) * std::cos(0.11 * static_cast<double>(t));
    }
    require_close(sum, expected[static_cast<std::size_t>(c)],
                  is_double ? Tolerance{1e-9, 0} : Tolerance{1e-3, 0}, "weighted gradient");
  }
}
