#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/detail/checks.hpp>
#include <strata/error.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/layer_ref.hpp>

namespace strata {

/// What a network knows besides its layers.
struct NetworkSetup {
  /// The shape that Input or the first data gave; nothing before.
  std::optional<Input> input;
  std::uint64_t seed = 0;
  /// Whether all sizes are known and the weights are there.
  bool built = false;
};

/// A chain of layers that lie elsewhere: their sizes and weights, and how data runs forward and
/// derivatives run back. A model is a view of this kind plus the layers; training, prediction and
/// summary are written once, against it.
template <class Scalar>
class Network {
 public:
  using Packed = std::vector<typename LayerRef<Scalar>::Packed>;

  Network(std::vector<LayerRef<Scalar>> layers, NetworkSetup& setup)
      : layers_(std::move(layers)), setup_(&setup) {}

  [[nodiscard]] std::size_t size() const noexcept { return layers_.size(); }
  [[nodiscard]] const std::vector<LayerRef<Scalar>>& layers() const noexcept { return layers_; }
  [[nodiscard]] bool is_built() const noexcept { return setup_->built; }
  [[nodiscard]] const std::optional<Input>& input() const noexcept { return setup_->input; }

  /// Gives every layer its sizes and draws the weights of those that have none yet: whose weights
  /// are all zero. Throws ShapeError when the layers do not join, and changes nothing then.
  void build(const Input& input) {
    (void)output_shape(input.shape());
    setup_->input = input;
    Index features = input.features();
    for (std::size_t i = 0; i < size(); ++i) {
      auto& layer = layers_[i];
      if (layer.inputs() == Dynamic) layer.build(features);
      if (is_zero(layer)) layer.initialize(layer_random(i));
      features = layer.output_features(features);
    }
    setup_->built = true;
  }

  /// Draws all weights anew. The same seed gives the same weights; without a call it is 0. Before
  /// the sizes are known, the seed is remembered.
  void initialize(std::uint64_t seed) {
    setup_->seed = seed;
    if (!is_built()) return;
    for (std::size_t i = 0; i < size(); ++i) layers_[i].initialize(layer_random(i));
  }

  /// The shape of the output for input of a shape, in which sizes may be Dynamic.
  /// Throws ShapeError, naming the layer, when they do not fit.
  [[nodiscard]] Shape output_shape(Shape shape) const {
    std::string before;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto& layer = layers_[i];
      const std::string where = detail::text({"layer ", i, " (", layer.describe(), "): "});
      if (layer.accepts() == Accepts::sequences && shape.rank() != 3) {
        if (before.empty()) {
          detail::fail<ShapeError>({where, "expects sequences (B, T, F), found ", shape});
        }
        detail::fail<ShapeError>({where, "expects sequences (B, T, F), but ", before,
                                  " returns one output per sequence; construct it with "
                                  "return_sequences"});
      }
      try {
        const Index features = layer.output_features(shape.back());
        switch (layer.returns()) {
          case Returns::same:
            shape[shape.rank() - 1] = features;
            break;
          case Returns::sequence:
            shape = {shape[0], shape[1], features};
            break;
          case Returns::last:
            shape = {shape[0], features};
            break;
        }
      } catch (const ShapeError& error) {
        detail::fail<ShapeError>(
            {where, error.what(), before.empty() ? "" : ", the outputs of ", before});
      }
      if (layer.returns() != Returns::same || before.empty()) {
        before = detail::text({"layer ", i, " (", layer.kind(), ")"});
      }
    }
    return shape;
  }

  /// The names of the layers, as Keras gives them: lstm, lstm_1, dense.
  [[nodiscard]] std::vector<std::string> layer_names() const {
    std::vector<std::string> names;
    std::map<std::string, int> uses;
    for (const auto& layer : layers_) {
      std::string name = layer.kind();
      for (char& letter : name) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      }
      const int use = uses[name]++;
      names.push_back(use == 0 ? name : detail::text({name, "_", use}));
    }
    return names;
  }

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the network is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return list_parameters<Scalar>(layers_);
  }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const {
    return list_parameters<const Scalar>(layers_);
  }

  [[nodiscard]] Index parameter_count() const {
    Index count = 0;
    for (const auto& parameter : parameters()) count += parameter.shape.size();
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
    build(x.rank() == 3 ? Input(Dynamic, x.features()) : Input(x.features()));
  }

  /// Throws when x is not data for this model: StateError before it is built, ShapeError when the
  /// shape does not fit, ValueError when a value is not finite.
  void check_data(const Tensor<Scalar>& x) const {
    require_built("the model's sizes");
    detail::check_not_empty("x", x);
    const Shape expected = input()->shape();
    const bool steps_fit =
        expected.rank() < 3 || x.rank() < 3 || expected[1] == Dynamic || expected[1] == x.steps();
    (void)output_shape(x.shape());
    if (x.rank() != expected.rank() || !steps_fit || x.features() != expected.back()) {
      detail::fail<ShapeError>({"x: the model's Input expects ", expected, ", found ", x.shape()});
    }
    detail::check_finite("x", x);
  }

  void pack(Packed& packed, bool training) const {
    packed.resize(size());
    for (std::size_t i = 0; i < size(); ++i) layers_[i].pack(packed[i], training);
  }

  /// Prediction for one batch. The output of a layer is dropped when the next has read it.
  [[nodiscard]] Tensor<Scalar> forward(const Packed& packed, const Tensor<Scalar>& x) const {
    Tensor<Scalar> now;
    Tensor<Scalar> next;
    for (std::size_t i = 0; i < size(); ++i) {
      layers_[i].forward(packed[i], i == 0 ? x : std::as_const(now), next);
      now.swap(next);
    }
    return now;
  }

 private:
  void require_built(const char* what) const {
    if (is_built()) return;
    detail::fail<StateError>({what,
                              " are not known yet: construct the model with Input{steps, "
                              "features}, or call build or fit first"});
  }

  [[nodiscard]] Random layer_random(std::size_t i) const { return Random(setup_->seed).fork(i); }

  [[nodiscard]] static bool is_zero(const LayerRef<Scalar>& layer) {
    for (const auto& parameter : layer.parameters()) {
      for (const Scalar value : parameter.values) {
        if (value != Scalar(0)) return false;
      }
    }
    return true;
  }

  template <class Number, class List>
  [[nodiscard]] std::vector<Parameter<Number>> list_parameters(List& layers) const {
    require_built("the model's parameters");
    const auto names = layer_names();
    std::vector<Parameter<Number>> all;
    for (std::size_t i = 0; i < size(); ++i) {
      for (auto& parameter : layers[i].parameters()) {
        parameter.name = detail::text({names[i], ".", parameter.name});
        all.push_back(std::move(parameter));
      }
    }
    return all;
  }

  std::vector<LayerRef<Scalar>> layers_;
  NetworkSetup* setup_;
};

}  // namespace strata
