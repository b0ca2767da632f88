#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <strata/language/algorithms.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A module of PyTorch: its kind and its sizes, against which all its tensors are checked.
struct TorchModule {
  enum class Kind { LSTM, GRU, RNN, Linear, Embedding, LayerNorm, BatchNorm1d, Conv1d, PReLU };

  std::string name;
  Kind kind = Kind::Linear;
  /// F; of an embedding its vocabulary; Dynamic for an nn.PReLU of one number, which takes any F.
  Index inputs = 0;
  Index units = 0;  ///< U
  /// The next three are of recurrent modules alone. `projection` is proj_size; 0: none.
  int layers = 1;
  bool bidirectional = false;
  Index projection = 0;
  bool bias = false;
  /// Of normalizations: whether they have a factor for each feature, `weight`.
  bool scale = false;
  /// Of an nn.Conv1d: the kernel_size.
  Index steps = 1;
  /// Of a matrix without a bias whose name alone says that it is an nn.Embedding. Only the first
  /// module of a model can be one; elsewhere the matrix is that of an nn.Linear.
  bool may_be_linear = false;

  /// The matrix of an nn.Embedding read as that of an nn.Linear, where it may be one.
  [[nodiscard]] TorchModule as_linear() const {
    TorchModule linear = *this;
    if (kind != Kind::Embedding || !may_be_linear) return linear;
    linear.kind = Kind::Linear;
    std::swap(linear.inputs, linear.units);
    return linear;
  }
  /// The matrix of an nn.Linear without a bias read as that of an nn.Embedding.
  [[nodiscard]] TorchModule as_embedding() const {
    TorchModule embedding = *this;
    if (kind != Kind::Linear || bias) return embedding;
    embedding.kind = Kind::Embedding;
    embedding.may_be_linear = true;
    std::swap(embedding.inputs, embedding.units);
    return embedding;
  }

  [[nodiscard]] bool is_recurrent() const noexcept { return kind <= Kind::RNN; }
  /// Whether its output is linear in its input.
  [[nodiscard]] bool is_linear() const noexcept {
    return kind == Kind::Linear || kind == Kind::Conv1d;
  }
  /// Whether it has as many outputs as inputs, number by number.
  [[nodiscard]] bool keeps_features() const noexcept {
    return is_normalization() || kind == Kind::PReLU;
  }
  [[nodiscard]] bool is_normalization() const noexcept {
    return kind == Kind::LayerNorm || kind == Kind::BatchNorm1d;
  }
  [[nodiscard]] int directions() const noexcept { return bidirectional ? 2 : 1; }
  /// The size of h, which is the output of one direction.
  [[nodiscard]] Index state() const noexcept { return projection > 0 ? projection : units; }
  [[nodiscard]] Index outputs() const noexcept { return directions() * state(); }
  /// The input features of layer number `layer`.
  [[nodiscard]] Index inputs_of(int layer) const noexcept {
    return layer == 0 ? inputs : outputs();
  }
  [[nodiscard]] Index gates() const noexcept {
    return kind == Kind::LSTM ? 4 : kind == Kind::GRU ? 3 : 1;
  }
  /// The full name of a tensor of the module: "encoder.lstm" and "weight_ih_l0" joined.
  [[nodiscard]] std::string tensor(const std::string& leaf) const {
    return name.empty() ? leaf : name + "." + leaf;
  }
  /// The end of the names of a layer's tensors, such as "_l1_reverse" for direction 1 of layer 1.
  [[nodiscard]] static std::string ending(int layer, int direction) {
    return "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
  }
  /// The name of the class in torch.nn.
  [[nodiscard]] const char* kind_name() const noexcept { return kind_name(kind); }
  [[nodiscard]] static const char* kind_name(Kind kind) noexcept {
    static constexpr const char* names[] = {
        "LSTM", "GRU", "RNN", "Linear", "Embedding", "LayerNorm", "BatchNorm1d", "Conv1d", "PReLU"};
    return names[static_cast<int>(kind)];
  }
  [[nodiscard]] std::string class_name() const { return std::string("nn.") + kind_name(); }
  [[nodiscard]] std::string text() const {
    const std::string sizes = inputs == Dynamic
                                  ? "any number of features"
                                  : std::to_string(inputs) + " to " + std::to_string(outputs());
    return (name.empty() ? "the model" : name) + " (" + class_name() + " of " + sizes + ")";
  }
};

/// The modules as they are read behind the first one; see TorchModule::may_be_linear.
[[nodiscard]] inline std::vector<TorchModule> as_linear(const std::vector<TorchModule>& modules) {
  std::vector<TorchModule> linear;
  for (const TorchModule& module : modules) linear.push_back(module.as_linear());
  return linear;
}

/// The modules with every matrix without a bias read as that of an nn.Embedding.
[[nodiscard]] inline std::vector<TorchModule> as_embeddings(
    const std::vector<TorchModule>& modules) {
  std::vector<TorchModule> embeddings;
  for (const TorchModule& module : modules) embeddings.push_back(module.as_embedding());
  return embeddings;
}

[[nodiscard]] inline bool have_embedding(const std::vector<TorchModule>& modules) {
  return detail::any_of(modules, [](const TorchModule& module) {
    return module.kind == TorchModule::Kind::Embedding;
  });
}

/// The features that modules in a row take: those of the first module that does not take any
/// number of them. Dynamic where all do.
[[nodiscard]] inline Index inputs_of(const std::vector<TorchModule>& modules) {
  for (const TorchModule& module : modules) {
    if (module.inputs != Dynamic) return module.inputs;
  }
  return Dynamic;
}

}  // namespace strata::inline STRATA_RUNTIME::io
