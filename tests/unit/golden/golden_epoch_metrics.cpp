#include <stdexcept>
#include <string>
#include <vector>

#include <strata/train/class_metrics.hpp>
#include <strata/train/forecast_metrics.hpp>
#include <strata/train/totals.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Metrics that are no mean over rows, against Keras.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
Metric<Scalar> epoch_metric_of(const std::string& name) {
  const auto is = [&](const char* begin) { return name.starts_with(begin); };
  if (is("precision_0.75")) return PrecisionScore{.threshold = 0.75};
  if (is("recall_0.75")) return RecallScore{.threshold = 0.75};
  if (is("precision_class_1")) return PrecisionScore{.class_id = 1};
  if (is("recall_class_1")) return RecallScore{.class_id = 1};
  if (is("precision")) return PrecisionScore{};
  if (is("recall")) return RecallScore{};
  if (is("auc_pr")) return AUC{.curve = AUC::Curve::pr};
  if (is("auc_10")) return AUC{.thresholds = 10};
  if (is("auc")) return AUC{};
  if (is("f1_threshold_macro")) return F1Score{.threshold = 0.5};
  if (is("f1_threshold_micro"))
    return F1Score{.average = F1Score::Average::micro, .threshold = 0.5};
  if (is("f1_micro")) return F1Score{.average = F1Score::Average::micro};
  if (is("f1_weighted")) return F1Score{.average = F1Score::Average::weighted};
  if (is("f1_macro")) return F1Score{};
  if (is("top_1")) return TopKAccuracy{.k = 1};
  if (is("top_2")) return TopKAccuracy{.k = 2};
  if (is("top_3")) return TopKAccuracy{.k = 3};
  if (is("r2")) return R2Score{};
  throw std::runtime_error("no metric is named " + name);
}

/// The metric, weighed by the weights of the samples.
template <class Scalar>
Metric<Scalar> weighted_metric_of(const std::string& name) {
  if (name.starts_with("precision")) return Weighted{PrecisionScore{}};
  if (name.starts_with("recall")) return Weighted{RecallScore{}};
  if (name.starts_with("auc_pr")) return Weighted{AUC{.curve = AUC::Curve::pr}};
  if (name.starts_with("auc_10")) return Weighted{AUC{.thresholds = 10}};
  if (name.starts_with("auc")) return Weighted{AUC{}};
  if (name.starts_with("f1_macro")) return Weighted{F1Score{}};
  if (name.starts_with("r2")) return Weighted{R2Score{}};
  throw std::runtime_error("no weighted metric is named " + name);
}

}  // namespace

TEMPLATE_TEST_CASE("Metrics of an epoch: one batch and two are those of Keras", "[golden][metrics]",
                   float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("epoch_metrics.txt");
  const auto cases = golden.cases("results");
  REQUIRE(cases.size() == 44);
  for (const auto& name : cases) {
    INFO(name);
    const auto y = golden[name + ".y"].template tensor<Scalar>();
    const auto prediction = golden[name + ".prediction"].template tensor<Scalar>();
    const auto split = static_cast<Index>(golden[name + ".split"].value());
    const auto& results = golden[name + ".results"].values;
    REQUIRE(results.size() == 2);
    SampleWeights<Scalar> weights;
    const bool is_weighted = golden.contains(name + ".weights");
    if (is_weighted) weights = golden[name + ".weights"].template tensor<Scalar>();
    const std::vector<Metric<Scalar>> metrics{is_weighted ? weighted_metric_of<Scalar>(name)
                                                          : epoch_metric_of<Scalar>(name)};
    Totals<Scalar> totals(metrics);
    // Keras' metrics are kept in float32: sums of quarters are exact, their quotients are not.
    const Tolerance allowed{1e-6, 1e-6};
    const auto add = [&](Index first, Index count) {
      totals.add_part(0, prediction.rows(first, count), y.rows(first, count), {},
                      weights.rows(first, count));
    };
    add(0, split);
    require_close(totals.means().metrics[metrics[0].name()], results[0], allowed);
    add(split, y.batch() - split);
    require_close(totals.means().metrics[metrics[0].name()], results[1], allowed);
  }
  CHECK(golden.unread().empty());
}
