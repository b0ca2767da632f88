#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/golden_layer.hpp"

// Activations, alone and of Dense, their relatives with settings, Rescaling, MaxOverSteps and
// Conv1D, with their gradients, against Keras.

namespace activation_layer_tests {

using namespace strata;
using namespace strata::test;

constexpr Activation newer[] = {
    Activation::relu6, Activation::leaky_relu, Activation::hard_sigmoid_fifth, Activation::selu,
    Activation::silu,  Activation::gelu,       Activation::gelu_tanh,          Activation::mish};

}  // namespace activation_layer_tests

TEMPLATE_TEST_CASE("Activations are Keras', alone and of Dense", "[golden][activation_layers]",
                   float, double) {
  using namespace activation_layer_tests;
  using Scalar = TestType;
  const Golden golden = Golden::read("activation_layers.txt");
  for (const Activation activation : newer) {
    const std::string text(name(activation));
    check_layer(golden, "activation." + text, Activate<Scalar>{activation});
    check_layer(golden, "dense." + text, Dense<Scalar>{5, activation});
    check_layer(golden, "dense." + text, Dense<Scalar, 3, 5>{activation});
  }
}

TEMPLATE_TEST_CASE("ReLU, ELU, PReLU, Rescaling and MaxOverSteps are Keras'",
                   "[golden][activation_layers]", float, double) {
  using namespace activation_layer_tests;
  using Scalar = TestType;
  const Golden golden = Golden::read("activation_layers.txt");
  check_layer(golden, "relu.plain", ReLU<Scalar>{});
  check_layer(golden, "relu.settings",
              ReLU<Scalar>{{.max_value = 1.5, .negative_slope = 0.125, .threshold = 0.25390625}});
  check_layer(golden, "relu.leaky", ReLU<Scalar>{{.negative_slope = 0.125}});
  check_layer(golden, "elu.plain", ELU<Scalar>{});
  check_layer(golden, "elu.half", ELU<Scalar>{{.alpha = 0.5}});
  check_layer(golden, "prelu.rank2", PReLU<Scalar>{});
  check_layer(golden, "prelu.rank3", PReLU<Scalar, 3>{});
  check_layer(golden, "rescaling.one", Rescaling<Scalar>{{.scale = {0.25}, .offset = {-1.5}}});
  const RescalingOptions each{.scale = {0.25, -2, 0.5}, .offset = {1, 0, -0.75}};
  check_layer(golden, "rescaling.each", Rescaling<Scalar>{each});
  check_layer(golden, "rescaling.each", Rescaling<Scalar, 3>{each});
  check_layer(golden, "max_over_steps", MaxOverSteps<Scalar>{});
}

TEMPLATE_TEST_CASE("Conv1D is Keras'", "[golden][activation_layers]", float, double) {
  using namespace activation_layer_tests;
  using Scalar = TestType;
  const Golden golden = Golden::read("conv1d.txt");
  const auto causal = Padding::causal;
  check_layer(golden, "causal", Conv1D<Scalar>{5, 3, {.padding = causal}});
  check_layer(golden, "causal", Conv1D<Scalar, 3, 5, 3>{{.padding = causal}});
  check_layer(golden, "valid", Conv1D<Scalar>{5, 3});
  check_layer(golden, "causal_dilated",
              Conv1D<Scalar>{5, 3, {.padding = causal, .dilation_rate = 2}});
  check_layer(golden, "valid_dilated", Conv1D<Scalar>{5, 3, {.dilation_rate = 3}});
  check_layer(golden, "no_bias", Conv1D<Scalar>{5, 3, {.padding = causal, .use_bias = false}});
  check_layer(golden, "tanh",
              Conv1D<Scalar>{5, 3, {.padding = causal, .activation = Activation::tanh}});
  check_layer(golden, "silu", Conv1D<Scalar>{5, 3, {.activation = Activation::silu}});
  check_layer(golden, "one_step", Conv1D<Scalar>{2, 1});
  check_layer(golden, "wide", Conv1D<Scalar>{37, 6, {.padding = causal}});
}

