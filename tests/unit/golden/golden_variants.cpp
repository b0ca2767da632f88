// Variants of recurrent layers: of the literature and PyTorch, by PyTorch's own differentiation,
// and of ONNX, by ONNX Runtime.

#include "support/recurrent_golden.hpp"

using namespace strata;
using namespace strata::test;

namespace {

/// A layer of one type, or Bidirectional over it.
template <class Scalar, class Make>
AnyLayer<Scalar> directed(bool bidirectional, bool sequences, Make make) {
  if (bidirectional) {
    if (sequences) return AnyLayer<Scalar>(Bidirectional(make(std::true_type())));
    return AnyLayer<Scalar>(Bidirectional(make(std::false_type())));
  }
  if (sequences) return AnyLayer<Scalar>(make(std::true_type()));
  return AnyLayer<Scalar>(make(std::false_type()));
}

template <class Scalar>
AnyLayer<Scalar> variant_named(const Golden& golden, const std::string& name) {
  const CaseName words(name);
  const std::string kind = words.words.front();
  const bool sequences = golden[name + ".y"].shape.rank() == 3;
  const std::string first = kind == "projection_two" ? ".weight.0." : ".weight.";
  const Index units =
      golden[name + first + "recurrent_kernel"].shape[1] / (kind.starts_with("coupled") ? 3 : 4);
  const auto number = [&](const std::string& record) {
    return golden.contains(name + "." + record) ? golden[name + "." + record].value() : 0.0;
  };
  if (kind == "layer_norm") {
    return recurrent_layer<LayerNormLSTM, Scalar>(
        units, sequences, LayerNormLSTMOptions{.epsilon = number("epsilon")});
  }
  if (kind == "zoneout") {
    return recurrent_layer<AnyLSTM, Scalar>(
        units, sequences,
        LSTMOptions{.zoneout = number("zoneout_h"), .memory_zoneout = number("zoneout_c")});
  }
  ExtendedLSTMOptions options{.peepholes = golden.contains(name + ".weight.peephole_input"),
                              .cell_clip = number("cell_clip"),
                              .activation_clip = number("clip")};
  if (kind.starts_with("coupled")) {
    return recurrent_layer<CoupledLSTM, Scalar>(units, sequences, options);
  }
  if (kind.starts_with("projection")) {
    options.projection = golden[name + first + "projection"].shape[1];
  }
  return recurrent_layer<ExtendedLSTM, Scalar>(units, sequences, options);
}

/// Values in the order of x: those of a layer that reads backwards come in the order of reading.
template <class Scalar>
Tensor<Scalar> reversed(const Tensor<Scalar>& y) {
  Tensor<Scalar> turned(y.shape());
  for (Index t = 0; t < y.steps(); ++t) turned.step(t) = y.step(y.steps() - 1 - t);
  return turned;
}

/// ONNX' options of a case, in its words.
struct OnnxCase {
  OnnxCase(const Golden& golden, const std::string& name)
      : words(name),
        bidirectional(words.has("bidirectional")),
        reverse(words.has("reverse")),
        coupled(words.has("coupled")),
        clip(golden.contains(name + ".clip") ? golden[name + ".clip"].value() : 0),
        use_bias(!words.has("no_bias")) {
    const auto at = std::find(words.words.begin(), words.words.end(), "activations");
    if (at == words.words.end()) return;
    for (auto word = at + 1; word != words.words.end(); ++word) {
      activations.push_back(activation_named(*word));
    }
  }

  /// The last two of f, g, h; f alone for SimpleRNN.
  template <class Options>
  void set(Options& options) const {
    options.use_bias = use_bias;
    options.go_backwards = reverse;
    options.zero_output_for_mask = true;
    if constexpr (requires { options.recurrent_activation; }) {
      if (!activations.empty()) {
        options.recurrent_activation = activations[0];
        options.activation = activations[1];
      }
    } else if (!activations.empty()) {
      options.activation = activations[0];
    }
    if constexpr (requires { options.activation_clip; }) options.activation_clip = clip;
    if constexpr (requires { options.output_activation; }) {
      if (activations.size() > 2) options.output_activation = activations[2];
      options.peepholes = words.has("peephole");
    }
  }

