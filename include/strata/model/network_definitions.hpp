#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/layer_ref.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/joining.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/model/network.hpp>
#include <strata/model/non_finite.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/model/state.hpp>
#include <strata/support/checks.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
Network<Scalar>::Network(std::vector<LayerRef<Scalar>> layers, NetworkSetup& setup)
    : layers_(std::move(layers)), setup_(&setup) {}

template <class Scalar>
Shape Network<Scalar>::extend(NetworkSetup& setup, std::size_t i, LayerRef<Scalar> layer,
                              const Shape& shape) {
  detail::check_rank(layer, shape, detail::message({"layer ", i, ": "}),
                     i == 0 ? "" : "the layer before");
  if (!setup.built) return layer.output_shape(shape);
  if (layer.inputs() == Dynamic && shape.back() == Dynamic) {
    detail::raise<ShapeError>("the number of inputs is not known");
  }
  const Shape outputs = layer.output_shape(shape);
  if (layer.inputs() == Dynamic) detail::give_sizes(i, layer, shape.back());
  if (detail::is_zero(layer)) layer.initialize(layer_random(setup, i));
  return outputs;
}

template <class Scalar>
void Network<Scalar>::initialize(std::uint64_t seed) {
  setup_->seed = seed;
  if (!is_built()) return;
  for (std::size_t i = 0; i < size(); ++i) layers_[i].initialize(layer_random(*setup_, i));
}

template <class Scalar>
Shape Network<Scalar>::output_shape(Shape shape) const {
  std::string before;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto& layer = layers_[i];
    const std::string where = detail::message({"layer ", i, " (", layer.describe(), "): "});
    detail::check_rank(layer, shape, where, before);
    detail::on_error<ShapeError>(
        [&] { shape = layer.output_shape(shape); },
        [&](const ShapeError& error) {
          detail::fail<ShapeError>(
              {where, error.what(), before.empty() ? "" : ", the outputs of ", before});
        });
    if (layer.returns() != Returns::same || before.empty()) {
      before = detail::message({"layer ", i, " (", layer.kind(), ")"});
    }
  }
  return shape;
}

template <class Scalar>
std::vector<std::string> Network<Scalar>::layer_names() const {
  return detail::layer_names(layers_);
}

template <class Scalar>
std::vector<Parameter<Scalar>> Network<Scalar>::parameters() {
  return list_parameters<Scalar>(layers_);
}

template <class Scalar>
std::vector<Parameter<const Scalar>> Network<Scalar>::parameters() const {
  return list_parameters<const Scalar>(layers_);
}

template <class Scalar>
void Network<Scalar>::set_trainable(const std::string& name, bool trainable) {
  if (is_built()) detail::check_named("set_trainable", name, std::as_const(*this).parameters());
  setup_->parameter_rules.set_trainable(name, trainable);
}

template <class Scalar>
void Network<Scalar>::set_rate(const std::string& name, double factor) {
  if (!detail::is_finite(factor) || factor < 0) {
    detail::fail<ValueError>(
        {"rates: the factor for ", name, " must be at least 0 and finite, found ", factor});
  }
  if (is_built()) detail::check_named("rates", name, std::as_const(*this).parameters());
  setup_->parameter_rules.set_rate(name, factor);
}

template <class Scalar>
void Network<Scalar>::set_parameter_rules(detail::ParameterRules rules) {
  rules.check(std::as_const(*this).parameters());
  setup_->parameter_rules = std::move(rules);
}

template <class Scalar>
void Network<Scalar>::check_parameter_rules() const {
  if (!setup_->parameter_rules.empty()) setup_->parameter_rules.check(parameters());
}

template <class Scalar>
Index Network<Scalar>::parameter_count() const {
  require_built("the model's parameters");
  Index count = 0;
  for (const auto& layer : layers_) count += layer.parameter_count();
  return count;
}

template <class Scalar>
std::vector<Scalar> Network<Scalar>::weights() const {
  std::vector<Scalar> all;
  for (const auto& parameter : parameters()) {
    all.insert(all.end(), parameter.values.begin(), parameter.values.end());
  }
  return all;
}

template <class Scalar>
void Network<Scalar>::check_weights(std::span<const Scalar> all) const {
  if (!detail::all_finite(all)) detail::fail_where_not_finite(parameters(), all);
}

template <class Scalar>
void Network<Scalar>::set_weights(std::span<const Scalar> all) {
  if (static_cast<Index>(all.size()) != parameter_count()) {
    detail::fail<ShapeError>({"set_weights: the model has ", parameter_count(),
                              " parameters, found ", all.size(), " numbers"});
  }
  for (auto& parameter : parameters()) {
    std::copy_n(all.begin(), parameter.values.size(), parameter.values.begin());
    all = all.subspan(parameter.values.size());
  }
}

template <class Scalar>
void Network<Scalar>::build_for(const Tensor<Scalar>& x) {
  if (is_built()) return;
  detail::check_not_empty("x", x);
  if (x.rank() == 2) {
    const bool ids = size() > 0 && layers_.front().accepts() == Accepts::ids;
    return build(Input(ids ? Dynamic : x.features()));
  }
  const bool takes_any_steps =
      detail::succeeds<StateError>([&] { build(Input(Dynamic, x.features())); });
  if (!takes_any_steps) build(Input(x.steps(), x.features()));
}

