#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/made_layers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Makes strata's layers from modules of PyTorch, with the weights in the tensors of the file,
/// which it marks as used. `Made` is AnyLayer or FileLayer, as in io/common/made_layers.hpp.
template <class Made>
class TorchLayers {
 public:
  /// Throws ValueError on a nonlinearity that nn.RNN does not have, and on a negative epsilon.
  TorchLayers(NamedArrays& arrays, const PyTorchOptions& options)
      : arrays_(&arrays), nonlinearity_(options.nonlinearity), epsilon_(options.epsilon) {
    if (nonlinearity_ != Activation::tanh && nonlinearity_ != Activation::relu) {
      throw ValueError("load_pytorch: the nonlinearity of nn.RNN is tanh or relu, found " +
                       std::string(name(nonlinearity_)));
    }
    detail::check_normalization_epsilon("load_pytorch", epsilon_);
  }

  /// A Dense for an nn.Linear and the activation after it.
  [[nodiscard]] Made linear(const TorchModule& module, Activation activation) {
    return linear(module, activation, kernel(module));
  }
  /// The weight of an nn.Linear as a kernel (F, U).
  [[nodiscard]] Numbers kernel(const TorchModule& linear) { return turned(linear, "weight"); }
  /// A Dense for an nn.Linear with this kernel, which may have more rows than the module has
  /// inputs.
  [[nodiscard]] Made linear(const TorchModule& module, Activation activation, Numbers kernel) {
    const Index inputs = kernel.shape[0];
    LayerWeights weights{{"kernel", std::move(kernel)}};
    if (module.bias) weights.emplace("bias", numbers(module, "bias"));
    return dense_layer<Made>(module.units, {.activation = activation, .use_bias = module.bias},
                             inputs, weights, where(module));
  }

  /// All layers of a module. Recurrent layers return sequences.
  [[nodiscard]] std::vector<Made> of(const TorchModule& module) {
    std::vector<Made> layers;
    if (module.kind == TorchModule::Kind::Linear) {
      layers.push_back(linear(module, Activation::linear));
    } else if (module.kind == TorchModule::Kind::Embedding) {
      layers.push_back(embedding(module));
    } else if (module.is_normalization()) {
      layers.push_back(normalization(module));
    } else if (module.kind == TorchModule::Kind::Conv1d) {
      layers.push_back(convolution(module, {}));
    } else if (module.kind == TorchModule::Kind::PReLU) {
      layers.push_back(prelu(module));
    } else {
      for (int i = 0; i < module.layers; ++i) layers.push_back(recurrent(module, i, true));
    }
    return layers;
  }

  [[nodiscard]] Made embedding(const TorchModule& module) {
    try {
      return embedding_layer<Made>(module.inputs, module.units,
                                   {{"embeddings", numbers(module, "weight")}}, where(module));
    } catch (const ValueError& error) {
      where(module).refuse(error.what());
    }
  }

  /// A Conv1D with this padding, dilation and activation: a weight (U, F, K) as a kernel (K, F, U).
  [[nodiscard]] Made convolution(const TorchModule& module, Conv1DOptions options) {
    const Numbers weight = numbers(module, "weight");
    const Index rows = module.units, columns = module.inputs, steps = module.steps;
    Numbers kernel{{steps, columns, rows}, std::vector<double>(weight.values.size())};
    auto from = weight.values.begin();
    for (Index u = 0; u < rows; ++u) {
      for (Index f = 0; f < columns; ++f) {
        for (Index k = 0; k < steps; ++k, ++from) {
          kernel.values[static_cast<std::size_t>((k * columns + f) * rows + u)] = *from;
        }
      }
    }
    LayerWeights weights{{"kernel", std::move(kernel)}};
    if (module.bias) weights.emplace("bias", numbers(module, "bias"));
    options.use_bias = module.bias;
    return conv1d_layer<Made>(rows, steps, options, columns, weights, where(module));
  }

  /// A PReLU. Its one number, where it has no more, is that of all features.
  [[nodiscard]] Made prelu(const TorchModule& module) {
    Numbers alpha = numbers(module, "weight");
    if (alpha.values.size() == 1) {
      alpha = {{module.inputs},
               std::vector<double>(static_cast<std::size_t>(module.inputs), alpha.values[0])};
    }
    return prelu_layer<Made>(module.inputs, {{"alpha", std::move(alpha)}}, where(module));
  }

