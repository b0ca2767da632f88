#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/detail/checks.hpp>
#include <strata/error.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/layer_list.hpp>

namespace strata {

/// A chain of layers: their sizes and weights, and how data runs forward and derivatives run back.
///
/// `Layers` is a tuple of layers or a vector of AnyLayer; Sequential adds what a user calls.
template <class Layers>
class Network {
 public:
  using scalar_type = typename detail::LayerList<Layers>::Scalar;
  using Scalar = scalar_type;
  using Packed = typename detail::LayerList<Layers>::Packed;

  /// What one training pass leaves for backward. It is kept from pass to pass for its memory.
  struct Tape {
    Packed packed;
    typename detail::LayerList<Layers>::Tapes layers;
    std::vector<Tensor<Scalar>> outputs;
    /// The derivative by the output, which the caller writes; backward uses it up.
    Tensor<Scalar> derivative;
    Tensor<Scalar> derivative_before;
  };

  Network() = default;
  explicit Network(Layers layers) : layers_(std::move(layers)) {}

  [[nodiscard]] const Layers& layers() const noexcept { return layers_; }
  [[nodiscard]] Layers& layers() noexcept { return layers_; }
  /// Number of layers.
  [[nodiscard]] std::size_t size() const noexcept { return detail::length(layers_); }

  /// Whether all sizes are known and the weights are there.
  [[nodiscard]] bool is_built() const noexcept { return built_; }

  /// Gives every layer its sizes and draws the weights of those that have none yet: whose weights
  /// are all zero. Throws ShapeError when the layers do not join, and changes nothing then.
  void build(const Input& input) {
    (void)output_shape(input.shape());
    input_ = input;
    Index features = input.features();
    detail::for_each(
        [&](std::size_t i, auto& layer) {
          if (layer.inputs() == Dynamic) layer.build(features);
          if (is_zero(layer)) layer.initialize(layer_random(i));
          features = layer.output_features(features);
        },
        layers_);
    built_ = true;
  }

  /// Draws all weights anew. The same seed gives the same weights; without a call it is 0. Before
  /// the sizes are known, the seed is remembered.
  void initialize(std::uint64_t seed) {
    seed_ = seed;
    if (!built_) return;
    detail::for_each([&](std::size_t i, auto& layer) { layer.initialize(layer_random(i)); },
                     layers_);
  }

  /// The shape of the output for input of a shape, in which sizes may be Dynamic.
  /// Throws ShapeError, naming the layer, when they do not fit.
  [[nodiscard]] Shape output_shape(Shape shape) const {
    std::string before;
    detail::for_each(
        [&](std::size_t i, const auto& layer) {
          const std::string name = "layer " + std::to_string(i) + " (";
          const std::string where = name + layer.describe() + "): ";
          if (detail::accepts(layer) == Accepts::sequences && shape.rank() != 3) {
            throw ShapeError(where + "expects sequences (B, T, F), " +
                             (before.empty()
                                  ? "found " + to_string(shape)
                                  : "but " + before +
                                        " returns one output per sequence; construct it with "
                                        "return_sequences"));
          }
          try {
            const Index features = layer.output_features(shape.back());
            switch (detail::returns(layer)) {
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
            throw ShapeError(where + error.what() +
                             (before.empty() ? "" : ", the outputs of " + before));
          }
          if (detail::returns(layer) != Returns::same || before.empty()) {
            before = name + layer.kind() + ")";
          }
        },
        layers_);
    return shape;
  }

  /// The names of the layers, as Keras gives them: lstm, lstm_1, dense.
  [[nodiscard]] std::vector<std::string> layer_names() const {
    std::vector<std::string> names;
    std::map<std::string, int> uses;
    detail::for_each(
        [&](std::size_t, const auto& layer) {
          std::string name = layer.kind();
          for (char& letter : name) {
            letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
          }
          const int use = uses[name]++;
          names.push_back(use == 0 ? name : name + "_" + std::to_string(use));
        },
        layers_);
    return names;
  }

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the model is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    require_built("parameters");
    return list_parameters<Scalar>(layers_, [](auto& layer) { return layer.parameters(); });
  }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const {
    require_built("parameters");
    return list_parameters<const Scalar>(
        layers_, [](const auto& layer) { return detail::parameters_of(layer); });
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
      throw ShapeError("set_weights: the model has " + std::to_string(parameter_count()) +
                       " parameters, found " + std::to_string(all.size()) + " numbers");
    }
    for (auto& parameter : parameters()) {
      std::copy_n(all.begin(), parameter.values.size(), parameter.values.begin());
      all = all.subspan(parameter.values.size());
    }
  }

