#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// What runs between the modules of a PyTorch model and has no weights.
using PyTorchFunction =
    std::variant<Activation, Dropout<float>, LastStep<float>, MeanOverSteps<float>>;

/// A module whose input is added to its output, x + module(x), by its name in the state_dict.
struct PyTorchResidual {
  std::string name;
  /// What is applied to the output of the module before the sum.
  std::optional<Activation> activation = {};
};

/// An entry of PyTorchOptions::modules: a module with weights by its name in the state_dict, "lstm"
/// of "lstm.weight_ih_l0", "" of "weight_ih_l0"; or what runs there without weights.
///
///   {"proj", Activation::relu, "lstm", LastStep{}, {"fc", Activation::tanh}, Dropout{0.5}, "head"}
struct PyTorchModule {
  /// Nothing where the entry is a function alone.
  std::optional<std::string> name;
  /// What is applied to the output of the module. Activation::linear is nothing, said aloud.
  std::optional<Activation> activation;
  /// Whether the input is added: x + activation(module(x)).
  bool residual = false;
  /// Of an entry without a name: what runs there.
  PyTorchFunction function = Activation::linear;

  PyTorchModule(std::string named) : name(std::move(named)) {}
  PyTorchModule(const char* named) : name(named) {}
  PyTorchModule(std::string named, Activation then) : name(std::move(named)), activation(then) {}
  PyTorchModule(const char* named, Activation then) : name(named), activation(then) {}
  PyTorchModule(PyTorchResidual around)
      : name(std::move(around.name)), activation(around.activation), residual(true) {}

  PyTorchModule(Activation alone) : function(alone) {}
  template <class Scalar>
  PyTorchModule(const Activate<Scalar>& layer) : function(layer.activation()) {}
  template <class Scalar>
  PyTorchModule(const Dropout<Scalar>& layer)
      : function(Dropout<float>(layer.rate(), layer.options())) {}
  template <class Scalar>
  PyTorchModule(const LastStep<Scalar>&) : function(LastStep<float>()) {}
  template <class Scalar>
  PyTorchModule(const MeanOverSteps<Scalar>&) : function(MeanOverSteps<float>()) {}
};

/// What a PyTorch model makes of the sequence that its last nn.LSTM, nn.GRU or nn.RNN returns.
enum class PyTorchOutput {
  /// `output`: all steps. nn.Linear acts on each.
  sequences,
  /// `output[:, -1]`: the last step; backwards that is the first step of the reading.
  last_step,
  /// `h_n` of the last layer, both directions side by side: the last step of each reading.
  last_state
};

/// What a state_dict does not say; see load_pytorch.
struct PyTorchOptions {
  /// All modules in the order in which they run, and the functions between them. Empty: the order
  /// that the sizes and the numbers in names leave, where it is the only one (io::TorchOrders), and
  /// nothing between the modules.
  std::vector<PyTorchModule> modules = {};
  PyTorchOutput output = PyTorchOutput::sequences;
  /// Of nn.RNN: tanh or relu.
  Activation nonlinearity = Activation::tanh;
  /// F, the features that the model takes; Dynamic: not said. It leaves fewer orders.
  Index inputs = Dynamic;
};

}  // namespace strata::inline STRATA_TARGET
