// Models saved for ONNX are read again with the same bits. tests/interop/onnx_runtime runs them in
// ONNX Runtime.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <strata/io/onnx.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/input_of.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

std::vector<std::uint32_t> bits_of(const Sequential<>& model) {
  std::vector<std::uint32_t> bits;
  for (const float value : model.weights()) bits.push_back(detail::bit_cast<std::uint32_t>(value));
  return bits;
}

/// Saves and loads a model of these layers, whose weights are drawn, and compares both.
template <class... Layers>
void check_round_trip(const Input& input, const Layers&... layers) {
  Sequential<> model;
  model.add(input);
  (model.add(layers), ...);
  auto weights = model.weights();
  Random random(7);
  for (float& value : weights) value = static_cast<float>(0.5 * random.uniform());
  if (!weights.empty()) weights.front() = -0.0f;
  model.set_weights(weights);
  const auto bytes = save_onnx_to_memory(model);
  const auto again = load_onnx(bytes);
  INFO(again.summary());
  CHECK(bits_of(again) == bits_of(model));
  const Tensor<float> x = test::input_of(model);
  const Tensor<float> y = model.predict(x);
  const Tensor<float> y_again = again.predict(x);
  REQUIRE(y_again.shape() == y.shape());
  for (Index i = 0; i < y.size(); ++i) CHECK(y_again.data()[i] == Approx(y.data()[i]).margin(1e-6));
  // And into a model of the same layers.
  auto empty = model;
  empty.set_weights(std::vector<float>(weights.size()));
  load_onnx(bytes, empty);
  CHECK(bits_of(empty) == bits_of(model));
}

template <class... Layers>
std::string save_error(const Layers&... layers) {
  Sequential<> model;
  model.add(Input{4, 2});
  (model.add(layers), ...);
  return error_text<ValueError>([&] { (void)save_onnx_to_memory(model); });
}

}  // namespace

TEST_CASE("models are read back from ONNX with the same bits", "[onnx]") {
  const Input any{Dynamic, 2};
  check_round_trip(any, LSTM{3});
  check_round_trip(any, LSTM{3, return_sequences}, Dropout{0.5}, LSTM{2},
                   Dense{2, Activation::elu});
  check_round_trip(any, LSTM{3, return_sequences, {.go_backwards = true}}, LSTM{2});
  check_round_trip(any, LSTM{3, {.go_backwards = true}}, Dense{1});
  check_round_trip(any, GRU{3, return_sequences}, ResetBeforeGRU{2, return_sequences},
                   SimpleRNN{2});
  check_round_trip(any, LSTM{3, return_sequences, {.use_bias = false}},
                   GRU{2, {.use_bias = false}});
  check_round_trip(any, ExtendedLSTM{3, return_sequences}, CoupledLSTM{3, return_sequences},
                   CoupledLSTM{2, {.peepholes = false}});
  check_round_trip(any, ExtendedLSTM{2, {.peepholes = false, .activation_clip = 3}});
  check_round_trip(any, ExtendedLSTM{2, {.output_activation = Activation::softsign}});
  for (const Merge merge : {Merge::concat, Merge::sum, Merge::mul, Merge::ave}) {
    check_round_trip(any, Bidirectional{LSTM{3, return_sequences}, merge}, Dense{2},
                     Bidirectional{GRU{2}, merge});
  }
  check_round_trip(any, SimpleRNN{3, return_sequences}, LastStep<>{},
                   Activate{Activation::softmax});
  check_round_trip(any, GRU{2, return_sequences}, MeanOverSteps<>{}, RepeatVector{3}, LSTM{2});
  check_round_trip(any, LayerNormalization{}, BatchNormalization{}, LSTM{2}, BatchNormalization{});
  check_round_trip(any, TimeDistributed{Dense{3}}, GaussianNoise{0.1}, LSTM{2});
  check_round_trip(Input{4, 2}, LSTM{3, return_sequences}, Flatten<>{}, Dense{2});
  check_round_trip(Input{6}, Dense{6}, Reshape<>{3, 2}, LSTM{2, return_sequences});
  check_round_trip(Input{Dynamic}, Embedding{5, 3}, LSTM{2});
  check_round_trip(any, Conv1D{3, 2, {.padding = Padding::causal, .dilation_rate = 2}}, LSTM{2});
  check_round_trip(any, Conv1D{3, 1, {.activation = Activation::relu, .use_bias = false}}, LSTM{2});
  check_round_trip(Input{6, 2}, Conv1D{3, 3}, Flatten<>{}, Dense{2});
  check_round_trip(any, Rescaling<float>{{.scale = {0.5, 2}, .offset = {3}}},
                   LSTM{3, return_sequences}, MaxOverSteps<>{}, PReLU<float>{},
                   ELU<float>{{.alpha = 0.5}});
  check_round_trip(any, ReLU<float>{{.negative_slope = 0.125}}, ReLU<float>{},
                   ReLU<float>{{.max_value = 2}}, ReLU<float>{{.max_value = 6}}, LSTM{2});
  check_round_trip(any, Residual{LSTM{2, return_sequences}}, LSTM{3, return_sequences},
                   Residual{Dense{3, Activation::tanh}}, LSTM{2});
  for (const auto activation :
       {Activation::relu6, Activation::leaky_relu, Activation::hard_sigmoid_fifth, Activation::selu,
        Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::mish}) {
    check_round_trip(any, Dense{3, activation}, Activate{activation}, LSTM{2});
  }
  for (const auto activation : {Activation::linear, Activation::relu, Activation::sigmoid,
                                Activation::tanh, Activation::hard_sigmoid, Activation::softsign,
                                Activation::softplus, Activation::elu, Activation::exponential}) {
    check_round_trip(Input{2}, Dense{3, activation}, Activate{activation}, Dense{1});
    if (activation == Activation::exponential) continue;
    check_round_trip(any,
                     LSTM{2, {.activation = Activation::tanh, .recurrent_activation = activation}});
    check_round_trip(any, SimpleRNN{2, {.activation = activation}});
  }
}

