#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/layer_ref.hpp>
#include <strata/error.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/joining.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/model/non_finite.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/model/state.hpp>
#include <strata/support/checks.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// What a model has besides its layers.
struct NetworkSetup {
  /// The shape that Input or the first data gave; nothing before.
  std::optional<Input> input;
  std::uint64_t seed = 0;
  /// Whether all sizes are known and all weights exist.
  bool built = false;
  detail::Threads threads;
};

/// A chain of layers that lie elsewhere: their sizes and weights, and how data runs forward and
/// derivatives run back. A model is a view of this kind plus the layers; training, prediction and
/// summary are written once, against it.
template <class Scalar>
class Network {
 public:
  Network(std::vector<LayerRef<Scalar>> layers, NetworkSetup& setup)
      : layers_(std::move(layers)), setup_(&setup) {}

  [[nodiscard]] std::size_t size() const noexcept { return layers_.size(); }
  [[nodiscard]] const std::vector<LayerRef<Scalar>>& layers() const noexcept { return layers_; }
  [[nodiscard]] bool is_built() const noexcept { return setup_->built; }
  [[nodiscard]] const std::optional<Input>& input() const noexcept { return setup_->input; }
  /// The threads that compute.
  [[nodiscard]] const detail::Threads& threads() const noexcept { return setup_->threads; }

  /// Gives every layer its sizes and draws the weights of the layers whose weights are all zero.
  /// Throws ShapeError when the layers do not join or are larger than memory can be, StateError
  /// when the input leaves a layer's number of inputs open, MemoryError when there is no memory for
  /// the weights. The layers are unchanged then.
  void build(const Input& input) { build(input, true); }

  /// Does for layer i, just added, what build and output_shape do for all layers: returns the shape
  /// of its output for data of `shape`, and gives it sizes and weights where the network is built.
  /// Throws ShapeError when the layer does not take the data.
  [[nodiscard]] static Shape extend(NetworkSetup& setup, std::size_t i, LayerRef<Scalar> layer,
                                    const Shape& shape) {
    detail::check_rank(layer, shape, detail::message({"layer ", i, ": "}),
                       i == 0 ? "" : "the layer before");
    if (!setup.built) return layer.output_shape(shape);
    if (layer.inputs() == Dynamic && shape.back() == Dynamic) {
      throw ShapeError("the number of inputs is not known");
    }
    const Shape outputs = layer.output_shape(shape);
    if (layer.inputs() == Dynamic) detail::give_sizes(i, layer, shape.back());
    if (detail::is_zero(layer)) layer.initialize(layer_random(setup, i));
    return outputs;
  }

  /// Like build, without drawing weights: for callers that set them afterwards.
  void build_empty(const Input& input) { build(input, false); }

  /// Draws all weights anew. The same seed gives the same weights. Before the network is built, it
  /// only keeps the seed for build.
  void initialize(std::uint64_t seed) {
    setup_->seed = seed;
    if (!is_built()) return;
    for (std::size_t i = 0; i < size(); ++i) layers_[i].initialize(layer_random(*setup_, i));
  }

