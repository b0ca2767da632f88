#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/golden_layer.hpp"

// The layers before, between and after recurrent ones, with their gradients, against Keras.

namespace {

using namespace strata;
using namespace strata::test;

template <class L>
void check_batch_normalization(const Golden& golden, const std::string& name, L layer) {
  using Scalar = typename L::scalar_type;
  INFO(name);
  const Mask mask = mask_of(golden, name);
  layer.build(golden[name + ".x"].shape.back());
  load_parameters(layer.parameters(), golden, name + ".weight.");
  const auto tape = check_training(golden, name, layer, mask);
  layer.absorb(tape);
  for (const auto& parameter : layer.parameters()) {
    const std::string prefix = name + (parameter.trainable ? ".weight." : ".updated.");
    require_close(parameter.values, golden[prefix + parameter.name].values,
                  tolerance<Scalar>.values, parameter.name);
  }
  check_prediction(golden, name, layer, mask, "x", "inference.y");
}

/// The names of all records of `prefixes` have been asked for.
void check_all_read(const Golden& golden, const std::vector<std::string>& prefixes) {
  for (const auto& name : golden.unread()) {
    INFO(name);
    for (const auto& prefix : prefixes) CHECK_FALSE(name.starts_with(prefix));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("Masking is Keras'", "[golden][around]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("masks.txt");
  for (const std::string name : {"masking.zero", "masking.half"}) {
    Masking<Scalar> layer{golden[name + ".mask_value"].value()};
    const auto x = golden[name + ".x"].template tensor<Scalar>();
    CHECK(layer.output_mask(x, Mask()) == mask_of(golden, name));
    // Keras' Masking makes a mask of its own.
    CHECK(layer.output_mask(x, Mask(x.batch(), x.steps())) == mask_of(golden, name));
    layer.build(x.features());
    check_training(golden, name, layer, Mask());
    check_prediction(golden, name, layer, Mask());
  }
  check_all_read(golden, {"masking."});
}

TEMPLATE_TEST_CASE("Embedding is Keras'", "[golden][around]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("around.txt");
  check_layer(golden, "embedding.plain", Embedding<Scalar>{5, 3}, "ids");
  check_layer(golden, "embedding.plain", Embedding<Scalar, 5, 3>{}, "ids");
  const Embedding<Scalar> masking{5, 3, {.mask_zero = true}};
  check_layer(golden, "embedding.mask_zero", masking, "ids");
  const auto ids = golden["embedding.mask_zero.ids"].template tensor<Scalar>();
  CHECK(masking.output_mask(ids, Mask()) == mask_of(golden, "embedding.mask_zero"));
  CHECK(Embedding<Scalar>{5, 3}.output_mask(ids, Mask()).empty());

  const std::string name = "embedding.then_lstm";
  Sequential model{Input{4}, Embedding<Scalar>{5, 2, {.mask_zero = true}}, LSTM<Scalar>{3}};
  const std::vector<std::string> names{"0.embeddings", "1.kernel", "1.recurrent_kernel", "1.bias"};
  auto parameters = model.parameters();
  REQUIRE(parameters.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) parameters[i].name = names[i];
  load_parameters(parameters, golden, name + ".weight.");
  const auto x = golden[name + ".ids"].template tensor<Scalar>();
  require_tensor_close(model.predict(x), golden, name + ".y", tolerance<Scalar>.values);
  Sequential<Scalar> chosen;
  std::apply([&](const auto&... layer) { (chosen.add(layer), ...); }, model.layers());
  require_tensor_close(chosen.predict(x), golden, name + ".y", tolerance<Scalar>.values);

  const auto network = model.trainable_network();
  typename TrainableNetwork<Scalar>::Tape tape;
  require_tensor_close(network.forward(x, tape, Random()), golden, name + ".y",
                       tolerance<Scalar>.values);
  tape.derivative = golden[name + ".weighting"].template tensor<Scalar>();
  std::vector<Scalar> gradient(static_cast<std::size_t>(model.parameter_count()));
  network.backward(x, tape, gradient);
  require_parameters_close<Scalar>(parameters, gradient, golden, name + ".grad.",
                                   tolerance<Scalar>.gradients);
  check_all_read(golden, {"embedding."});
}

TEMPLATE_TEST_CASE("Normalization is Keras'", "[golden][around]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("around.txt");
  int cases = 0;
  for (const auto& name : golden.cases("weighting")) {
    const bool center = !name.ends_with(".no_center") && !name.ends_with(".neither");
    const bool scale = !name.ends_with(".no_scale") && !name.ends_with(".neither");
    const auto option = [&](const std::string& ending, double& value) {
      if (golden.contains(name + ending)) value = golden[name + ending].value();
    };
    if (name.starts_with("layer_norm.")) {
      LayerNormalizationOptions options{.center = center, .scale = scale};
      option(".epsilon", options.epsilon);
      check_layer(golden, name, LayerNormalization<Scalar>(options));
      ++cases;
    } else if (name.starts_with("batch_norm.")) {
      BatchNormalizationOptions options{.center = center, .scale = scale};
      option(".momentum", options.momentum);
      option(".epsilon", options.epsilon);
      check_batch_normalization(golden, name, BatchNormalization<Scalar>(options));
      ++cases;
    }
  }
  CHECK(cases == 12);
  check_layer(golden, "layer_norm.rank3", LayerNormalization<Scalar, 3>());
  check_batch_normalization(golden, "batch_norm.rank3", BatchNormalization<Scalar, 3>());
  check_all_read(golden, {"layer_norm.", "batch_norm."});
}

TEMPLATE_TEST_CASE("Layers that change shapes are Keras'", "[golden][around]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("around.txt");
  check_layer(golden, "time_distributed.dense",
              TimeDistributed{Dense<Scalar>{4, Activation::tanh}});
  check_layer(golden, "repeat_vector", RepeatVector<Scalar>{3});
  check_layer(golden, "flatten", Flatten<Scalar>{});
  check_layer(golden, "reshape.rank3_to_2", Flatten<Scalar>{});
  check_layer(golden, "reshape.rank2_to_3", Reshape<Scalar>{3, 4});
  check_layer(golden, "reshape.rank3_to_3", Reshape<Scalar>{6, 2});
  for (const std::string rank : {"rank2", "rank3"}) {
    check_layer(golden, "activation.softmax." + rank, Activate<Scalar>{Activation::softmax});
    check_layer(golden, "activation.relu." + rank, Activate<Scalar>{Activation::relu});
  }
  check_all_read(golden,
                 {"time_distributed.", "repeat_vector.", "flatten.", "reshape.", "activation."});
}

TEMPLATE_TEST_CASE("Residual, skip connections and pooling are Keras'", "[golden][around]", float,
                   double) {
  using Scalar = TestType;
  using Sequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;
  const Golden golden = Golden::read("around.txt");
  check_layer(golden, "residual", Residual{Sequence{3}});
  check_layer(golden, "residual", Residual<LSTM<Scalar, 3, 3, return_sequences>>{});
  check_layer(golden, "skip_stack", SkipConnections{Sequence{3}, Sequence{2}, Sequence{4}});
  check_layer(
      golden, "skip_stack",
      SkipConnections<LSTM<Scalar, 2, 3, return_sequences>, LSTM<Scalar, 5, 2, return_sequences>,
                      LSTM<Scalar, 4, 4, return_sequences>>{});
  for (const std::string name : {"attention.plain", "attention.masked"}) {
    check_layer(golden, name, AttentionPooling<Scalar>{4});
    check_layer(golden, name, AttentionPooling<Scalar, 3, 4>{});
  }
  for (const std::string name : {"mean_over_steps.plain", "mean_over_steps.masked"}) {
    check_layer(golden, name, MeanOverSteps<Scalar>{});
  }
  check_all_read(golden, {"residual.", "skip_stack.", "attention.", "mean_over_steps."});
}
