// Any bytes are a state_dict, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>

#include <strata/io/pytorch.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  for (const auto output : {PyTorchOutput::sequences, PyTorchOutput::last_state}) {
    try {
      (void)load_pytorch(bytes, {.output = output});
    } catch (const FormatError&) {
    }
  }
  try {
    (void)load_pytorch(bytes, {.modules = {Dropout{0.5},
                                           PyTorchResidual{"lstm"},
                                           LastStep{},
                                           {"linear", Activation::relu}},
                               .inputs = 2});
  } catch (const FormatError&) {
  }
  try {
    (void)load_pytorch(bytes, {.modules = {PyTorchConv1d{"conv", {.padding = Padding::causal}},
                                           ReLU{{.negative_slope = 0.1}}, "norm", "lstm",
                                           MaxOverSteps{}, "prelu", "linear"},
                               .without = {"head"}});
  } catch (const FormatError&) {
  }
  try {
    (void)load_pytorch(bytes, {.modules = {PyTorchEmbedding{"table"}, PyTorchLayerNorm{"norm"},
                                           PyTorchResidual{"lstm"}, PyTorchLinear{"embed"}}});
  } catch (const FormatError&) {
  }
  using Model = Sequential<LSTM<float, 2, 3, return_sequences>, Dense<float, 3, 2>>;
  for (const PyTorchOptions& options :
       {PyTorchOptions(), PyTorchOptions{.modules = {"lstm", "linear"}}}) {
    try {
      Model model;
      load_pytorch(bytes, model, options);
    } catch (const FormatError&) {
    }
  }
  return 0;
}