template <class Scalar>
void Network<Scalar>::check_mask(const Mask& mask, const Tensor<Scalar>& x) {
  if (mask.empty()) return;
  const Index steps = x.rank() == 3 ? x.steps() : x.features();
  if (mask.batch() != x.batch() || mask.steps() != steps) {
    detail::fail<ShapeError>({"mask: x has the shape ", x.shape(), ", so the mask has the shape ",
                              Shape{x.batch(), steps}, "; found ",
                              Shape{mask.batch(), mask.steps()}});
  }
}

template <class Scalar>
State<Scalar> Network<Scalar>::zero_state(Index batch) const {
  require_built("the sizes of the state");
  detail::sizes::check("zero_state", "the number of sequences", batch);
  State<Scalar> state{batch, {}};
  state.layers.resize(size());
  for (std::size_t i = 0; i < size(); ++i) {
    detail::sizes::assign(state.layers[i], detail::sizes::count({batch, layers_[i].state_size()}),
                          Scalar(0));
  }
  return state;
}

template <class Scalar>
void Network<Scalar>::check_state(State<Scalar>& state, Index batch) const {
  if (state.empty()) {
    state = zero_state(batch);
  } else {
    check_state("state", state, batch);
  }
}

template <class Scalar>
void Network<Scalar>::check_state(const char* what, const State<Scalar>& state, Index batch) const {
  if (state.batch != batch) {
    detail::fail<ShapeError>({what, ": expects ", batch, " sequences, found ", state.batch});
  }
  if (state.layers.size() != size()) {
    detail::fail<ShapeError>(
        {what, ": the number of layers: expects ", size(), ", found ", state.layers.size()});
  }
  for (std::size_t i = 0; i < size(); ++i) {
    const Index expected = layers_[i].state_size() * batch;
    const auto found = static_cast<Index>(state.layers[i].size());
    if (found != expected) {
      detail::fail<ShapeError>({what, ": the size of a layer's state: layer ", i, " (",
                                layers_[i].describe(), "): expects ", expected, ", found ", found});
    }
  }
}

template <class Scalar>
Pass<Scalar> Network<Scalar>::pass_of(std::size_t i, const SequenceContext<Scalar>& context,
                                      const Mask& mask, const Random& random) const {
  Pass<Scalar> pass{.random = random.fork(i), .continues = context.continues};
  if (!mask.empty()) pass.mask = &mask;
  if (context.state && context.state->size(i) > 0) {
    pass.final_state = context.state->rows(i, context.first);
    pass.initial_state = pass.final_state;
  }
  return pass;
}

template <class Scalar>
void Network<Scalar>::require_built(const char* what) const {
  if (is_built()) return;
  detail::fail<StateError>({what,
                            " are not known yet: construct the model with Input{steps, "
                            "features}, or call build or fit first"});
}

template <class Scalar>
void Network<Scalar>::build(const Input& input, bool draw) {
  check_features_known(input);
  // Copies of the layers that get their sizes here, as they were before, for an error.
  std::vector<std::shared_ptr<void>> before(size());
  const auto give_sizes = [&] {
    Shape shape = input.shape();
    for (std::size_t i = 0; i < size(); ++i) {
      if (layers_[i].inputs() == Dynamic) {
        before[i] = layers_[i].copy();
        detail::give_sizes(i, layers_[i], shape.back());
      }
      shape = layers_[i].output_shape(shape);
    }
    for (std::size_t i = 0; draw && i < size(); ++i) {
      if (detail::is_zero(layers_[i])) layers_[i].initialize(layer_random(*setup_, i));
    }
  };
  detail::undo_on_error(give_sizes, [&] {
    for (std::size_t i = 0; i < size(); ++i) {
      if (before[i]) layers_[i].assign(before[i]);
    }
  });
  setup_->input = input;
  setup_->built = true;
}

template <class Scalar>
void Network<Scalar>::check_features_known(const Input& input) const {
  (void)output_shape(input.shape());
  Shape shape = input.shape();
  for (std::size_t i = 0; i < size(); ++i) {
    const auto& layer = layers_[i];
    if (layer.inputs() == Dynamic && shape.back() == Dynamic) {
      detail::fail<StateError>({"layer ", i, " (", layer.describe(),
                                "): its number of inputs is not known; construct the model with "
                                "Input{steps, features}"});
    }
    shape = layer.output_shape(shape);
  }
}

template <class Scalar>
Random Network<Scalar>::layer_random(const NetworkSetup& setup, std::size_t i) {
  return Random(setup.seed).fork(i);
}

template <class Scalar>
template <class Number, class List>
std::vector<Parameter<Number>> Network<Scalar>::list_parameters(List& layers) const {
  require_built("the model's parameters");
  const auto names = layer_names();
  std::vector<Parameter<Number>> all;
  for (std::size_t i = 0; i < size(); ++i) {
    for (auto& parameter : layers[i].parameters()) {
      parameter.name = detail::message({names[i], ".", parameter.name});
      if (!setup_->parameter_rules.empty()) setup_->parameter_rules.apply(parameter);
      all.push_back(std::move(parameter));
    }
  }
  return all;
}

}  // namespace strata::inline STRATA_RUNTIME
