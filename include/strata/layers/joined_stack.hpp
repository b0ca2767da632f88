#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/inner_layers.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/language/compiler.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What the types of the layers tell before there is an object of them.
template <class Layers>
struct JoinedStackTypes;

template <class... Layers>
struct JoinedStackTypes<std::tuple<Layers...>> {
  using First = std::tuple_element_t<0, std::tuple<Layers...>>;
  static constexpr Index fixed_outputs = ((Layers::fixed_outputs == Dynamic) || ...)
                                             ? Dynamic
                                             : (Index{0} + ... + Layers::fixed_outputs);
  static constexpr bool streams = (Layers::traits.streams && ...);
  static constexpr bool mixes_sequences = (mixes_sequences_of<Layers>() || ...);
};

template <class Layer>
struct JoinedStackTypes<std::vector<Layer>> {
  using First = Layer;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr bool streams = Layer::traits.streams;
  static constexpr bool mixes_sequences = mixes_sequences_of<Layer>();
};

/// What a layer of a stack reads besides the output of the layer before it: nothing (AllOutputs),
/// the input (SkipConnections), or the input and the window of the first layer (WindowStack).
enum class StackReads { outputs, input, input_and_window };

[[nodiscard]] constexpr const char* name_of(StackReads reads) noexcept {
  return reads == StackReads::outputs ? "AllOutputs"
         : reads == StackReads::input ? "SkipConnections"
                                      : "WindowStack";
}