  CaseName words;
  bool bidirectional;
  bool reverse;
  bool coupled;
  double clip;
  bool use_bias;
  std::vector<Activation> activations;
};

template <class Scalar>
AnyLayer<Scalar> onnx_layer(const OnnxCase& wanted, Index units) {
  const auto& words = wanted.words;
  const auto make = [&]<template <class, bool> class Layer, class Options>(Options options) {
    wanted.set(options);
    return directed<Scalar>(wanted.bidirectional, true, [&](auto sequences) {
      return Layer<Scalar, decltype(sequences)::value>(units, options);
    });
  };
  if (words.has("reset_after")) return make.template operator()<AnyGRU>(GRUOptions());
  if (words.has("reset_before")) {
    return make.template operator()<ResetBeforeGRU>(GRUOptions());
  }
  if (words.has("simple_rnn")) return make.template operator()<AnySimpleRNN>(SimpleRNNOptions());
  if (wanted.coupled) return make.template operator()<CoupledLSTM>(ExtendedLSTMOptions());
  return make.template operator()<ExtendedLSTM>(ExtendedLSTMOptions());
}

template <class Scalar>
void check_onnx(const Golden& golden, const std::string& name) {
  INFO(name);
  const OnnxCase wanted(golden, name);
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  const std::string first = name + (wanted.bidirectional ? ".weight.forward." : ".weight.");
  const Index units = golden[first + "recurrent_kernel"].shape[0];
  AnyLayer<Scalar> layer = onnx_layer<Scalar>(wanted, units);
  layer.build(x.features());
  load_layer(layer, golden, name + ".weight.");

  Mask mask;
  if (golden.contains(name + ".lengths")) {
    std::vector<Index> lengths;
    for (const double length : golden[name + ".lengths"].values) {
      lengths.push_back(static_cast<Index>(length));
    }
    mask = Mask::from_lengths(lengths, x.steps());
  }
  std::vector<Scalar> initial;
  const Index size = layer.state_size();
  std::vector<Scalar> state(static_cast<std::size_t>(x.batch() * size));
  Pass<Scalar> pass;
  if (!mask.empty()) pass.mask = &mask;
  if (golden.contains(name + ".initial")) {
    initial = golden[name + ".initial"].template flat<Scalar>();
    pass.initial_state = {initial.data(), size};
  }
  pass.final_state = {state.data(), size};
  typename AnyLayer<Scalar>::Packed packed;
  Tensor<Scalar> y;
  layer.pack(packed, false);
  layer.forward(packed, x, y, pass);
  // ONNX Runtime computes in float, with its own approximations of the activations.
  const Tolerance allowed{2e-6, 2e-6};
  require_tensor_close(wanted.reverse ? reversed(y) : y, golden, name + ".y", allowed);
  require_close(state, golden[name + ".final"].values, allowed, name + ".final");
}

}  // namespace

