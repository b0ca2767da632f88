#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/elu.hpp>
#include <strata/layers/max_over_steps.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/relu.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// An entry of PyTorchOptions::modules for an nn.Conv1d. A state_dict says neither its padding nor
/// its dilation, stride and class: `stride` and `groups` must be 1, and an nn.ConvTranspose1d,
/// whose tensors are the same, is not read. Padding::causal is an nn.Conv1d whose input has zeros
/// for (kernel_size - 1) dilation steps in front, Padding::valid one without padding.
///
///   PyTorchConv1d{"conv", {.padding = Padding::causal, .dilation_rate = 2}}
struct PyTorchConv1d {
  /// The module's name in the state_dict.
  std::string name;
  /// The activation, too, is applied to the module's output. `use_bias` and initializers are not
  /// used: the file says what there is.
  Conv1DOptions options = {};
};

/// Entries of PyTorchOptions::modules for modules that their tensors do not tell from others: an
/// nn.PReLU whose name has no "prelu" in it, an nn.Embedding whose name does not say it, an
/// nn.Linear without a bias whose name says an embedding, an nn.LayerNorm without a bias or whose
/// name says another normalization.
///
///   PyTorchPReLU{"head.1"}, PyTorchEmbedding{"table"}, PyTorchLinear{"input_embed"},
///   PyTorchLayerNorm{"norm"}
struct PyTorchPReLU {
  /// The module's name in the state_dict.
  std::string name;
};
struct PyTorchEmbedding {
  /// The module's name in the state_dict.
  std::string name;
};
struct PyTorchLinear {
  /// The module's name in the state_dict.
  std::string name;
};
struct PyTorchLayerNorm {
  /// The module's name in the state_dict.
  std::string name;
};

namespace io {

/// What an entry of PyTorchOptions::modules says of the kind of its module.
enum class TorchSaidKind { none, prelu, embedding, linear, layer_norm };

// The functions of strata's layers of these names, as plain data: layers depend on the instruction
// set of the program, and the options of load_pytorch do not.

struct TorchDropout {
  double rate;
  bool same_for_all_steps;
};
struct TorchLastStep {};
struct TorchMeanOverSteps {};
struct TorchMaxOverSteps {};

}  // namespace io

/// A function without weights between the modules of a PyTorch model.
using PyTorchFunction =
    std::variant<Activation, ReLUOptions, ELUOptions, io::TorchDropout, io::TorchLastStep,
                 io::TorchMeanOverSteps, io::TorchMaxOverSteps>;

/// An entry of PyTorchOptions::modules for a module whose input is added to its output,
/// x + activation(module(x)).
///
///   PyTorchResidual{"fc"}, PyTorchResidual{"fc", Activation::relu}
struct PyTorchResidual {
  /// The module's name in the state_dict.
  std::string name;
  /// Applied to the module's output before the sum. Empty, for none, since a state_dict does not
  /// say it.
  std::optional<Activation> activation = {};
};

/// An entry of PyTorchOptions::modules: a module with weights, by its name in the state_dict, or a
/// function without weights. The name is the part of a tensor's name before the last dot: "lstm"
/// for "lstm.weight_ih_l0", and "" for "weight_ih_l0". A list of entries:
///
///   {"proj", Activation::relu, "lstm", LastStep{}, {"fc", Activation::tanh}, Dropout{0.5}, "head"}
struct PyTorchModule {
  /// The module's name; nothing where the entry is a function.
  std::optional<std::string> name;
  /// Applied to the module's output. Activation::linear changes nothing, but tells load_pytorch
  /// that no function runs there, where it would ask otherwise.
  std::optional<Activation> activation;
  /// Whether the module's input is added: x + activation(module(x)). false, since modules in a row
  /// are the usual case.
  bool residual = false;
  /// What the entry says of the module's kind; none where its tensors do.
  io::TorchSaidKind kind = io::TorchSaidKind::none;
  /// How an nn.Conv1d is padded and dilated, where the entry says it.
  std::optional<Conv1DOptions> convolution = {};
  /// The function, where the entry has no name.
  PyTorchFunction function = Activation::linear;