  /// A LayerNormalization or BatchNormalization.
  [[nodiscard]] Made normalization(const TorchModule& module) {
    LayerWeights weights;
    if (module.scale) weights.emplace("gamma", numbers(module, "weight"));
    if (module.bias) weights.emplace("beta", numbers(module, "bias"));
    const auto made = [&](auto options) {
      options.epsilon = epsilon_;
      options.center = module.bias;
      options.scale = module.scale;
      return normalization_layer<Made>(options, module.inputs, weights, where(module));
    };
    if (module.kind == TorchModule::Kind::LayerNorm) return made(LayerNormalizationOptions{});
    weights.emplace("moving_mean", numbers(module, "running_mean"));
    weights.emplace("moving_variance", numbers(module, "running_var"));
    // A count of the batches of the training.
    const std::string batches = module.tensor("num_batches_tracked");
    if (arrays_->contains(batches)) (void)arrays_->take(batches);
    // What a batch leaves of the moving statistics is 1 less PyTorch's momentum, of 0.1 by default.
    return made(BatchNormalizationOptions{.momentum = 0.9});
  }

  /// Layer number `layer` of an nn.LSTM, nn.GRU or nn.RNN, within Bidirectional if the module is
  /// bidirectional. `sequences`: whether the layer returns sequences.
  [[nodiscard]] Made recurrent(const TorchModule& module, int layer, bool sequences) {
    using Kind = TorchModule::Kind;
    const bool bias = module.bias;
    const auto made = [&](const auto& options) {
      return recurrent_layer<Made>(
          RecurrentSettings<std::decay_t<decltype(options)>>{.features = module.inputs_of(layer),
                                                             .units = module.units,
                                                             .sequences = sequences,
                                                             .both_ways = module.bidirectional,
                                                             .options = options},
          weights(module, layer), where(module));
    };
    if (module.kind == Kind::GRU) return made(GRUOptions{.use_bias = bias});
    if (module.kind == Kind::RNN) {
      return made(SimpleRNNOptions{.activation = nonlinearity_, .use_bias = bias});
    }
    if (module.projection > 0) {
      return made(ExtendedLSTMOptions{
          .use_bias = bias, .peepholes = false, .projection = module.projection});
    }
    return made(LSTMOptions{.use_bias = bias});
  }

 private:
  [[nodiscard]] LayerWeights weights(const TorchModule& module, int layer) {
    if (!module.bidirectional) return direction(module, layer, 0);
    LayerWeights both;
    for (auto& [name, values] : direction(module, layer, 0)) both["forward." + name] = values;
    for (auto& [name, values] : direction(module, layer, 1)) both["backward." + name] = values;
    return both;
  }

  /// The weights of one direction of a layer. An LSTM's gates i, f, g, o are in strata's order; a
  /// GRU's r, z, n become z, r, n. The two biases of an LSTM or RNN are added up. Those of a GRU
  /// stay apart, since the reset gate multiplies the second one alone.
  [[nodiscard]] LayerWeights direction(const TorchModule& module, int layer, int direction) {
    const std::string ending = TorchModule::ending(layer, direction);
    LayerWeights weights{
        {"kernel", with_gates(module, turned(module, "weight_ih" + ending))},
        {"recurrent_kernel", with_gates(module, turned(module, "weight_hh" + ending))}};
    if (module.bias) {
      const Numbers input = with_gates(module, numbers(module, "bias_ih" + ending));
      const Numbers hidden = with_gates(module, numbers(module, "bias_hh" + ending));
      weights.emplace("bias", module.kind == TorchModule::Kind::GRU
                                  ? stacked(input, hidden, where(module))
                                  : sum(input, hidden, where(module)));
    }
    if (module.projection > 0) {
      weights.emplace("projection", turned(module, "weight_hr" + ending));
    }
    return weights;
  }

  [[nodiscard]] Numbers with_gates(const TorchModule& module, const Numbers& of_torch) const {
    if (module.kind != TorchModule::Kind::GRU) return of_torch;
    return permute_gates(of_torch, {1, 0, 2}, where(module));
  }

  [[nodiscard]] Numbers numbers(const TorchModule& module, const std::string& leaf) {
    const std::string name = module.tensor(leaf);
    return numbers_of(arrays_->take(name), arrays_->where(name));
  }
  [[nodiscard]] Numbers turned(const TorchModule& module, const std::string& leaf) {
    return transposed(numbers(module, leaf), where(module));
  }

  [[nodiscard]] Where where(const TorchModule& module) const {
    return module.name.empty() ? arrays_->where() : arrays_->where(module.name);
  }

  NamedArrays* arrays_;
  Activation nonlinearity_;
  double epsilon_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