  /// The shape of the output for input of the given shape, in which sizes may be Dynamic. Throws
  /// ShapeError, naming the layer, when a layer does not take what it is given.
  [[nodiscard]] Shape output_shape(Shape shape) const {
    std::string before;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto& layer = layers_[i];
      const std::string where = detail::message({"layer ", i, " (", layer.describe(), "): "});
      detail::check_rank(layer, shape, where, before);
      try {
        shape = layer.output_shape(shape);
      } catch (const ShapeError& error) {
        detail::fail<ShapeError>(
            {where, error.what(), before.empty() ? "" : ", the outputs of ", before});
      }
      if (layer.returns() != Returns::same || before.empty()) {
        before = detail::message({"layer ", i, " (", layer.kind(), ")"});
      }
    }
    return shape;
  }

  /// The names of the layers, as Keras gives them: lstm, lstm_1, dense.
  [[nodiscard]] std::vector<std::string> layer_names() const {
    return detail::layer_names(layers_);
  }

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the network is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return list_parameters<Scalar>(layers_);
  }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const {
    return list_parameters<const Scalar>(layers_);
  }

  /// How many numbers parameters() has. Throws StateError before the network is built.
  [[nodiscard]] Index parameter_count() const {
    require_built("the model's parameters");
    Index count = 0;
    for (const auto& layer : layers_) count += layer.parameter_count();
    return count;
  }

  /// The numbers of all parameters, in the order of parameters().
  [[nodiscard]] std::vector<Scalar> weights() const {
    std::vector<Scalar> all;
    for (const auto& parameter : parameters()) {
      all.insert(all.end(), parameter.values.begin(), parameter.values.end());
    }
    return all;
  }

  /// Throws ValueError, naming parameter and place, when one of parameter_count() numbers is
  /// infinite or not a number.
  void check_weights(std::span<const Scalar> all) const {
    if (!detail::all_finite(all)) detail::fail_where_not_finite(parameters(), all);
  }

  /// Throws ShapeError unless there are parameter_count() numbers.
  void set_weights(std::span<const Scalar> all) {
    if (static_cast<Index>(all.size()) != parameter_count()) {
      detail::fail<ShapeError>({"set_weights: the model has ", parameter_count(),
                                " parameters, found ", all.size(), " numbers"});
    }
    for (auto& parameter : parameters()) {
      std::copy_n(all.begin(), parameter.values.size(), parameter.values.begin());
      all = all.subspan(parameter.values.size());
    }
  }

  /// Builds the model for data like x, where it is not built yet.
  void build_for(const Tensor<Scalar>& x) {
    if (is_built()) return;
    detail::check_not_empty("x", x);
    if (x.rank() == 2) {
      const bool ids = size() > 0 && layers_.front().accepts() == Accepts::ids;
      return build(Input(ids ? Dynamic : x.features()));
    }
    try {
      build(Input(Dynamic, x.features()));
    } catch (const StateError&) {
      build(Input(x.steps(), x.features()));
    }
  }

  /// Throws ShapeError unless the mask is empty or has the shape (B, T) of x (rank 2: x's shape).
  static void check_mask(const Mask& mask, const Tensor<Scalar>& x) {
    if (mask.empty()) return;
    const Index steps = x.rank() == 3 ? x.steps() : x.features();
    if (mask.batch() != x.batch() || mask.steps() != steps) {
      detail::fail<ShapeError>({"mask: x has the shape ", x.shape(), ", so the mask has the shape ",
                                Shape{x.batch(), steps}, "; found ",
                                Shape{mask.batch(), mask.steps()}});
    }
  }

  /// The state of B sequences before the first step: zeros. Throws StateError before the network is
  /// built, ValueError when B is below 1, and ValueError, ShapeError or MemoryError when memory
  /// cannot hold a state for B sequences.
  [[nodiscard]] State<Scalar> zero_state(Index batch) const {
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

  /// Throws ShapeError when a state is not one of B sequences of this model. An empty one becomes
  /// zeros.
  void check_state(State<Scalar>& state, Index batch) const {
    if (state.empty()) {
      state = zero_state(batch);
      return;
    }
    if (state.batch != batch) {
      detail::fail<ShapeError>({"state: expects ", batch, " sequences, found ", state.batch});
    }
    if (state.layers.size() != size()) {
      detail::fail<ShapeError>(
          {"state: the number of layers: expects ", size(), ", found ", state.layers.size()});
    }
    for (std::size_t i = 0; i < size(); ++i) {
      const Index expected = layers_[i].state_size() * batch;
      const auto found = static_cast<Index>(state.layers[i].size());
      if (found != expected) {
        detail::fail<ShapeError>({"state: the size of a layer's state: layer ", i, " (",
                                  layers_[i].describe(), "): expects ", expected, ", found ",
                                  found});
      }
    }
  }

  /// The Pass of layer i: its part of the state, its random numbers, the mask of its input.
  [[nodiscard]] Pass<Scalar> pass_of(std::size_t i, const SequenceContext<Scalar>& context,
                                     const Mask& mask, const Random& random) const {
    Pass<Scalar> pass{.random = random.fork(i), .continues = context.continues};
    if (!mask.empty()) pass.mask = &mask;
    if (context.state && context.state->size(i) > 0) {
      pass.final_state = context.state->rows(i, context.first);
      pass.initial_state = pass.final_state;
    }
    return pass;
  }

 protected:
  void require_built(const char* what) const {
    if (is_built()) return;
    detail::fail<StateError>({what,
                              " are not known yet: construct the model with Input{steps, "
                              "features}, or call build or fit first"});
  }

 private:
  void build(const Input& input, bool draw) {
    check_features_known(input);
    // Copies of the layers that get their sizes here, as they were before, for an error.
    std::vector<std::shared_ptr<void>> before(size());
    try {
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
    } catch (...) {
      for (std::size_t i = 0; i < size(); ++i) {
        if (before[i]) layers_[i].assign(before[i]);
      }
      throw;
    }
    setup_->input = input;
    setup_->built = true;
  }

  /// Throws ShapeError when the layers do not join, StateError when a layer cannot know its inputs.
  void check_features_known(const Input& input) const {
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

  [[nodiscard]] static Random layer_random(const NetworkSetup& setup, std::size_t i) {
    return Random(setup.seed).fork(i);
  }

  template <class Number, class List>
  [[nodiscard]] std::vector<Parameter<Number>> list_parameters(List& layers) const {
    require_built("the model's parameters");
    const auto names = layer_names();
    std::vector<Parameter<Number>> all;
    for (std::size_t i = 0; i < size(); ++i) {
      for (auto& parameter : layers[i].parameters()) {
        parameter.name = detail::message({names[i], ".", parameter.name});
        all.push_back(std::move(parameter));
      }
    }
    return all;
  }

  std::vector<LayerRef<Scalar>> layers_;
  NetworkSetup* setup_;
};

}  // namespace strata::inline STRATA_RUNTIME
