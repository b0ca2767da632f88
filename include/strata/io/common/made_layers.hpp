#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/description.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/prelu.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/target.hpp>

// The layers that files of several libraries have, made with their weights. `Made` is AnyLayer, for
// a layer that computes, or FileLayer, for a description: only the first compiles the layer. All
// functions throw FormatError when `weights` has no array for a parameter of the layer, an array of
// other sizes, or more arrays than the layer has parameters.

namespace strata::inline STRATA_RUNTIME::io {

template <class Made>
inline constexpr bool makes_descriptions = std::same_as<Made, FileLayer<ScalarOf<Made>>>;

/// The name and shape of a parameter.
struct ParameterShape {
  std::string name;
  Shape shape;
};

/// A layer of a file by its description, with weights for parameters of these shapes, in their
/// order.
template <class S>
[[nodiscard]] FileLayer<S> described(LayerDescription description,
                                     const std::vector<ParameterShape>& shapes,
                                     const LayerWeights& weights, const Where& where) {
  FileLayer<S> layer(std::move(description));
  for (const auto& [name, shape] : shapes) {
    layer.parameters.push_back({name, shape, {}});
    detail::sizes::assign(layer.parameters.back().values, shape.size(), S(0));
  }
  std::vector<Parameter<S>> parameters;
  for (auto& one : layer.parameters) parameters.push_back({one.name, one.shape, one.values});
  fill(parameters, weights, where);
  return layer;
}

/// A layer that computes, built for F = `features` inputs.
template <class L>
[[nodiscard]] AnyLayer<typename L::scalar_type> computing(L layer, Index features,
                                                          const LayerWeights& weights,
                                                          const Where& where) {
  if (layer.inputs() == Dynamic) layer.build(features);
  fill(layer.parameters(), weights, where);
  return AnyLayer<typename L::scalar_type>(std::move(layer));
}

/// A Dense for F = `features` inputs.
template <class Made>
[[nodiscard]] Made dense_layer(Index units, const DenseOptions& options, Index features,
                               const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  if constexpr (makes_descriptions<Made>) {
    std::vector<ParameterShape> shapes{{"kernel", {features, units}}};
    if (options.use_bias) shapes.push_back({"bias", {units}});
    return described<S>(LayerDescription("Dense").add("units", units).add_all(options), shapes,
                        weights, where);
  } else {
    return computing(Dense<S>(units, options), features, weights, where);
  }
}

/// An Embedding.
template <class Made>
[[nodiscard]] Made embedding_layer(Index vocabulary, Index units, const LayerWeights& weights,
                                   const Where& where) {
  using S = ScalarOf<Made>;
  if constexpr (makes_descriptions<Made>) {
    return described<S>(LayerDescription("Embedding")
                            .add("vocabulary", vocabulary)
                            .add("units", units)
                            .add_all(EmbeddingOptions{}),
                        {{"embeddings", {vocabulary, units}}}, weights, where);
  } else {
    return computing(Embedding<S>(vocabulary, units), 1, weights, where);
  }
}

/// A Conv1D for F = `features` inputs.
template <class Made>
[[nodiscard]] Made conv1d_layer(Index filters, Index kernel_size, const Conv1DOptions& options,
                                Index features, const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  if constexpr (makes_descriptions<Made>) {
    std::vector<ParameterShape> shapes{{"kernel", {kernel_size, features, filters}}};
    if (options.use_bias) shapes.push_back({"bias", {filters}});
    return described<S>(LayerDescription("Conv1D")
                            .add("filters", filters)
                            .add("kernel_size", kernel_size)
                            .add_all(options),
                        shapes, weights, where);
  } else {
    return computing(Conv1D<S>(filters, kernel_size, options), features, weights, where);
  }
}

/// A PReLU for F = `features` inputs.
template <class Made>
[[nodiscard]] Made prelu_layer(Index features, const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  if constexpr (makes_descriptions<Made>) {
    return described<S>(LayerDescription("PReLU").add_all(PReLUOptions{}), {{"alpha", {features}}},
                        weights, where);
  } else {
    return computing(PReLU<S>(), features, weights, where);
  }
}

/// A LayerNormalization, or a BatchNormalization with its moving statistics, by its options, for F
/// = `features` inputs.
template <class Made, class Options>
[[nodiscard]] Made normalization_layer(const Options& options, Index features,
                                       const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  constexpr bool has_statistics = std::same_as<Options, BatchNormalizationOptions>;
  using L = std::conditional_t<has_statistics, BatchNormalization<S>, LayerNormalization<S>>;
  if constexpr (makes_descriptions<Made>) {
    std::vector<ParameterShape> shapes;
    if (options.scale) shapes.push_back({"gamma", {features}});
    if (options.center) shapes.push_back({"beta", {features}});
    if (has_statistics) shapes.push_back({"moving_mean", {features}});
    if (has_statistics) shapes.push_back({"moving_variance", {features}});
    return described<S>(LayerDescription(L::name).add_all(options), shapes, weights, where);
  } else {
    return computing(L(options), features, weights, where);
  }
}

/// What a recurrent layer of a file is, without peepholes.
template <class Options>
struct RecurrentSettings {
  Index features;
  Index units;
  bool sequences;
  /// Within Bidirectional.
  bool both_ways = false;
  Options options;
};

/// The description of a layer `Gates` of a file and the shapes of its parameters.
template <class Gates, class S, class Options>
[[nodiscard]] FileLayer<S> described_recurrent(const RecurrentSettings<Options>& of,
                                               const LayerWeights& weights, const Where& where) {
  const Index columns = Gates::layout.gates * of.units;
  Index projection = 0;
  if constexpr (requires { of.options.projection; }) projection = of.options.projection;
  const Index outputs = projection > 0 ? projection : of.units;
  std::vector<ParameterShape> shapes{{"kernel", {of.features, columns}},
                                     {"recurrent_kernel", {outputs, columns}}};
  if (of.options.use_bias) {
    constexpr Index biases = Gates::layout.biases;
    shapes.push_back({"bias", biases == 1 ? Shape{columns} : Shape{biases, columns}});
  }
  if (projection > 0) shapes.push_back({"projection", {of.units, outputs}});

  auto description = LayerDescription(Gates::kind)
                         .add("units", of.units)
                         .add("return_sequences", of.sequences)
                         .add_all(of.options);
  if (!of.both_ways) return described<S>(std::move(description), shapes, weights, where);
  std::vector<ParameterShape> both;
  for (const char* direction : {"forward.", "backward."}) {
    for (const auto& one : shapes) both.push_back({direction + one.name, one.shape});
  }
  // Bidirectional sets this option of its layers.
  if (of.sequences) description.option("zero_output_for_mask") = true;
  return described<S>(LayerDescription("Bidirectional")
                          .add("merge", std::string(name(Merge::concat)))
                          .add_layer(std::move(description)),
                      both, weights, where);
}

/// A recurrent layer. `Gates` are those of its cell; `Last` is the layer without return_sequences,
/// `Sequences` the layer with it.
template <class Made, class Gates, class Last, class Sequences, class Options>
[[nodiscard]] Made recurrent_layer(const RecurrentSettings<Options>& of,
                                   const LayerWeights& weights, const Where& where) {
  if constexpr (makes_descriptions<Made>) {
    return described_recurrent<Gates, ScalarOf<Made>>(of, weights, where);
  } else {
    const auto made = [&](auto one) {
      return of.both_ways ? computing(Bidirectional(std::move(one)), of.features, weights, where)
                          : computing(std::move(one), of.features, weights, where);
    };
    return of.sequences ? made(Sequences(of.units, return_sequences, of.options))
                        : made(Last(of.units, of.options));
  }
}

template <class Made>
[[nodiscard]] Made recurrent_layer(const RecurrentSettings<LSTMOptions>& of,
                                   const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  return recurrent_layer<Made, detail::LSTMGateSet, LSTM<S>, LSTM<S, Dynamic, Dynamic, true>>(
      of, weights, where);
}
template <class Made>
[[nodiscard]] Made recurrent_layer(const RecurrentSettings<GRUOptions>& of,
                                   const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  return recurrent_layer<Made, detail::GRUGates, GRU<S>, GRU<S, Dynamic, Dynamic, true>>(
      of, weights, where);
}
template <class Made>
[[nodiscard]] Made recurrent_layer(const RecurrentSettings<SimpleRNNOptions>& of,
                                   const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  return recurrent_layer<Made, detail::SimpleRNNGates, SimpleRNN<S>,
                         SimpleRNN<S, Dynamic, Dynamic, true>>(of, weights, where);
}
template <class Made>
[[nodiscard]] Made recurrent_layer(const RecurrentSettings<ExtendedLSTMOptions>& of,
                                   const LayerWeights& weights, const Where& where) {
  using S = ScalarOf<Made>;
  return recurrent_layer<Made, detail::PeepholeGates, ExtendedLSTM<S>, ExtendedLSTM<S, true>>(
      of, weights, where);
}

}  // namespace strata::inline STRATA_RUNTIME::io
