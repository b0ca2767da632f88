#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/error.hpp>
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

/// What SkipConnections and AllOutputs do, for a tuple of layers, or for a vector of layers of one
/// type that stands for any, which files are read to. ReadsInput: whether each layer reads the
/// input beside the output of the layer before it, as in SkipConnections, or that output alone.
template <class Layers, bool ReadsInput>
class JoinedStack {
  using Types = JoinedStackTypes<Layers>;
  using First = typename Types::First;
  template <class T>
  using Each = typename Parts<Layers>::template Each<T>;

 public:
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
                                      .list_state = true};

  explicit JoinedStack(Layers layers) : layers_(std::move(layers)) {
    const Index features = first().inputs();
    if (features != Dynamic) build(features);
  }

  static constexpr const char* kind_name = ReadsInput ? "SkipConnections" : "AllOutputs";

  [[nodiscard]] std::string kind() const { return kind_name; }
  [[nodiscard]] std::string describe() const {
    return message({kind(), ", ", part_count(layers_), " layers"});
  }
  [[nodiscard]] const Layers& layers() const noexcept { return layers_; }
  [[nodiscard]] LayerDescription description() const {
    LayerDescription description{kind()};
    for_each([&](auto i) { description.add_layer(describe_layer(part(layers_, i))); });
    return description;
  }

  [[nodiscard]] Index inputs() const noexcept { return first().inputs(); }
  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  [[nodiscard]] Index output_features(Index features) const {
    Index outputs = 0;
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      const Index known = features == Dynamic ? layer.inputs() : inputs_of(i, features, before);
      try {
        before = layer.output_features(known);
      } catch (const ShapeError& error) {
        fail<ShapeError>(
            {"its layer ", std::size_t{i}, " (", layer.describe(), "): ", error.what()});
      }
      outputs += before;
      sizes::check(kind_name, "outputs", outputs);
    });
    return outputs;
  }

  /// Sizes that a layer knows already stay.
  void build(Index features) {
    (void)output_features(features);
    resize_parts(parameter_counts_, part_count(layers_));
    Index before = 0;
    for_each([&](auto i) {
      auto& layer = part(layers_, i);
      const Index own = inputs_of(i, features, before);
      if (layer.inputs() == Dynamic) layer.build(own);
      before = layer.output_features(own);
      parameter_counts_[i] = static_cast<std::size_t>(strata::parameter_count(layer));
    });
  }
  void initialize(const Random& random) {
    for_each([&](auto i) { inner(part(layers_, i)).initialize(random.fork(i)); });
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for_each([&](auto i) {
      for (auto& parameter : part(layers_, i).parameters()) {
        parameter.name = message({std::size_t{i}, ".", parameter.name});
        list.push_back(std::move(parameter));
      }
    });
    return list;
  }
  [[nodiscard]] Index parameter_count() const {
    Index count = 0;
    for_each([&](auto i) { count += strata::parameter_count(part(layers_, i)); });
    return count;
  }

  struct Packed {
    typename Parts<Layers>::Packed layers;
    /// The features of x that all layers read.
    Index features = 0;
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
      const Index widest = features + *std::max_element(outputs.begin(), outputs.end());
      auto* const joined =
          static_cast<Scalar*>(__builtin_alloca(static_cast<std::size_t>(widest) * sizeof(Scalar)));
      std::copy_n(x, features, joined);
      for_each_part(layers, [&](auto i) {
        step(part(layers, i), i == 0 ? x : static_cast<const Scalar*>(joined), state, y);
        std::copy_n(y, outputs[i], joined + features);
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
    packed.features = ReadsInput ? inputs() : 0;
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = part(layers_, i);
      inner(layer).pack(part(packed.layers, i), training);
      before = packed.outputs[i] = layer.output_features(inputs_of(i, inputs(), before));
      packed.states[i] = layer.state_size();
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    resize_output(x, y);
    std::array<Tensor<Scalar>, 2> outputs;
    Tensor<Scalar> joined;
    Index offset = 0;
    for_each([&](auto i) {
      const Tensor<Scalar>& in = input_of(i, x, outputs[(i + 1) % 2], joined);
      Tensor<Scalar>& out = outputs[i % 2];
      inner(part(layers_, i)).forward(part(packed.layers, i), in, out, pass_of(i, pass));
      offset = put_beside(out, offset, y);
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
      const Tensor<Scalar>& in = input_of(i, x, tape.outputs[i == 0 ? 0 : i - 1], tape.inputs[i]);
      Tensor<Scalar>& out = tape.outputs[i];
      inner(part(layers_, i))
          .forward(part(packed.layers, i), in, part(tape.layers, i), out, pass_of(i, pass));
      offset = put_beside(out, offset, y);
    });
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    Index offset = 0;
    for_each([&](auto i) {
      tape.derivatives[i].resize(tape.outputs[i].shape());
      const Index width = tape.outputs[i].features();
      matrix_of(tape.derivatives[i]) = matrix_of(std::as_const(dy)).middleCols(offset, width);
      offset += width;
    });
    if (dx) {
      dx->resize(x.shape());
      matrix_of(*dx).setZero();
    }
    for_each_part_backward(layers_, [&](auto i) {
      const auto own = gradient.last(parameter_counts_[i]);
      gradient = gradient.first(gradient.size() - own.size());
      const bool wanted = i > 0 || dx;
      Tensor<Scalar>& derivative = tape.input_derivative;
      const Tensor<Scalar>& in = i == 0       ? x
                                 : ReadsInput ? tape.inputs[i]
                                              : tape.outputs[i == 0 ? 0 : i - 1];
      inner(part(layers_, i))
          .backward(part(packed.layers, i), in, tape.outputs[i], tape.derivatives[i],
                    part(tape.layers, i), own, wanted ? &derivative : nullptr, pass_of(i, pass));
      const auto both = matrix_of(std::as_const(derivative));
      const Index of_x = i == 0 || ReadsInput ? x.features() : 0;
      if (dx && of_x > 0) matrix_of(*dx) += both.leftCols(of_x);
      if (i > 0) matrix_of(tape.derivatives[i - 1]) += both.rightCols(both.cols() - of_x);
    });
  }

  void absorb(Tape& tape) {
    for_each([&](auto i) { detail::absorb(part(layers_, i), part(tape.layers, i)); });
  }

  void check_stream() const {
    for_each([&](auto i) { part(layers_, i).check_stream(); });
  }
  void check_masked_stream() const {
    for_each([&](auto i) { strata::check_stream(part(layers_, i), true); });
  }
  [[nodiscard]] Index state_size() const noexcept { return state_offset(part_count(layers_)); }
  void list_state(StateParts& parts) const {
    for_each(
        [&](auto i) { detail::list_state(part(layers_, i), message({std::size_t{i}}), parts); });
  }

 private:
  [[nodiscard]] const First& first() const noexcept {
    return part(layers_, std::integral_constant<std::size_t, 0>{});
  }
  template <class F>
  void for_each(F f) const {
    for_each_part(layers_, f);
  }

  /// The inputs of a layer, where x has `features` and the layer before it `before` outputs.
  [[nodiscard]] static Index inputs_of(std::size_t layer, Index features, Index before) noexcept {
    return layer == 0 ? features : ReadsInput ? features + before : before;
  }

  /// Where the state of a layer begins among the states of all.
  [[nodiscard]] Index state_offset(std::size_t layer) const noexcept {
    Index offset = 0;
    for_each([&](auto i) {
      if (i < layer) offset += part(layers_, i).state_size();
    });
    return offset;
  }
  [[nodiscard]] Pass<Scalar> pass_of(std::size_t layer, const Pass<Scalar>& pass) const {
    return inner_pass(pass, layer, state_offset(layer));
  }

  void resize_output(const Tensor<Scalar>& x, Tensor<Scalar>& y) const {
    y.resize({x.batch(), x.steps(), output_features(x.features())});
  }
  /// Writes the output of a layer to the columns of y from `offset` on. Returns where the columns
  /// of the next layer begin.
  static Index put_beside(const Tensor<Scalar>& out, Index offset, Tensor<Scalar>& y) {
    matrix_of(y).middleCols(offset, out.features()) = matrix_of(out);
    return offset + out.features();
  }
  /// The input of a layer behind the output `before`, which `joined` holds beside x.
  [[nodiscard]] static const Tensor<Scalar>& input_of(std::size_t layer, const Tensor<Scalar>& x,
                                                      const Tensor<Scalar>& before,
                                                      Tensor<Scalar>& joined) {
    if (layer == 0) return x;
    if constexpr (!ReadsInput) return before;
    joined.resize({x.batch(), x.steps(), x.features() + before.features()});
    matrix_of(joined).leftCols(x.features()) = matrix_of(x);
    matrix_of(joined).rightCols(before.features()) = matrix_of(before);
    return joined;
  }

  Layers layers_;
  Each<std::size_t> parameter_counts_{};
};

}  // namespace strata::detail::inline STRATA_TARGET
