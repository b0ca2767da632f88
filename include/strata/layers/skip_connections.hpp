#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/detail/inner_layer.hpp>
#include <strata/detail/map.hpp>
#include <strata/detail/text.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A stack in which the input enters every layer, and every layer the output (Graves 2013): layer n
/// reads x beside the output of layer n - 1, and the output is that of all layers side by side.
/// (B, T, F) to (B, T, U0 + U1 + ...).
///
///   SkipConnections{LSTM{50, return_sequences}, LSTM{50, return_sequences}}
///
/// The state of a sequence is that of the layers, one after the other, as are the parameters:
/// "0.kernel", "1.kernel".
template <class... Layers>
class SkipConnections {
  static_assert(sizeof...(Layers) > 0, "strata: SkipConnections needs a layer");
  static_assert(((Layers::accepts == Accepts::sequences || Layers::accepts == Accepts::any) && ...),
                "strata: SkipConnections is a stack of layers that take sequences");
  static_assert(((Layers::returns != Returns::last) && ...),
                "strata: SkipConnections joins the outputs of all layers at every step, but one of "
                "them returns one output per sequence; construct it with return_sequences");

  using First = std::tuple_element_t<0, std::tuple<Layers...>>;
  static constexpr std::size_t count = sizeof...(Layers);

 public:
  using scalar_type = typename First::scalar_type;
  using Scalar = scalar_type;
  static_assert((std::same_as<Scalar, typename Layers::scalar_type> && ...),
                "strata: all layers of SkipConnections must have the same scalar type");
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::sequence;
  static constexpr Index fixed_inputs = First::fixed_inputs;
  static constexpr Index fixed_outputs = ((Layers::fixed_outputs == Dynamic) || ...)
                                             ? Dynamic
                                             : (Index{0} + ... + Layers::fixed_outputs);
  static constexpr bool streams = (detail::streams_of<Layers>() && ...);
  static constexpr bool mixes_sequences = (detail::mixes_sequences_of<Layers>() || ...);

  explicit SkipConnections(Layers... layers) : layers_(std::move(layers)...) {
    const Index features = std::get<0>(layers_).inputs();
    if (features != Dynamic) build(features);
  }
  SkipConnections() requires(std::default_initializable<Layers>&&...)
      : SkipConnections(Layers()...) {}

  [[nodiscard]] std::string kind() const { return "SkipConnections"; }
  [[nodiscard]] std::string describe() const {
    return detail::text({kind(), ", ", count, " layers"});
  }
  [[nodiscard]] const std::tuple<Layers...>& layers() const noexcept { return layers_; }
  [[nodiscard]] LayerDescription description() const {
    LayerDescription description{kind()};
    for_each([&](auto i) {
      description.layers.push_back(detail::describe_layer(std::get<i()>(layers_)));
    });
    return description;
  }

