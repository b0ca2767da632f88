#include <strata/train/losses.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/training.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Losses, their gradients and metrics, against Keras.

namespace {

using namespace strata;
using namespace strata::test;

/// The loss of a case: "bce_logits.extreme" is bce_logits. The smoothing of the file is 1/8.
template <class Scalar>
Loss<Scalar> loss_of(const std::string& name) {
  const std::string loss = name.substr(0, name.rfind('.'));
  const bool from_logits = loss.find("_logits") != loss.npos;
  const double smoothing = loss.ends_with("_smoothed") ? 0.125 : 0;
  if (loss == "mse") return MeanSquaredError{};
  if (loss == "mae") return MeanAbsoluteError{};
  if (loss == "huber") return Huber{};
  if (loss == "huber_0.25") return Huber{.delta = 0.25};
  if (loss.starts_with("bce")) {
    return BinaryCrossentropy{.from_logits = from_logits, .label_smoothing = smoothing};
  }
  if (loss.starts_with("cce")) {
    return CategoricalCrossentropy{.from_logits = from_logits, .label_smoothing = smoothing};
  }
  if (loss.starts_with("scce")) return SparseCategoricalCrossentropy{.from_logits = from_logits};
  throw std::runtime_error("no loss is named " + loss);
}

template <class Scalar>
Metric<Scalar> metric_of(const std::string& name) {
  const std::string metric = name.substr(0, name.rfind('.'));
  if (metric == "mae") return MeanAbsoluteError{};
  if (metric == "mse") return MeanSquaredError{};
  if (metric == "root_mean_squared_error") return RootMeanSquaredError{};
  if (metric == "binary_accuracy") return BinaryAccuracy{};
  if (metric == "binary_accuracy_0.25") return BinaryAccuracy{.threshold = 0.25};
  if (metric == "categorical_accuracy") return CategoricalAccuracy{};
  if (metric == "sparse_categorical_accuracy") return SparseCategoricalAccuracy{};
  if (metric.starts_with("accuracy_")) return Accuracy{};
  throw std::runtime_error("no metric is named " + metric);
}

}  // namespace

TEMPLATE_TEST_CASE("Losses: values and gradients are those of Keras", "[golden][losses]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("losses.txt");
  const auto cases = golden.cases("value");
  REQUIRE(cases.size() == 68);
  for (const auto& name : cases) {
    INFO(name);
    const Loss<Scalar> loss = loss_of<Scalar>(name);
    const auto y = golden[name + ".y"].template tensor<Scalar>();
    const auto prediction = golden[name + ".prediction"].template tensor<Scalar>();
    CHECK_NOTHROW(detail::check_targets(y, prediction.shape(), loss));

    // The sum is kept in double for both scalars.
    Tensor<Scalar> gradient;
    const double value = golden[name + ".value"].value();
    require_close(loss(prediction, y, &gradient), value, tolerance<double>.values, "value");
    require_close(loss(prediction, y, nullptr), value, tolerance<double>.values, "value alone");
    require_tensor_close(gradient, golden, name + ".grad", tolerance<Scalar>.gradients);
  }
  CHECK(golden.unread().empty());
}

TEMPLATE_TEST_CASE("Metrics: one batch and two are those of Keras", "[golden][metrics]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("metrics.txt");
  const auto cases = golden.cases("results");
  REQUIRE(cases.size() == 27);
  for (const auto& name : cases) {
    INFO(name);
    const auto y = golden[name + ".y"].template tensor<Scalar>();
    const auto prediction = golden[name + ".prediction"].template tensor<Scalar>();
    const auto split = static_cast<Index>(golden[name + ".split"].value());
    const auto& results = golden[name + ".results"].values;
    REQUIRE(results.size() == 2);

    const std::vector<Metric<Scalar>> metrics{metric_of<Scalar>(name)};
    Totals<Scalar> totals(metrics);
    totals.add_part(0, prediction.rows(0, split), y.rows(0, split));
    require_close(totals.means().metrics[metrics[0].name()], results[0], tolerance<double>.values);
    totals.add_part(0, prediction.rows(split, prediction.batch() - split),
                    y.rows(split, y.batch() - split));
    require_close(totals.means().metrics[metrics[0].name()], results[1], tolerance<double>.values);
  }
  CHECK(golden.unread().empty());
}