  PyTorchModule(std::string named) : name(std::move(named)) {}
  PyTorchModule(const char* named) : name(named) {}
  PyTorchModule(std::string named, Activation then) : name(std::move(named)), activation(then) {}
  PyTorchModule(const char* named, Activation then) : name(named), activation(then) {}
  PyTorchModule(PyTorchResidual around)
      : name(std::move(around.name)), activation(around.activation), residual(true) {}
  PyTorchModule(PyTorchConv1d module) : name(std::move(module.name)), convolution(module.options) {
    if (module.options.activation != Activation::linear) activation = module.options.activation;
  }
  PyTorchModule(PyTorchPReLU module)
      : name(std::move(module.name)), kind(io::TorchSaidKind::prelu) {}
  PyTorchModule(PyTorchEmbedding module)
      : name(std::move(module.name)), kind(io::TorchSaidKind::embedding) {}
  PyTorchModule(PyTorchLinear module)
      : name(std::move(module.name)), kind(io::TorchSaidKind::linear) {}
  PyTorchModule(PyTorchLayerNorm module)
      : name(std::move(module.name)), kind(io::TorchSaidKind::layer_norm) {}

  PyTorchModule(Activation alone) : function(alone) {}
  template <class Scalar>
  PyTorchModule(const Activate<Scalar>& layer) : function(layer.activation()) {}
  template <class Scalar>
  PyTorchModule(const ReLU<Scalar>& layer) : function(layer.options()) {}
  template <class Scalar>
  PyTorchModule(const ELU<Scalar>& layer) : function(layer.options()) {}
  template <class Scalar>
  PyTorchModule(const Dropout<Scalar>& layer)
      : function(io::TorchDropout{layer.rate(), layer.options().same_for_all_steps}) {}
  template <class Scalar>
  PyTorchModule(const LastStep<Scalar>&) : function(io::TorchLastStep()) {}
  template <class Scalar>
  PyTorchModule(const MeanOverSteps<Scalar>&) : function(io::TorchMeanOverSteps()) {}
  template <class Scalar>
  PyTorchModule(const MaxOverSteps<Scalar>&) : function(io::TorchMaxOverSteps()) {}
};

/// Which part of the output of its last nn.LSTM, nn.GRU or nn.RNN a PyTorch model uses. In PyTorch
/// the module returns (output, h_n).
enum class PyTorchOutput {
  /// `output`: all steps (B, T, U); an nn.Linear that follows acts on each step.
  sequences,
  /// `output[:, -1]`: the last step (B, U). A direction that reads backwards has read that step
  /// alone.
  last_step,
  /// `h_n` of the last layer, with both directions side by side: (B, U) after each direction has
  /// read the whole sequence.
  last_state
};

/// Options of load_pytorch: the facts about a model that its state_dict does not hold.
///
///   load_pytorch("model.safetensors", {.modules = {"lstm", {"fc", Activation::relu}, "head"},
///                                      .output = PyTorchOutput::last_step})
struct PyTorchOptions {
  /// All modules in the order in which they run, and the functions between them. Empty, since a
  /// small model needs none: if sizes and numbers in names allow one order alone, that order is
  /// taken, with no functions between the modules (io::TorchOrders).
  std::vector<PyTorchModule> modules = {};
  /// The steps that go on from the last recurrent module. sequences, as nn.LSTM returns them.
  PyTorchOutput output = PyTorchOutput::sequences;
  /// The nonlinearity of every nn.RNN, tanh or relu. tanh, the default of nn.RNN.
  Activation nonlinearity = Activation::tanh;
  /// F, the features that the model takes, which rules out orders that begin with another module.
  /// Dynamic, for unknown, since one order mostly remains without it.
  Index inputs = Dynamic;
  /// eps of every nn.LayerNorm and nn.BatchNorm1d. 1e-5, the default of both.
  double epsilon = 1e-5;
  /// Modules and tensors that the output does not need, such as a second head or the statistics of
  /// a scaler, by their full names in the state_dict; the modules within them are left out too.
  /// Empty, since a file mostly has what its
  /// model computes with.
  std::vector<std::string> without = {};
};

}  // namespace strata::inline STRATA_RUNTIME
