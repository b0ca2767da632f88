#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/mask.hpp>
#include <strata/model/network.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/target_checks.hpp>

// Checks that the outputs of a network, the targets, the loss and the metrics go together. They
// find trainings that would run without an error but would not compute what the user means.

namespace strata::detail::inline STRATA_RUNTIME {

/// The name of the activation that a layer applies last; empty where the layer applies none, or
/// where its description does not name it.
[[nodiscard]] inline std::optional<std::string> activation_of(const LayerDescription& layer) {
  if ((layer.kind == "TimeDistributed" || layer.kind == "Bidirectional") &&
      layer.layers.size() >= 1) {
    return activation_of(layer.layers.front());
  }
  if (layer.kind != "Dense" && layer.kind != "Activation" && layer.kind != "LSTM" &&
      layer.kind != "GRU" && layer.kind != "SimpleRNN") {
    return std::nullopt;
  }
  const auto* name = layer.find<std::string>("activation");
  if (!name) return std::nullopt;
  return *name;
}

/// Whether the outputs of a layer have the meaning of its inputs: in prediction each output is an
/// input, perhaps at another place, or a mean of inputs.
[[nodiscard]] inline bool passes_values_on(std::string_view kind) {
  return kind == "Dropout" || kind == "Masking" || kind == "Reshape" || kind == "Flatten" ||
         kind == "LastStep" || kind == "RepeatVector" || kind == "MeanOverSteps";
}

/// Whether the outputs of an activation can be the predictions that a loss expects.
[[nodiscard]] inline bool may_give(std::string_view activation, Predictions predictions) {
  const bool is_probability =
      activation == "sigmoid" || activation == "hard_sigmoid" || activation == "softmax";
  switch (predictions) {
    case Predictions::values:
      return true;
    case Predictions::logits:
      return !is_probability;
    case Predictions::probabilities:
      return is_probability;
    case Predictions::shares:
      return is_probability || activation == "softplus" || activation == "exponential";
  }
  return true;
}

/// Throws ValueError, naming the layer, on a softmax over one number, and on a last layer with an
/// activation whose outputs cannot be the predictions that the loss expects. `shape`: the shape of
/// the network's input.
template <class Scalar>
void check_outputs(const Network<Scalar>& network, Shape shape, const Loss<Scalar>& loss) {
  const auto where = [&](std::size_t i) {
    return message({"layer ", i, " (", network.layers()[i].describe(), ")"});
  };
  std::optional<std::string> activation;
  std::size_t applied_by = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto& layer = network.layers()[i];
    shape = layer.output_shape(shape);
    const LayerDescription description = layer.description();
    if (passes_values_on(description.kind)) continue;
    activation = activation_of(description);
    applied_by = i;
    if (activation == "softmax" && shape.back() == 1) {
      fail<ValueError>({where(i),
                        ": a softmax over one number is 1, whatever the number is; use "
                        "Activation::sigmoid, or as many units as there are classes"});
    }
  }
  const Predictions predictions = loss.predictions();
  if (!activation || may_give(*activation, predictions)) return;
  if (predictions == Predictions::logits) {
    fail<ValueError>({"loss ", loss.name(),
                      ": takes logits, to which it applies the sigmoid or softmax itself, but ",
                      where(applied_by), " applies ", *activation,
                      " already; leave out one of the two"});
  }
  fail<ValueError>({"loss ", loss.name(), ": takes the outputs for probabilities, but ",
                    where(applied_by), " ends in the activation ", *activation,
                    "; give it Activation::sigmoid or Activation::softmax, or the loss "
                    ".from_logits = true"});
}

/// Whether the input of a network is class numbers (B, T), one for each step.
template <class Scalar>
[[nodiscard]] bool takes_ids(const Network<Scalar>& network) {
  return network.size() > 0 && network.layers().front().accepts() == Accepts::ids;
}

/// Whether layers of a network may change which steps count.
template <class Scalar>
[[nodiscard]] bool layers_mask(const Network<Scalar>& network) {
  for (const auto& layer : network.layers()) {
    const std::string kind = layer.kind();
    if (kind == "Masking" || kind == "Embedding") return true;
  }
  return false;
}

