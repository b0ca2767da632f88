#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/parameter_rules.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/layers/input.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The state of a training between two batches, as numbers and texts by name, with which the
/// training goes on with the same bits. Files keep it; see ModelCheckpoint.
struct TrainingState {
  using Value =
      std::variant<std::vector<std::int64_t>, std::vector<float>, std::vector<double>, std::string>;

  /// A parameter of the model.
  struct Weights {
    std::string name;
    Shape shape;
    std::variant<std::vector<float>, std::vector<double>> values;
  };

  std::optional<Input> input;
  std::vector<LayerDescription> layers;
  std::vector<Weights> weights;
  /// Which parameters are trained, and how fast.
  detail::ParameterRules rules = {};
  /// Everything else: optimizer, position, history, callbacks.
  std::map<std::string, Value> values;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// The weights of a state in the order of a model's parameters. Throws ValueError unless state and
/// model have the same parameters, with the same shapes and scalar.
template <class Scalar, class Parameters>
[[nodiscard]] std::vector<Scalar> weights_of(const TrainingState& state,
                                             const Parameters& parameters) {
  std::map<std::string_view, const TrainingState::Weights*> by_name;
  for (const auto& weights : state.weights) by_name[weights.name] = &weights;
  std::vector<Scalar> all;
  for (const auto& parameter : parameters) {
    const auto found = by_name.find(parameter.name);
    const auto* const weights = found == by_name.end() ? nullptr : found->second;
    const auto* values = weights ? std::get_if<std::vector<Scalar>>(&weights->values) : nullptr;
    if (!values || weights->shape != parameter.shape || values->size() != parameter.values.size()) {
      detail::raise<ValueError>("the state of a training: has no " + parameter.name +
                                " of the shape " + to_string(parameter.shape) +
                                " and the model's scalar");
    }
    all.insert(all.end(), values->begin(), values->end());
  }
  if (state.weights.size() != parameters.size()) {
    detail::raise<ValueError>(
        "the state of a training: has " + std::to_string(state.weights.size()) +
        " parameters, but the model has " + std::to_string(parameters.size()));
  }
  return all;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
