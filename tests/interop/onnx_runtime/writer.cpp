// Writes models for ONNX Runtime with an input and strata's output: strata_onnx_writer <folder>

#include <filesystem>
#include <string>
#include <vector>

#include <strata/io/common/assign.hpp>
#include <strata/io/onnx.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/strata.hpp>

#include "support/input_of.hpp"

using namespace strata;

namespace {

std::filesystem::path folder;

template <class... Layers>
void write(const std::string& name, const Input& input, const Layers&... layers) {
  Sequential<> model;
  model.add(input);
  (model.add(layers), ...);
  auto weights = model.weights();
  Random random(7);
  for (float& value : weights) value = static_cast<float>(0.1 + 0.5 * random.uniform());
  model.set_weights(weights);
  save_onnx(folder / (name + ".onnx"), model);
  const Tensor<float> x = test::input_of(model);
  io::SafetensorsWriter values;
  const auto add = [&](const std::string& array, const Tensor<float>& tensor) {
    values.add(array, io::sizes_of(tensor.shape()), tensor.values());
  };
  add("input", x);
  add("output", model.predict(x));
  io::write_file(folder / (name + ".safetensors"), values.bytes());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  folder = arguments[1];
  const Input any{Dynamic, 2};
  write("lstm", any, LSTM{3});
  write("stack", any, LSTM{3, return_sequences}, Dropout{0.5}, LSTM{2, return_sequences}, Dense{2});
  write("backwards", any, LSTM{3, return_sequences, {.go_backwards = true}},
        GRU{2, {.go_backwards = true}});
  write("adapted", any, Normalization{}, LSTM{3}, Normalization{{.invert = true}},
        Normalization{{.mean = {0.5}, .variance = {4}}});
  write("gru", any, GRU{3, return_sequences}, ResetBeforeGRU{2, return_sequences}, SimpleRNN{2});
  write("no_bias", any, LSTM{3, return_sequences, {.use_bias = false}},
        ResetBeforeGRU{2, {.use_bias = false}});
  write("extended", any, ExtendedLSTM{3, return_sequences}, CoupledLSTM{3, return_sequences},
        CoupledLSTM{2, {.peepholes = false}});
  write("no_bias_peepholes", any, ExtendedLSTM{3, {.use_bias = false}});
  write("clip", any, GRU{2, return_sequences, {.activation_clip = 0.5}},
        SimpleRNN{2, {.activation_clip = 0.5}});
  for (const Merge merge : {Merge::concat, Merge::sum, Merge::mul, Merge::ave}) {
    write("both_" + std::string(name(merge)), any, Bidirectional{LSTM{3, return_sequences}, merge},
          Dense{2}, Bidirectional{GRU{2, return_sequences}, merge},
          Bidirectional{SimpleRNN{2}, merge});
  }
  for (const auto activation :
       {Activation::linear, Activation::relu, Activation::sigmoid, Activation::tanh,
        Activation::hard_sigmoid, Activation::softsign, Activation::softplus, Activation::elu}) {
    write("activation_" + std::string(name(activation)), any,
          LSTM{2, return_sequences, {.recurrent_activation = activation}},
          SimpleRNN{2, {.activation = activation}}, Dense{2, activation});
  }
  for (const auto activation :
       {Activation::relu6, Activation::leaky_relu, Activation::hard_sigmoid_fifth, Activation::selu,
        Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::mish}) {
    write("activation_" + std::string(name(activation)), any, Activate{activation},
          Dense{2, activation});
  }
  write("activation_layers", any, ReLU<float>{{.negative_slope = 0.125}},
        ELU<float>{{.alpha = 0.5}}, PReLU<float>{},
        Rescaling<float>{{.scale = {0.5, 2}, .offset = {-1}}}, ReLU<float>{{.max_value = 2}});
  write("convolution", any, Conv1D{3, 2, {.padding = Padding::causal, .dilation_rate = 2}},
        Conv1D{4, 3, {.activation = Activation::silu, .use_bias = false}}, MaxOverSteps<>{});
  write("softmax", any, Activate{Activation::exponential}, Dense{3, Activation::softmax});
  write("last_step", any, SimpleRNN{3, return_sequences}, LastStep<>{});
  write("decoder", any, GRU{2, return_sequences}, MeanOverSteps<>{}, RepeatVector{3}, LSTM{2});
  write("normalization", any, LayerNormalization{}, BatchNormalization{}, LSTM{2, return_sequences},
        BatchNormalization{}, LSTM{2}, BatchNormalization{});
  write("time_distributed", any, TimeDistributed{Dense{3}}, GaussianNoise{0.1}, LSTM{2});
  write("flatten", Input{4, 2}, LSTM{3, return_sequences}, Flatten<>{}, Dense{2});
  write("reshape", Input{6}, Dense{6}, Reshape<>{3, 2}, LSTM{2, return_sequences});
  write("embedding", Input{Dynamic}, Embedding{5, 3}, LSTM{2});
  write("residual", any, Residual{LSTM{2, return_sequences}}, Residual{Dense{2}}, LSTM{1});
  write("chain", any, Residual{Chain{Dense{3, Activation::tanh}, LSTM{2, return_sequences}}},
        LSTM{1});
  write("skip_connections", any,
        SkipConnections{LSTM{2, return_sequences}, LSTM{3, return_sequences}}, Dense{1});
  write("all_outputs", any, AllOutputs{LSTM{2, return_sequences}, LSTM{3, return_sequences}},
        Dense{1});
}