/// Throws ValueError, naming the place, on a target for which the loss is not defined, in a row or
/// a sample that is known to count.
template <class Scalar>
void check_target_values(const char* what, const Network<Scalar>& network, const Loss<Scalar>& loss,
                         const Tensor<Scalar>& y, const Shape& output, const Mask& mask) {
  if (!loss.is_of_rows()) {
    if (!knows_counted(output, mask, layers_mask(network))) return;
    for (Index b = 0; b < y.batch(); ++b) {
      const Index steps = output.rank() == 3 ? output[1] : 1;
      const Index counted = output.rank() < 3 || mask.empty() ? steps : mask.rows(b, 1).count();
      on_error<ValueError>([&] { loss.check_sample(sample_of(y, b), counted); },
                           [&](const ValueError& error) {
                             fail<ValueError>({what, ": sample ", b, ": ", error.what()});
                           });
    }
    return;
  }
  if (loss.targets() == Targets::classes) return;
  const Index size = loss.target_shape(output).back();
  for_each_counted_row(output, mask, layers_mask(network), [&](Index row) {
    on_error<ValueError>(
        [&] {
          loss.check_sample({y.data() + row * size, 1, size}, 1);
        },
        [&](const ValueError& error) {
          fail<ValueError>({place(what, y, row * size), ": ", error.what()});
        });
    for (Index i = row * size; i < (row + 1) * size; ++i) {
      if (loss.takes(y.data()[i])) continue;
      fail<ValueError>({place(what, y, i), " is ", y.data()[i], ", but the targets of ",
                        loss.name(), " must be ", loss.target_range()});
    }
  });
}

/// Throws ShapeError on a metric that takes other targets than y, which the loss takes.
template <class Scalar>
void check_metric_shapes(const Loss<Scalar>& loss, const std::vector<Metric<Scalar>>& metrics,
                         const Tensor<Scalar>& y, const Shape& output) {
  for (const auto& metric : metrics) {
    Shape rows = output;
    rows[output.rank() - 1] = Dynamic;
    Shape expected = metric.target_shape(output);
    if (expected.rank() == 0) expected = rows;
    const bool one_per_step = output.rank() == 3 && y.shape() == Shape{output[0], output[1]};
    if (fits_targets(y.shape(), expected) || (expected == rows && one_per_step)) continue;
    fail<ShapeError>({"the metric ", metric.name(), " takes targets of the shape ", expected,
                      " for outputs of the shape ", output, ", but y, of the loss ", loss.name(),
                      ", has ", y.shape()});
  }
}

/// Throws ValueError on a metric with the name of another figure, which it would hide in the logs.
template <class Scalar>
void check_metric_names(const std::vector<Metric<Scalar>>& metrics) {
  const auto wrong = [](const std::string& name) {
    return name.empty() || name == "loss" || name == "epoch" || name == "learning_rate" ||
           name.starts_with("val_");
  };
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const std::string& name = metrics[i].name();
    if (wrong(name)) {
      fail<ValueError>({"compile: metric ", i, " is named \"", name,
                        "\", but \"loss\", \"epoch\", \"learning_rate\", no name at all and names "
                        "that begin with \"val_\" belong to other figures; give it another name: "
                        "{TheMetric{}, \"name\"}"});
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (metrics[k].name() != name) continue;
      fail<ValueError>({"compile: metrics ", k, " and ", i, " are both named \"", name,
                        "\"; give one another name: {TheMetric{}, \"name\"}"});
    }
  }
}

/// Throws ValueError on a metric that compares with another kind of targets than the loss.
template <class Scalar>
void check_metric_targets(const Loss<Scalar>& loss, const std::vector<Metric<Scalar>>& metrics) {
  for (const auto& metric : metrics) {
    if (metric.targets().value_or(loss.targets()) == loss.targets()) continue;
    const bool classes = loss.targets() == Targets::classes;
    fail<ValueError>(
        {"compile: the metric ", metric.name(), " compares with ",
         classes ? "values, one for each output" : "class numbers", ", but the loss ", loss.name(),
         " with ", classes ? "class numbers" : "values, one for each output",
         metric.name().find("accuracy") != std::string::npos ? "; Accuracy does for both" : ""});
  }
}

/// Sentences about targets that are allowed but may be a mistake, at most one for the loss and one
/// for each metric. Throws ValueError where a metric that counts classes is used in a regression.
template <class Scalar>
[[nodiscard]] std::vector<std::string> doubts(const Network<Scalar>& network,
                                              const Loss<Scalar>& loss,
                                              const std::vector<Metric<Scalar>>& metrics,
                                              const Tensor<Scalar>& y, const Shape& output,
                                              const Mask& mask) {
  if (!loss.is_of_rows()) return {};
  const Index size = output.back();
  const Index target_size = loss.target_shape(output).back();
  std::vector<std::string> found(metrics.size() + 1);
  for_each_counted_row(output, mask, layers_mask(network), [&](Index row) {
    const Scalar* const target = y.data() + row * target_size;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (!found[i].empty()) continue;
      const std::string doubt = metrics[i].doubt(target, size, target_size);
      if (doubt.empty()) continue;
      found[i] = message({"the metric ", metrics[i].name(), ": ", doubt});
      if (loss.predictions() != Predictions::values || loss.targets() == Targets::classes) continue;
      fail<ValueError>({found[i], "; it counts right classes, but the loss ", loss.name(),
                        " is one of a regression; use MeanAbsoluteError, for instance"});
    }
    if (!found.back().empty()) return;
    const std::string doubt = loss.doubt(target, target_size);
    if (!doubt.empty()) found.back() = message({"the loss ", loss.name(), ": ", doubt});
  });
  std::erase(found, std::string());
  return found;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