  /// Builds the model for data like x, where it is not built yet.
  void build_for(const Tensor<Scalar>& x) {
    if (built_) return;
    detail::check_not_empty("x", x);
    build(x.rank() == 3 ? Input(Dynamic, x.features()) : Input(x.features()));
  }

  /// Throws when x is not data for this model: StateError before it is built, ShapeError when the
  /// shape does not fit, ValueError when a value is not finite.
  void check_data(const Tensor<Scalar>& x) const {
    require_built("the model's sizes");
    detail::check_not_empty("x", x);
    const Shape expected = input_->shape();
    const bool steps_fit =
        expected.rank() < 3 || x.rank() < 3 || expected[1] == Dynamic || expected[1] == x.steps();
    (void)output_shape(x.shape());
    if (x.rank() != expected.rank() || !steps_fit || x.features() != expected.back()) {
      throw ShapeError("x: the model's Input expects " + to_string(expected) + ", found " +
                       to_string(x.shape()));
    }
    detail::check_finite("x", x);
  }

  void pack(Packed& packed, bool training) const {
    detail::fit_length(packed, layers_);
    detail::for_each(
        [&](std::size_t, const auto& layer, auto& part) { layer.pack(part, training); }, layers_,
        packed);
  }

  /// Prediction for one batch. The output of a layer is dropped when the next has read it.
  [[nodiscard]] Tensor<Scalar> forward(const Packed& packed, const Tensor<Scalar>& x) const {
    Tensor<Scalar> now;
    Tensor<Scalar> next;
    detail::for_each(
        [&](std::size_t i, const auto& layer, const auto& part) {
          layer.forward(part, i == 0 ? x : std::as_const(now), next);
          now.swap(next);
        },
        layers_, packed);
    return now;
  }

  /// Training pass over one batch. The output stays in the tape.
  const Tensor<Scalar>& forward(const Tensor<Scalar>& x, Tape& tape, const Pass& pass) const {
    pack(tape.packed, true);
    detail::fit_length(tape.layers, layers_);
    tape.outputs.resize(size());
    detail::for_each(
        [&](std::size_t i, const auto& layer, const auto& packed, auto& part) {
          layer.forward(packed, i == 0 ? x : std::as_const(tape.outputs[i - 1]), part,
                        tape.outputs[i], Pass{pass.random.fork(i)});
        },
        layers_, tape.packed, tape.layers);
    return tape.outputs.back();
  }

  /// Adds to `gradient`, in the order of parameters(), what tape.derivative says.
  void backward(const Tensor<Scalar>& x, Tape& tape, std::span<Scalar> gradient) const {
    detail::for_each_reversed(
        [&](std::size_t i, const auto& layer, const auto& packed, auto& part) {
          const auto count = static_cast<std::size_t>(detail::parameter_count(layer));
          layer.backward(packed, i == 0 ? x : std::as_const(tape.outputs[i - 1]), tape.outputs[i],
                         tape.derivative, part, gradient.last(count),
                         i == 0 ? nullptr : &tape.derivative_before);
          gradient = gradient.first(gradient.size() - count);
          tape.derivative.swap(tape.derivative_before);
        },
        layers_, tape.packed, tape.layers);
  }

  /// The shape that Input or the first data gave; nothing before.
  [[nodiscard]] const std::optional<Input>& input() const noexcept { return input_; }

 protected:
  void require_built(const std::string& what) const {
    if (built_) return;
    throw StateError(what +
                     " are not known yet: construct the model with Input{steps, features}, or call "
                     "build or fit first");
  }

  Layers layers_{};
  std::optional<Input> input_;
  bool built_ = false;

 private:
  [[nodiscard]] Random layer_random(std::size_t i) const { return Random(seed_).fork(i); }

  template <class L>
  [[nodiscard]] static bool is_zero(const L& layer) {
    for (const auto& parameter : detail::parameters_of(layer)) {
      for (const Scalar value : parameter.values) {
        if (value != Scalar(0)) return false;
      }
    }
    return true;
  }

  template <class Number, class List, class Of>
  [[nodiscard]] std::vector<Parameter<Number>> list_parameters(List& layers, Of of) const {
    const auto names = layer_names();
    std::vector<Parameter<Number>> all;
    detail::for_each(
        [&](std::size_t i, auto& layer) {
          for (auto& parameter : of(layer)) {
            parameter.name = names[i] + "." + parameter.name;
            all.push_back(std::move(parameter));
          }
        },
        layers);
    return all;
  }

  std::uint64_t seed_ = 0;
};

}  // namespace strata