TEST_CASE("Wrong options of convolutions, activations and scales are refused",
          "[activation_layers]") {
  using namespace activation_layer_tests;
  CHECK(error_text<ValueError>([] {
          Conv1D{0, 3};
        }) == "Conv1D: filters must be at least 1, found 0");
  CHECK(error_text<ValueError>([] {
          Conv1D{4, 3, {.dilation_rate = -1}};
        }) == "Conv1D: dilation_rate must be at least 1, found -1");
  CHECK(error_text<ValueError>([] { ReLU{{.max_value = 1, .threshold = 2}}; }) ==
        "ReLU: max_value must be at least the threshold, 2, found 1");
  CHECK(error_text<ValueError>([] { ELU{{.alpha = INFINITY}}; }) ==
        "ELU: alpha must be finite, found inf");
  CHECK(error_text<ValueError>([] {
          Rescaling{{.scale = {1, 2}, .offset = {1, 2, 3}}};
        }) ==
        "Rescaling: scale and offset must have one number, or one for each feature, found 2 "
        "and 3 numbers");
  for (const Activation activation : {Activation::gelu, Activation::silu, Activation::mish}) {
    CHECK(error_text<ValueError>([&] {
            GRU{4, {.activation = activation}};
          }) == "GRU: " + std::string(name(activation)) + " cannot be the activation of a gate");
  }
  Sequential<> valid;
  valid.add(Conv1D{4, 3});
  valid.add(LSTM{2});
  valid.build(Input{Dynamic, 1});
  CHECK(error_text<ShapeError>([&] {
          (void)valid.predict(Tensor<float>({1, 2, 1}));
        }) ==
        "layer 0 (Conv1D, 4 filters of 3 steps): with valid padding needs at least 3 steps, found "
        "2");
  CHECK(error_text<ValueError>([&] { Stream{valid}; }) ==
        "Stream: layer 0 (Conv1D, 4 filters of 3 steps): Conv1D with valid padding has no output "
        "for the first steps of a stream; "
        "give it Padding::causal");
}

TEST_CASE("Layers that hold layers refuse valid padding within them", "[activation_layers]") {
  using namespace activation_layer_tests;
  const auto refused = [](auto layer) { return error_text<ShapeError>([&] { layer.build(2); }); };
  const std::string text =
      "its layer 0 (Conv1D, 4 filters of 3 steps) must give an output for each step of its input";
  CHECK(refused(Chain{Conv1D{4, 3}, Dense{2}}) == text);
  CHECK(refused(SkipConnections{Conv1D{4, 3}, LSTM{2, return_sequences}}) == text);
  CHECK(refused(AllOutputs{Conv1D{4, 3}, LSTM{2, return_sequences}}) == text);
  const Conv1DOptions causal{.padding = Padding::causal};
  CHECK_NOTHROW(Chain{Conv1D{4, 3, causal}, Dense{2}}.build(2));
  CHECK_NOTHROW(SkipConnections{Conv1D{4, 3, causal}, LSTM{2, return_sequences}}.build(2));
  Sequential<> model;
  model.add(Residual{Conv1D{2, 3}});
  model.build(Input{Dynamic, 2});
  CHECK_THROWS_AS(model.predict(Tensor<float>({1, 5, 2})), ShapeError);
}

TEST_CASE("Valid padding: the mask behind it", "[activation_layers]") {
  using namespace activation_layer_tests;
  Conv1D layer{2, 3};
  layer.build(1);
  Mask mask(2, 6);
  mask.set(0, 1, false);
  for (const Index t : {0, 1, 2, 3}) mask.set(1, t, false);
  const Mask behind = layer.output_mask(Tensor<float>({2, 6, 1}), mask);
  REQUIRE(behind.steps() == 4);
  // Of sequence 0 the steps 0, 2, 3, 4, 5 count: 3 is the first with two before it.
  const bool expected[] = {false, true, true, true};
  for (Index t = 0; t < 4; ++t) {
    CHECK(behind(0, t) == expected[t]);
    CHECK_FALSE(behind(1, t));
  }
}
