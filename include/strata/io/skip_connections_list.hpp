#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/detail/inner_layer.hpp>
#include <strata/detail/text.hpp>
#include <strata/error.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// SkipConnections of layers that a file names, as many as there are: the same numbers, names and
/// states. `Mixes`: whether one of them must see all sequences of a batch together.
template <class S, bool Mixes>
class SkipConnectionsList {
  using Layers = std::vector<AnyLayer<S>>;

 public:
  using scalar_type = S;
  using Scalar = S;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::sequence;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr bool mixes_sequences = Mixes;

  explicit SkipConnectionsList(Layers layers) : layers_(std::move(layers)) {}

  [[nodiscard]] std::string kind() const { return "SkipConnections"; }
  [[nodiscard]] std::string describe() const {
    return detail::text({kind(), ", ", layers_.size(), " layers"});
  }
  [[nodiscard]] LayerDescription description() const {
    LayerDescription description{kind()};
    for (const auto& layer : layers_) description.layers.push_back(layer.description());
    return description;
  }

  [[nodiscard]] Index inputs() const { return layers_.front().inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    Index outputs = 0;
    Index before = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Index known = features == Dynamic ? layers_[i].inputs() : features + before;
      try {
        before = outputs_of(layers_[i], known);
      } catch (const ShapeError& error) {
        detail::fail<ShapeError>(
            {"its layer ", i, " (", layers_[i].describe(), "): ", error.what()});
      }
      outputs += before;
    }
    return outputs;
  }

  void build(Index features) {
    (void)output_features(features);
    Index before = 0;
    for (auto& layer : layers_) {
      if (layer.inputs() == Dynamic) layer.build(features + before);
      before = outputs_of(layer, features + before);
    }
  }
  void initialize(const Random& random) {
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].initialize(random.fork(i));
  }
  [[nodiscard]] std::vector<Parameter<S>> parameters() {
    std::vector<Parameter<S>> list;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      for (auto& parameter : layers_[i].parameters()) {
        parameter.name = detail::text({i, ".", parameter.name});
        list.push_back(std::move(parameter));
      }
    }
    return list;
  }

  struct Packed {
    std::vector<typename AnyLayer<S>::Packed> layers;
    std::vector<Index> outputs;
    std::vector<Index> states;
    Index features = 0;

    void step(const S* x, S* state, S* y) const noexcept {
      const Index widest = features + *std::max_element(outputs.begin(), outputs.end());
      auto* const joined =
          static_cast<S*>(__builtin_alloca(static_cast<std::size_t>(widest) * sizeof(S)));
      std::copy_n(x, features, joined);
      for (std::size_t i = 0; i < layers.size(); ++i) {
        layers[i].step(i == 0 ? x : joined, state, y);
        std::copy_n(y, outputs[i], joined + features);
        state += states[i];
        y += outputs[i];
      }
    }
  };

  struct Tape {
    std::vector<typename AnyLayer<S>::Tape> layers;
    std::vector<Tensor<S>> inputs;
    std::vector<Tensor<S>> outputs;
    std::vector<Tensor<S>> derivatives;
    Tensor<S> input_derivative;
  };

  void pack(Packed& packed, bool training) const {
    packed.features = inputs();
    packed.layers.resize(layers_.size());
    packed.outputs.assign(layers_.size(), 0);
    packed.states.assign(layers_.size(), 0);
    Index before = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].pack(packed.layers[i], training);
      before = packed.outputs[i] = outputs_of(layers_[i], packed.features + before);
      packed.states[i] = layers_[i].state_size();
    }
  }

  void forward(const Packed& packed, const Tensor<S>& x, Tensor<S>& y, const Pass<S>& pass) const {
    run(x, y, [&](std::size_t i, const Tensor<S>& in, Tensor<S>& out) {
      layers_[i].forward(packed.layers[i], in, out, pass_of(i, pass));
    });
  }

  void forward(const Packed& packed, const Tensor<S>& x, Tape& tape, Tensor<S>& y,
               const Pass<S>& pass) const {
    tape.layers.resize(layers_.size());
    tape.inputs.resize(layers_.size());
    tape.outputs.resize(layers_.size());
    run(x, y, [&](std::size_t i, const Tensor<S>& in, Tensor<S>& out) {
      if (i > 0) tape.inputs[i] = in;
      layers_[i].forward(packed.layers[i], i == 0 ? x : tape.inputs[i], tape.layers[i],
                         tape.outputs[i], pass_of(i, pass));
      out = std::as_const(tape.outputs[i]);
    });
  }

  void backward(const Packed& packed, const Tensor<S>& x, const Tensor<S>&, Tensor<S>& dy,
                Tape& tape, std::span<S> gradient, Tensor<S>* dx, const Pass<S>& pass) const {
    tape.derivatives.resize(layers_.size());
    Index offset = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Index width = tape.outputs[i].features();
      tape.derivatives[i].resize(tape.outputs[i].shape());
      tape.derivatives[i].matrix() = std::as_const(dy).matrix().middleCols(offset, width);
      offset += width;
    }
    if (dx) {
      dx->resize(x.shape());
      dx->matrix().setZero();
    }
    for (std::size_t i = layers_.size(); i-- > 0;) {
      const auto own = gradient.last(static_cast<std::size_t>(layers_[i].parameter_count()));
      gradient = gradient.first(gradient.size() - own.size());
      Tensor<S>& derivative = tape.input_derivative;
      layers_[i].backward(packed.layers[i], i == 0 ? x : tape.inputs[i], tape.outputs[i],
                          tape.derivatives[i], tape.layers[i], own,
                          i > 0 || dx ? &derivative : nullptr, pass_of(i, pass));
      const auto both = std::as_const(derivative).matrix();
      if (dx) dx->matrix() += both.leftCols(x.features());
      if (i > 0) tape.derivatives[i - 1].matrix() += both.rightCols(both.cols() - x.features());
    }
  }

  void absorb(Tape& tape) {
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].absorb(tape.layers[i]);
  }

  void check_stream() const {
    for (const auto& layer : layers_) layer.check_stream();
  }
  [[nodiscard]] Index state_size() const { return state_offset(layers_.size()); }

 private:
  [[nodiscard]] static Index outputs_of(const AnyLayer<S>& layer, Index features) {
    return layer.output_shape({Dynamic, Dynamic, features}).back();
  }

  [[nodiscard]] Index state_offset(std::size_t layer) const {
    Index offset = 0;
    for (std::size_t i = 0; i < layer; ++i) offset += layers_[i].state_size();
    return offset;
  }

  [[nodiscard]] Pass<S> pass_of(std::size_t layer, const Pass<S>& pass) const {
    return detail::inner_pass(pass, layer, state_offset(layer));
  }

  /// f(i, the input of layer i, its output) for each, and y beside it.
  template <class F>
  void run(const Tensor<S>& x, Tensor<S>& y, F f) const {
    y.resize({x.batch(), x.steps(), output_features(x.features())});
    Tensor<S> joined;
    Tensor<S> out;
    Index offset = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0) {
        joined.resize({x.batch(), x.steps(), x.features() + out.features()});
        joined.matrix().leftCols(x.features()) = x.matrix();
        joined.matrix().rightCols(out.features()) = std::as_const(out).matrix();
      }
      f(i, i == 0 ? x : std::as_const(joined), out);
      y.matrix().middleCols(offset, out.features()) = std::as_const(out).matrix();
      offset += out.features();
    }
  }

  Layers layers_;
};

}  // namespace strata::inline STRATA_TARGET::io