  [[nodiscard]] Index inputs() const noexcept { return std::get<0>(layers_).inputs(); }
  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  [[nodiscard]] Index output_features(Index features) const {
    Index outputs = 0;
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = std::get<i()>(layers_);
      const Index known = features == Dynamic ? layer.inputs() : features + before;
      try {
        before = layer.output_features(known);
      } catch (const ShapeError& error) {
        detail::fail<ShapeError>({"its layer ", i(), " (", layer.describe(), "): ", error.what()});
      }
      outputs += before;
    });
    return outputs;
  }

  /// Sizes that a layer knows already stay.
  void build(Index features) {
    (void)output_features(features);
    Index before = 0;
    for_each([&](auto i) {
      auto& layer = std::get<i()>(layers_);
      if (layer.inputs() == Dynamic) layer.build(features + before);
      before = layer.output_features(features + before);
      parameter_counts_[i()] = static_cast<std::size_t>(detail::parameter_count(layer));
    });
  }
  void initialize(const Random& random) {
    for_each([&](auto i) { std::get<i()>(layers_).initialize(random.fork(i())); });
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for_each([&](auto i) {
      for (auto& parameter : std::get<i()>(layers_).parameters()) {
        parameter.name = detail::text({i(), ".", parameter.name});
        list.push_back(std::move(parameter));
      }
    });
    return list;
  }

  struct Packed {
    std::tuple<typename Layers::Packed...> layers;
    Index features = 0;
    std::array<Index, count> outputs{};
    std::array<Index, count> states{};

    void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept {
      const Index widest = features + *std::max_element(outputs.begin(), outputs.end());
      auto* const joined =
          static_cast<Scalar*>(__builtin_alloca(static_cast<std::size_t>(widest) * sizeof(Scalar)));
      std::copy_n(x, features, joined);
      for_each([&](auto i) {
        std::get<i()>(layers).step(i() == 0 ? x : joined, state, y);
        std::copy_n(y, outputs[i()], joined + features);
        state += states[i()];
        y += outputs[i()];
      });
    }
  };

  /// Of the layers. The input of the first is x.
  struct Tape {
    std::tuple<typename Layers::Tape...> layers;
    std::array<Tensor<Scalar>, count> inputs;
    std::array<Tensor<Scalar>, count> outputs;
    std::array<Tensor<Scalar>, count> derivatives;
    Tensor<Scalar> input_derivative;
  };

  void pack(Packed& packed, bool training) const {
    packed.features = inputs();
    Index before = 0;
    for_each([&](auto i) {
      const auto& layer = std::get<i()>(layers_);
      layer.pack(std::get<i()>(packed.layers), training);
      before = packed.outputs[i()] = layer.output_features(packed.features + before);
      packed.states[i()] = layer.state_size();
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    resize_output(x, y);
    std::array<Tensor<Scalar>, 2> outputs;
    Tensor<Scalar> joined;
    Index offset = 0;
    for_each([&](auto i) {
      if (i() > 0) join(x, outputs[(i() + 1) % 2], joined);
      Tensor<Scalar>& out = outputs[i() % 2];
      std::get<i()>(layers_).forward(std::get<i()>(packed.layers), i() == 0 ? x : joined, out,
                                     pass_of(i(), pass));
      detail::matrix_of(y).middleCols(offset, out.features()) =
          detail::matrix_of(std::as_const(out));
      offset += out.features();
    });
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    resize_output(x, y);
    Index offset = 0;
    for_each([&](auto i) {
      if constexpr (i() > 0) join(x, tape.outputs[i() - 1], tape.inputs[i()]);
      Tensor<Scalar>& out = tape.outputs[i()];
      std::get<i()>(layers_).forward(std::get<i()>(packed.layers), i() == 0 ? x : tape.inputs[i()],
                                     std::get<i()>(tape.layers), out, pass_of(i(), pass));
      detail::matrix_of(y).middleCols(offset, out.features()) =
          detail::matrix_of(std::as_const(out));
      offset += out.features();
    });
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    Index offset = 0;
    for (std::size_t i = 0; i < count; ++i) {
      tape.derivatives[i].resize(tape.outputs[i].shape());
      const Index width = tape.outputs[i].features();
      detail::matrix_of(tape.derivatives[i]) =
          detail::matrix_of(std::as_const(dy)).middleCols(offset, width);
      offset += width;
    }
    if (dx) {
      dx->resize(x.shape());
      detail::matrix_of(*dx).setZero();
    }
    for_each([&](auto from_last) {
      constexpr std::size_t i = count - 1 - from_last();
      const auto own = gradient.last(parameter_counts_[i]);
      gradient = gradient.first(gradient.size() - own.size());
      const bool wanted = i > 0 || dx;
      Tensor<Scalar>& derivative = tape.input_derivative;
      std::get<i>(layers_).backward(std::get<i>(packed.layers), i == 0 ? x : tape.inputs[i],
                                    tape.outputs[i], tape.derivatives[i], std::get<i>(tape.layers),
                                    own, wanted ? &derivative : nullptr, pass_of(i, pass));
      const auto both = detail::matrix_of(std::as_const(derivative));
      if (dx) detail::matrix_of(*dx) += both.leftCols(x.features());
      if constexpr (i > 0) {
        detail::matrix_of(tape.derivatives[i - 1]) += both.rightCols(both.cols() - x.features());
      }
    });
  }

  void absorb(Tape& tape) {
    for_each([&](auto i) { detail::absorb(std::get<i()>(layers_), std::get<i()>(tape.layers)); });
  }

  void check_stream() const {
    for_each([&](auto i) { std::get<i()>(layers_).check_stream(); });
  }
  [[nodiscard]] Index state_size() const noexcept { return state_offset(count); }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const Layers&... layers) { (layers.template to_dynamic<Other>(), ...); }
  [[nodiscard]] auto to_dynamic() const {
    return std::apply(
        [](const auto&... layer) {
          return SkipConnections<decltype(layer.template to_dynamic<Other>())...>(
              layer.template to_dynamic<Other>()...);
        },
        layers_);
  }

 private:
  /// f(0), f(1), ..., each number a constant.
  template <class F>
  static void for_each(F f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::index_sequence_for<Layers...>{});
  }

  /// Where the state of a layer starts.
  [[nodiscard]] Index state_offset(std::size_t layer) const noexcept {
    Index offset = 0;
    for_each([&](auto i) {
      if (i() < layer) offset += std::get<i()>(layers_).state_size();
    });
    return offset;
  }

  [[nodiscard]] Pass<Scalar> pass_of(std::size_t layer, const Pass<Scalar>& pass) const {
    return detail::inner_pass(pass, layer, state_offset(layer));
  }

  void resize_output(const Tensor<Scalar>& x, Tensor<Scalar>& y) const {
    y.resize({x.batch(), x.steps(), output_features(x.features())});
  }

  static void join(const Tensor<Scalar>& x, const Tensor<Scalar>& before, Tensor<Scalar>& joined) {
    joined.resize({x.batch(), x.steps(), x.features() + before.features()});
    detail::matrix_of(joined).leftCols(x.features()) = detail::matrix_of(x);
    detail::matrix_of(joined).rightCols(before.features()) = detail::matrix_of(before);
  }

  std::tuple<Layers...> layers_;
  std::array<std::size_t, count> parameter_counts_{};
};

}  // namespace strata::inline STRATA_TARGET