/// What AllOutputs, SkipConnections and WindowStack do, for a tuple of layers, or for a vector of
/// layers of one type that stands for any, which files are read to.
template <class Layers, StackReads Reads>
class JoinedStack : public InnerLayers<JoinedStack<Layers, Reads>, Layers,
                                       typename JoinedStackTypes<Layers>::First::scalar_type> {
  static constexpr bool reads_input = Reads != StackReads::outputs;
  using Types = JoinedStackTypes<Layers>;
  using First = typename Types::First;
  using Base = InnerLayers<JoinedStack<Layers, Reads>, Layers, typename First::scalar_type>;
  using Base::for_each, Base::layers_, Base::named, Base::pass_of, Base::take_gradient;
  template <class T>
  using Each = typename Parts<Layers>::template Each<T>;

 public:
  using Base::inputs;
  using scalar_type = typename First::scalar_type;
  using Scalar = scalar_type;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::sequence;
  static constexpr Index fixed_inputs = First::fixed_inputs;
  static constexpr Index fixed_outputs = Types::fixed_outputs;
  static constexpr LayerTraits traits{.streams = Types::streams,
                                      .absorb = true,
                                      .mixes_sequences = Types::mixes_sequences,
                                      .skip = true,
                                      .check_masked_stream = true,
                                      .list_state = true,
                                      .execution = true,
                                      .reduce = true};

  static constexpr const char* kind_name = name_of(Reads);
  static constexpr bool returns_all_outputs = true;

  /// `window`: V, how many of the first layer's outputs, from the end, are its window.
  explicit JoinedStack(Layers layers, Index window = 0) : Base(std::move(layers)), window_(window) {
    const Index features = inputs();
    if (features != Dynamic) build(features);
  }

  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  [[nodiscard]] Index output_features(Index features) const {
    Index outputs = 0;
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      check_keeps_steps(i, layer);
      const Index known = features == Dynamic ? layer.inputs() : inputs_of(i, features, before);
      named(i, [&] { before = layer.output_features(known); });
      before = own_outputs(i, before);
      outputs += before;
      sizes::check(kind_name, "outputs", outputs);
    });
    return outputs;
  }

  /// Sizes that a layer knows already stay.
  void build(Index features) {
    (void)output_features(features);
    Index before = 0;
    for_each([&](auto i) {
      before = own_outputs(i, this->build_layer(i, inputs_of(i, features, before)));
    });
  }
  struct Packed {
    typename Parts<Layers>::Packed layers;
    /// The features of x that all layers read.
    Index features = 0;
    /// V.
    Index window = 0;
    /// Of each layer, without the window.
    Each<Index> outputs{};
    Each<Index> states{};

    void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      run(x, state, y, [order](const auto& layer, auto... at) { layer.step(at..., order); });
    }
    void skip(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      run(x, state, y, [order](const auto& layer, auto... at) { skip_layer(layer, at..., order); });
    }

   private:
    template <class Step>
    STRATA_ALWAYS_INLINE void run(const Scalar* x, Scalar* state, Scalar* y,
                                  Step step) const noexcept {
      const Index widest = *std::max_element(outputs.begin(), outputs.end());
      auto* const joined = STRATA_STACK_ARRAY(Scalar, features + widest + window);
      auto* const seen = STRATA_STACK_ARRAY(Scalar, window);
      std::copy_n(x, features, joined);
      for_each_part(layers, [&](auto i) {
        if (i == 0 && window > 0) {
          // y has no room for the window.
          step(part(layers, i), x, state, joined + features);
          std::copy_n(joined + features, outputs[i], y);
          std::copy_n(joined + features + outputs[i], window, seen);
        } else {
          step(part(layers, i), i == 0 ? x : static_cast<const Scalar*>(joined), state, y);
          std::copy_n(y, outputs[i], joined + features);
          std::copy_n(seen, window, joined + features + outputs[i]);
        }
        state += states[i];
        y += outputs[i];
      });
    }
  };

  struct Tape {
    typename Parts<Layers>::Tapes layers;
    Each<Tensor<Scalar>> inputs;       ///< Of each layer but the first, where they read x.
    Each<Tensor<Scalar>> outputs;      ///< Of each layer.
    Each<Tensor<Scalar>> derivatives;  ///< By each output.
    Tensor<Scalar> input_derivative;   ///< By the input of the layer that is at work.
  };

  void pack(Packed& packed, bool training) const {
    const std::size_t count = part_count(layers_);
    resize_parts(packed.layers, count);
    resize_parts(packed.outputs, count);
    resize_parts(packed.states, count);
    packed.features = reads_input ? inputs() : 0;
    packed.window = window_;
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      inner(layer).pack(part(packed.layers, i), training);
      before = packed.outputs[i] =
          own_outputs(i, layer.output_features(inputs_of(i, inputs(), before)));
      packed.states[i] = layer.state_size();
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    resize_output(x, y);
    // The output of the first layer, whose window others read, and of two layers in turn.
    std::array<Tensor<Scalar>, 3> outputs;
    Tensor<Scalar> joined;
    Index offset = 0;
    for_each([&](auto i) {
      const Tensor<Scalar>& in = input_of(i, x, outputs[slot_of(i - 1)], outputs[0], joined);
      Tensor<Scalar>& out = outputs[slot_of(i)];
      inner(part(layers_, i)).forward(part(packed.layers, i), in, out, pass_of(i, pass));
      offset = put_beside(out, own_outputs(i, out.features()), offset, y);
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    const std::size_t count = part_count(layers_);
    resize_parts(tape.layers, count);
    resize_parts(tape.inputs, count);
    resize_parts(tape.outputs, count);
    resize_parts(tape.derivatives, count);
    resize_output(x, y);
    Index offset = 0;
    for_each([&](auto i) {
      const Tensor<Scalar>& in =
          input_of(i, x, tape.outputs[i == 0 ? 0 : i - 1], tape.outputs[0], tape.inputs[i]);
      Tensor<Scalar>& out = tape.outputs[i];
      inner(part(layers_, i))
          .forward(part(packed.layers, i), in, part(tape.layers, i), out, pass_of(i, pass));
      offset = put_beside(out, own_outputs(i, out.features()), offset, y);
    });
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    Index offset = 0;
    for_each([&](auto i) {
      tape.derivatives[i].resize(tape.outputs[i].shape());
      const Index width = own_outputs(i, tape.outputs[i].features());
      auto derivative = matrix_of(tape.derivatives[i]);
      derivative.leftCols(width) = matrix_of(std::as_const(dy)).middleCols(offset, width);
      derivative.rightCols(derivative.cols() - width).setZero();
      offset += width;
    });
    if (dx) {
      dx->resize(x.shape());
      matrix_of(*dx).setZero();
    }
    for_each_part_backward(layers_, [&](auto i) {
      const auto own = take_gradient(i, gradient);
      const bool wanted = i > 0 || dx;
      Tensor<Scalar>& derivative = tape.input_derivative;
      const Tensor<Scalar>& in = i == 0        ? x
                                 : reads_input ? tape.inputs[i]
                                               : tape.outputs[i == 0 ? 0 : i - 1];
      inner(part(layers_, i))
          .backward(part(packed.layers, i), in, tape.outputs[i], tape.derivatives[i],
                    part(tape.layers, i), own, wanted ? &derivative : nullptr, pass_of(i, pass));
      const auto all = matrix_of(std::as_const(derivative));
      const Index of_x = i == 0 || reads_input ? x.features() : 0;
      if (dx && of_x > 0) matrix_of(*dx) += all.leftCols(of_x);
      if (i == 0) return;
      const Index before = all.cols() - of_x - window_;
      matrix_of(tape.derivatives[i - 1]).leftCols(before) += all.middleCols(of_x, before);
      matrix_of(tape.derivatives[0]).rightCols(window_) += all.rightCols(window_);
    });
  }

  /// Whether the input of a layer is bounded, where the outputs of the layer before it, and x, are.
  [[nodiscard]] bool bounds_input(bool before, bool x) const noexcept {
    return before && window_ == 0 && (x || !reads_input);
  }

 private:
  /// The inputs of a layer, where x has `features` and the layer before it `before` outputs of its
  /// own.
  [[nodiscard]] Index inputs_of(std::size_t layer, Index features, Index before) const noexcept {
    return layer == 0 ? features : (reads_input ? features : 0) + before + window_;
  }
  /// The outputs of a layer without the window.
  [[nodiscard]] Index own_outputs(std::size_t layer, Index outputs) const noexcept {
    return layer == 0 ? outputs - window_ : outputs;
  }
  /// Where prediction keeps the output of a layer.
  [[nodiscard]] static std::size_t slot_of(std::size_t layer) noexcept {
    return layer == 0 ? 0 : 1 + layer % 2;
  }

  void resize_output(const Tensor<Scalar>& x, Tensor<Scalar>& y) const {
    y.resize({x.batch(), x.steps(), output_features(x.features())});
  }
  /// Writes `width` outputs of a layer to the columns of y from `offset` on. Returns where the
  /// columns of the next layer begin.
  static Index put_beside(const Tensor<Scalar>& out, Index width, Index offset, Tensor<Scalar>& y) {
    matrix_of(y).middleCols(offset, width) = matrix_of(out).leftCols(width);
    return offset + width;
  }
  /// The input of a layer behind the output `before`, which `joined` holds beside x and the window
  /// of the output `first`.
  [[nodiscard]] const Tensor<Scalar>& input_of(std::size_t layer, const Tensor<Scalar>& x,
                                               const Tensor<Scalar>& before,
                                               const Tensor<Scalar>& first,
                                               Tensor<Scalar>& joined) const {
    if (layer == 0) return x;
    if constexpr (!reads_input) return before;
    const Index width = own_outputs(layer - 1, before.features());
    joined.resize({x.batch(), x.steps(), x.features() + width + window_});
    auto to = matrix_of(joined);
    to.leftCols(x.features()) = matrix_of(x);
    to.middleCols(x.features(), width) = matrix_of(before).leftCols(width);
    to.rightCols(window_) = matrix_of(first).rightCols(window_);
    return joined;
  }

  Index window_;
};

}  // namespace strata::detail::inline STRATA_TARGET
