#include <strata/train/classification_losses.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/regression_losses.hpp>
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
  if (loss == "log_cosh") return LogCosh{};
  if (loss == "mape") return MeanAbsolutePercentageError{};
  if (loss == "msle") return MeanSquaredLogarithmicError{};
  if (loss == "cosine_similarity") return CosineSimilarity{};
  if (loss == "poisson") return Poisson{};
  if (loss == "hinge") return Hinge{};
  if (loss == "squared_hinge") return SquaredHinge{};
  if (loss == "categorical_hinge") return CategoricalHinge{};
  if (loss == "kl_divergence") return KLDivergence{};
  if (loss.starts_with("binary_focal_balanced")) {
    return BinaryFocalCrossentropy{
        .gamma = 1.5, .apply_class_balancing = true, .alpha = 0.75, .from_logits = from_logits};
  }
  if (loss.starts_with("binary_focal_smoothed")) {
    return BinaryFocalCrossentropy{
        .gamma = 0, .from_logits = from_logits, .label_smoothing = 0.125};
  }
  if (loss.starts_with("binary_focal")) return BinaryFocalCrossentropy{.from_logits = from_logits};
  if (loss.starts_with("categorical_focal_smoothed")) {
    return CategoricalFocalCrossentropy{
        .alpha = 0.5, .gamma = 1.5, .from_logits = from_logits, .label_smoothing = 0.125};
  }
  if (loss.starts_with("categorical_focal")) {
    return CategoricalFocalCrossentropy{.from_logits = from_logits};
  }
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
  const bool more = GENERATE(false, true);
  const Golden golden = Golden::read(more ? "more_losses.txt" : "losses.txt");
  const auto cases = golden.cases("value");
  REQUIRE(cases.size() == (more ? 48 : 68));
  for (const auto& name : cases) {
    INFO(name);
    const Loss<Scalar> loss = loss_of<Scalar>(name);
    const auto y = golden[name + ".y"].template tensor<Scalar>();
    const auto prediction = golden[name + ".prediction"].template tensor<Scalar>();
    CHECK_NOTHROW(detail::check_targets(y, prediction.shape(), loss));

    // The sum is kept in double for both scalars.
    Tensor<Scalar> gradient;
    const double value = golden[name + ".value"].value();
    // Keras rounds the log(2) of LogCosh to float32, which is 1.9e-9 off.
    const Tolerance allowed =
        name.starts_with("log_cosh") ? Tolerance{2e-9, 1e-14} : tolerance<double>.values;
    require_close(loss(prediction, y, &gradient), value, allowed, "value");
    require_close(loss(prediction, y, nullptr), value, allowed, "value alone");
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
