#pragma once

#include <algorithm>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/inner_layers.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/language/compiler.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What the types of the layers tell before there is an object of them.
template <class Layers>
struct ChainTypes;

template <class... Layers>
struct ChainTypes<std::tuple<Layers...>> {
  using First = std::tuple_element_t<0, std::tuple<Layers...>>;
  using Last = std::tuple_element_t<sizeof...(Layers) - 1, std::tuple<Layers...>>;
  static constexpr bool takes_any = ((Layers::accepts == Accepts::any) && ...);
  static constexpr bool returns_same = ((Layers::returns == Returns::same) && ...);
  static constexpr bool streams = (Layers::traits.streams && ...);
  static constexpr bool mixes_sequences = (mixes_sequences_of<Layers>() || ...);
};

template <class Layer>
struct ChainTypes<std::vector<Layer>> {
  using First = Layer;
  using Last = Layer;
  static constexpr bool takes_any = Layer::accepts == Accepts::any;
  static constexpr bool returns_same = Layer::returns == Returns::same;
  static constexpr bool streams = Layer::traits.streams;
  static constexpr bool mixes_sequences = mixes_sequences_of<Layer>();
};

/// What Chain does, for a tuple of layers, or for a vector of layers of one type that stands for
/// any, which files are read to.
template <class Layers>
class LayerChain : public InnerLayers<LayerChain<Layers>, Layers,
                                      typename ChainTypes<Layers>::First::scalar_type> {
  using Types = ChainTypes<Layers>;
  using First = typename Types::First;
  using Base = InnerLayers<LayerChain<Layers>, Layers, typename First::scalar_type>;
  using Base::for_each, Base::layers_, Base::named, Base::pass_of, Base::take_gradient;
  template <class T>
  using Each = typename Parts<Layers>::template Each<T>;

 public:
  using Base::inputs;
  using scalar_type = typename First::scalar_type;
  using Scalar = scalar_type;
  static constexpr Accepts accepts = Types::takes_any ? Accepts::any : Accepts::sequences;
  static constexpr Returns returns = Types::returns_same ? Returns::same : Returns::sequence;
  static constexpr Index fixed_inputs = First::fixed_inputs;
  static constexpr Index fixed_outputs = Types::Last::fixed_outputs;
  static constexpr LayerTraits traits{.streams = Types::streams,
                                      .absorb = true,
                                      .mixes_sequences = Types::mixes_sequences,
                                      .output_shape = true,
                                      .skip = true,
                                      .check_masked_stream = true,
                                      .list_state = true,
                                      .execution = true,
                                      .reduce = true};

  static constexpr const char* kind_name = "Chain";
  static constexpr bool returns_all_outputs = false;

  explicit LayerChain(Layers layers) : Base(std::move(layers)) {
    const Index features = inputs();
    if (features != Dynamic) build(features);
  }

  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  [[nodiscard]] Index output_features(Index features) const {
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      check_keeps_steps(i, layer);
      named(i, [&] { features = layer.output_features(features); });
    });
    return features;
  }
  /// Throws as output_features does.
  [[nodiscard]] Shape output_shape(Shape shape) const {
    for_each(
        [&](auto i) { named(i, [&] { shape = strata::output_shape(part(layers_, i), shape); }); });
    return shape;
  }

  /// Sizes that a layer knows already stay.
  void build(Index features) {
    (void)output_features(features);
    for_each([&](auto i) { features = this->build_layer(i, features); });
  }
  struct Packed {
    typename Parts<Layers>::Packed layers;
    Each<Index> outputs{};
    Each<Index> states{};

    void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      run(x, state, y, [order](const auto& layer, auto... at) { layer.step(at..., order); });
    }
    void skip(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      run(x, state, y, [order](const auto& layer, auto... at) { skip_layer(layer, at..., order); });
    }

   private:
    /// The outputs of the layers go to two places in turn, that of the last to y.
    template <class Step>
    STRATA_ALWAYS_INLINE void run(const Scalar* x, Scalar* state, Scalar* y,
                                  Step step) const noexcept {
      const Index widest = *std::max_element(outputs.begin(), outputs.end());
      auto* const between = STRATA_STACK_ARRAY(Scalar, 2 * widest);
      for_each_part(layers, [&](auto i) {
        Scalar* const to = i + 1 == outputs.size() ? y : between + (i % 2 == 0 ? 0 : widest);
        step(part(layers, i), x, state, to);
        state += states[i];
        x = to;
      });
    }
  };

  struct Tape {
    typename Parts<Layers>::Tapes layers;
    Each<Tensor<Scalar>> outputs;      ///< Of each layer but the last.
    Each<Tensor<Scalar>> derivatives;  ///< By the same outputs.
  };

  void pack(Packed& packed, bool training) const {
    const std::size_t count = part_count(layers_);
    resize_parts(packed.layers, count);
    resize_parts(packed.outputs, count);
    resize_parts(packed.states, count);
    Index features = inputs();
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      inner(layer).pack(part(packed.layers, i), training);
      packed.outputs[i] = features = layer.output_features(features);
      packed.states[i] = layer.state_size();
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tensor<Scalar> outputs[2];
    const Tensor<Scalar>* in = &x;
    for_each([&](auto i) {
      Tensor<Scalar>& out = is_last(i) ? y : outputs[i % 2];
      inner(part(layers_, i)).forward(part(packed.layers, i), *in, out, pass_of(i, pass));
      in = &out;
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    const std::size_t count = part_count(layers_);
    resize_parts(tape.layers, count);
    resize_parts(tape.outputs, count);
    resize_parts(tape.derivatives, count);
    const Tensor<Scalar>* in = &x;
    for_each([&](auto i) {
      Tensor<Scalar>& out = is_last(i) ? y : tape.outputs[i];
      inner(part(layers_, i))
          .forward(part(packed.layers, i), *in, part(tape.layers, i), out, pass_of(i, pass));
      in = &out;
    });
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    for_each_part_backward(layers_, [&](auto i) {
      const auto own = take_gradient(i, gradient);
      const std::size_t before = i == 0 ? 0 : i - 1;
      const Tensor<Scalar>& in = i == 0 ? x : tape.outputs[before];
      const Tensor<Scalar>& out = is_last(i) ? y : tape.outputs[i];
      Tensor<Scalar>& derivative = is_last(i) ? dy : tape.derivatives[i];
      inner(part(layers_, i))
          .backward(part(packed.layers, i), in, out, derivative, part(tape.layers, i), own,
                    i == 0 ? dx : &tape.derivatives[before], pass_of(i, pass));
    });
  }

  /// Whether the input of a layer is bounded, where the outputs of the layer before it, and x, are.
  [[nodiscard]] bool bounds_input(bool before, bool) const noexcept { return before; }

 private:
  [[nodiscard]] bool is_last(std::size_t layer) const noexcept {
    return layer + 1 == part_count(layers_);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