TEST_CASE("a Normalization is read back from ONNX", "[onnx]") {
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(Normalization{});
  model.add(LSTM{2});
  auto weights = model.weights();
  const std::vector<float> given{3, -2, 0.25f, 9};
  std::copy(given.begin(), given.end(), weights.begin());
  model.set_weights(weights);
  const auto bytes = save_onnx_to_memory(model);
  CHECK(bits_of(load_onnx(bytes)) == bits_of(model));
  auto empty = model;
  empty.set_weights(std::vector<float>(weights.size(), 1.0f));
  load_onnx(bytes, empty);
  CHECK(bits_of(empty) == bits_of(model));
}

TEST_CASE("a model is saved for ONNX in a file, and in double as float", "[onnx]") {
  const test::TemporaryFolder folder;
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{2});
  save_onnx(folder / "model.onnx", model);
  CHECK(bits_of(load_onnx(folder / "model.onnx")) == bits_of(model));

  Sequential<double> fine;
  fine.add(Input{Dynamic, 1});
  fine.add(Dense{1});
  const auto again = load_onnx<double>(save_onnx_to_memory(fine));
  for (std::size_t i = 0; i < fine.weights().size(); ++i) {
    CHECK(again.weights()[i] == static_cast<double>(static_cast<float>(fine.weights()[i])));
  }
  fine.set_weights(std::vector<double>{1e300, 0});
  CHECK(error_text<ValueError>([&] { (void)save_onnx_to_memory(fine); }) ==
        Contains{"layer 0 (Dense): kernel has a number that float cannot hold"});

  Sequential<> unbuilt;
  unbuilt.add(LSTM{2});
  CHECK_THROWS_AS(save_onnx_to_memory(unbuilt), StateError);
}

TEST_CASE("what ONNX cannot say is refused by name when it is saved", "[onnx]") {
  CHECK(save_error(LayerNormLSTM{2}) ==
        Contains{"save_onnx: layer 0 (LayerNormLSTM): LayerNormLSTM cannot be said"});
  CHECK(save_error(LSTM{2, {.zoneout = 0.1}}) == Contains{"layer 0 (LSTM): zoneout is not 0"});
  CHECK(save_error(ExtendedLSTM{2, {.projection = 1}}) == Contains{"projection is not 0"});
  CHECK(save_error(ExtendedLSTM{2, {.cell_clip = 1}}) == Contains{"cell_clip is not 0"});
  CHECK(save_error(Masking{0}, LSTM{2}) == Contains{"layer 0 (Masking)"});
  CHECK(save_error(Dense{2}, AttentionPooling{2}) == Contains{"layer 1 (AttentionPooling)"});
  CHECK(save_error(LayerNormalization{{.scale = false}}) == Contains{"never without a scale"});
  CHECK(save_error(ReLU<float>{{.negative_slope = 0.1, .threshold = 1}}) ==
        Contains{"layer 0 (ReLU): ONNX has a ReLU with"});
  CHECK(save_error(LSTM{2, {.activation = Activation::exponential}}) ==
        Contains{"have no activation exponential"});
  Sequential<> ids;
  ids.add(Input{Dynamic});
  ids.add(Embedding{3, 2, {.mask_zero = true}});
  CHECK(error_text<ValueError>([&] { (void)save_onnx_to_memory(ids); }) ==
        Contains{"layer 0 (Embedding): mask_zero"});
}