TEMPLATE_TEST_CASE("Variants of the LSTM: as PyTorch differentiates their equations",
                   "[golden][variants]", float, double) {
  const Golden golden = Golden::read("lstm_variants.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 25);
  for (const auto& name : cases) {
    if (name.starts_with("zoneout")) {
      // In training, zoneout draws instead of averaging.
      check_recurrent(golden, name, variant_named<TestType>(golden, name), false);
    } else if (name.starts_with("projection_two")) {
      check_chain<TestType>(
          golden, name,
          {variant_named<TestType>(golden, name), variant_named<TestType>(golden, name)}, {});
    } else {
      // Normalization divides by standard deviations as small as 0.03 and so magnifies rounding.
      const double slack = name.starts_with("layer_norm") ? 8 : 1;
      check_recurrent(golden, name, variant_named<TestType>(golden, name), true, slack);
    }
  }
}

TEMPLATE_TEST_CASE("Recurrent layers: as PyTorch's modules", "[golden][variants]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("recurrent_torch.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 25);
  for (const auto& name : cases) {
    const std::string kind = words_of(name).front();
    const bool bidirectional = kind.starts_with("bidirectional");
    const bool sequences = golden[name + ".y"].shape.rank() == 3;
    const bool two = words_of(name)[1].starts_with("two");
    const std::string first = name + ".weight." + (two ? "0." : "") +
                              (bidirectional ? "forward." : "") + "recurrent_kernel";
    const Index units = golden[first].shape[0];
    const bool use_bias = words_of(name)[1] != "two_no_bias";
    const auto layer = [&](bool all) -> AnyLayer<Scalar> {
      if (kind.ends_with("gru")) {
        return directed<Scalar>(bidirectional, all, [&](auto rs) {
          return AnyGRU<Scalar, decltype(rs)::value>(units, {.use_bias = use_bias});
        });
      }
      if (kind.ends_with("lstm")) {
        return directed<Scalar>(bidirectional, all, [&](auto rs) {
          return AnyLSTM<Scalar, decltype(rs)::value>(units, {.use_bias = use_bias});
        });
      }
      return recurrent_layer<AnySimpleRNN, Scalar>(
          units, all,
          SimpleRNNOptions{
              .activation = kind.ends_with("relu") ? Activation::relu : Activation::tanh,
              .use_bias = use_bias});
    };
    std::vector<AnyLayer<Scalar>> layers;
    if (two) layers.push_back(layer(true));
    layers.push_back(layer(sequences));
    check_chain<Scalar>(golden, name, layers, {});
  }
}

TEMPLATE_TEST_CASE("Recurrent layers: as ONNX Runtime", "[golden][variants]", float, double) {
  const Golden golden = Golden::read("lstm_onnx.txt");
  const auto cases = golden.cases("final");
  REQUIRE(cases.size() == 70);
  for (const auto& name : cases) check_onnx<TestType>(golden, name);
}

TEMPLATE_TEST_CASE("Deep transitions: as PyTorch differentiates their equations",
                   "[golden][variants]", float, double) {
  const Golden golden = Golden::read("deep_transition.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 13);
  for (const auto& name : cases) {
    const std::string kind = words_of(name).front();
    const Index units = golden[name + ".weight.recurrent_kernel"].shape[0];
    const std::vector<Index> transitions(kind.ends_with("two") ? 2 : 1, units);
    check_recurrent(golden, name,
                    recurrent_layer<DeepTransitionRNN, TestType>(
                        units, golden[name + ".y"].shape.rank() == 3,
                        DeepTransitionOptions{.transitions = transitions,
                                              .shortcut = kind.starts_with("shortcut")}));
  }
}

TEST_CASE("Graves, Mohamed & Hinton 2013: the numbers of weights of table 1", "[golden]") {
  const Index features = 123;
  const Index phonemes = 62;
  const auto count = [&](int levels, auto layer) {
    Sequential<> model;
    model.add(Input{Dynamic, features});
    for (int level = 0; level < levels; ++level) model.add(layer);
    model.add(Dense{phonemes, Activation::softmax});
    return model.parameter_count();
  };
  // Zeros: orthogonal weights of these sizes would take long to make.
  const auto lstm = [](Index units) {
    return ExtendedLSTM{
        units, return_sequences, {.kernel_initializer = Zeros{}, .recurrent_initializer = Zeros{}}};
  };
  const auto both = [&](Index units) { return Bidirectional{lstm(units)}; };
  CHECK(count(1, both(250)) == 780562);
  CHECK(count(1, both(622)) == 3793018);
  CHECK(count(2, both(250)) == 2284062);
  CHECK(count(3, both(250)) == 3787562);
  CHECK(count(5, both(250)) == 6794562);
  CHECK(count(3, lstm(421)) == 3786957);
  const SimpleRNN tanh_units{500, return_sequences, {.recurrent_initializer = Zeros{}}};
  CHECK(count(3, Bidirectional{tanh_units}) == 3688062);
}
