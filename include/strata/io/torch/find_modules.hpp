#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/literal_text.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/io/torch/tensor_name.hpp>
#include <strata/io/torch/words.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The modules of a PyTorch model, found by the names of their tensors: "encoder.lstm.weight_ih_l0"
// is of the module "encoder.lstm".

namespace strata::inline STRATA_RUNTIME::io {

/// Finds out kind and sizes of a module from its tensors. Throws FormatError on tensors of a module
/// that strata does not have, and when sizes do not fit each other. Tensors are not marked as used:
/// TorchLayers does that when it reads them.
class TorchModuleFinder {
 public:
  /// `entries`: those of PyTorchOptions::modules, which may say the kind of a module.
  TorchModuleFinder(const NamedArrays& arrays, const std::vector<PyTorchModule>& entries)
      : arrays_(&arrays), entries_(&entries) {}

  /// `recurrent`: whether the names of the tensors are those of nn.LSTM, nn.GRU and nn.RNN.
  [[nodiscard]] TorchModule find(const std::string& name, bool recurrent) const {
    TorchModule module{name};
    if (recurrent) {
      find_recurrent(module);
    } else if (has(module, "running_mean") || has(module, "running_var")) {
      find_batch_norm(module);
    } else if (is_over_steps(module)) {
      refuse_over_steps(module);
    } else if (shape(module, "weight").size() == 1) {
      find_vector(module);
    } else if (shape(module, "weight").size() == 3) {
      find_convolution(module);
    } else {
      find_table(module);
    }
    return module;
  }

 private:
  [[nodiscard]] bool has(const TorchModule& module, const std::string& leaf) const {
    return arrays_->contains(module.tensor(leaf));
  }

  [[nodiscard]] const std::vector<Index>& shape(const TorchModule& module,
                                                const std::string& leaf) const {
    const std::string name = module.tensor(leaf);
    const ArrayView* array = arrays_->find(name);
    if (!array) arrays_->where(name).refuse("is missing");
    return array->shape;
  }

  [[nodiscard]] const std::vector<Index>& matrix(const TorchModule& module,
                                                 const std::string& leaf) const {
    const auto& sizes = shape(module, leaf);
    if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) {
      arrays_->where(module.tensor(leaf)).expected("a matrix", sizes_text(sizes));
    }
    return sizes;
  }

  void require(const TorchModule& module, const std::string& leaf,
               const std::vector<Index>& expected) const {
    const auto& found = shape(module, leaf);
    if (found != expected) {
      arrays_->where(module.tensor(leaf)).expected(sizes_text(expected), sizes_text(found));
    }
  }

  void find_recurrent(TorchModule& module) const {
    const auto& first = matrix(module, "weight_ih_l0");
    const auto& recurrent = matrix(module, "weight_hh_l0");
    module.inputs = first[1];
    module.units = recurrent[1];
    if (has(module, "weight_hr_l0")) {
      const auto& projection = matrix(module, "weight_hr_l0");
      module.projection = projection[0];
      module.units = projection[1];
    }
    using Kind = TorchModule::Kind;
    const Index rows = first[0];
    module.kind = Kind::LSTM;
    if (module.projection == 0 && rows == module.units) module.kind = Kind::RNN;
    if (module.projection == 0 && rows % 3 == 0 && rows / 3 == module.units) {
      module.kind = Kind::GRU;
    }
    if (rows % module.gates() != 0 || rows / module.gates() != module.units) {
      arrays_->where(module.tensor("weight_ih_l0"))
          .expected((module.projection > 0 ? "4 times " : "4, 3 or 1 times ") +
                        std::to_string(module.units) + " rows, of an " +
                        (module.projection > 0 ? "nn.LSTM" : "nn.LSTM, nn.GRU or nn.RNN"),
                    std::to_string(rows));
    }
    module.bidirectional = has(module, "weight_ih_l0_reverse");
    module.bias = has(module, "bias_ih_l0") || has(module, "bias_hh_l0");
    while (has(module, "weight_ih" + TorchModule::ending(module.layers, 0))) ++module.layers;
    for (int layer = 0; layer < module.layers; ++layer) {
      for (int direction = 0; direction < module.directions(); ++direction) {
        const std::string ending = TorchModule::ending(layer, direction);
        require(module, "weight_ih" + ending, {rows, module.inputs_of(layer)});
        require(module, "weight_hh" + ending, {rows, module.state()});
        if (module.bias) require(module, "bias_ih" + ending, {rows});
        if (module.bias) require(module, "bias_hh" + ending, {rows});
        if (module.projection > 0) {
          require(module, "weight_hr" + ending, {module.projection, module.units});
        }
      }
    }
  }

  /// An nn.Linear or nn.Embedding. Both have one matrix "weight"; without a bias, only the name
  /// tells an embedding, and the place; see TorchModule::may_be_linear.
  void find_table(TorchModule& module) const {
    const Where here = arrays_->where(module.tensor("weight"));
    const auto& sizes = shape(module, "weight");
    if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) {
      here.expected(
          "(outputs, inputs) of an nn.Linear, (ids, features) of an nn.Embedding, (features,) of "
          "an "
          "nn.LayerNorm or (outputs, inputs, steps) of an nn.Conv1d; other modules are not read",
          sizes_text(sizes));
    }
    module.bias = has(module, "bias");
    const bool is_embedding =
        !module.bias && !is_said(module, TorchSaidKind::linear) &&
        (says_embedding(module.name) || is_said(module, TorchSaidKind::embedding));
    module.may_be_linear = is_embedding && !is_said(module, TorchSaidKind::embedding);
    module.kind = is_embedding ? TorchModule::Kind::Embedding : TorchModule::Kind::Linear;
    module.inputs = is_embedding ? sizes[0] : sizes[1];
    module.units = is_embedding ? sizes[1] : sizes[0];
    if (module.bias) require(module, "bias", {module.units});
  }

  /// Whether an nn.LayerNorm has more axes than that of the features. Modules with a matrix have a
  /// bias of fewer axes.
  [[nodiscard]] bool is_over_steps(const TorchModule& module) const {
    const auto& sizes = shape(module, "weight");
    return sizes.size() > 1 && (is_said(module, TorchSaidKind::layer_norm) ||
                                (has(module, "bias") && shape(module, "bias") == sizes));
  }
  [[noreturn]] void refuse_over_steps(const TorchModule& module) const {
    const auto& sizes = shape(module, "weight");
    const std::string last = std::to_string(sizes.back());
    arrays_->where(module.tensor("weight"))
        .expected("(" + last + ",) of an nn.LayerNorm(" + last +
                      ") over the features; one over steps and features is for one number of steps "
                      "alone and is not read",
                  sizes_text(sizes));
  }

  void find_batch_norm(TorchModule& module) const {
    module.kind = TorchModule::Kind::BatchNorm1d;
    module.inputs = module.units = features(module, "running_mean");
    module.scale = has(module, "weight");
    module.bias = has(module, "bias");
    for (const char* leaf : {"running_var", "weight", "bias"}) {
      if (leaf == std::string_view("running_var") || has(module, leaf)) {
        require(module, leaf, {module.units});
      }
    }
  }

  /// A weight (U, F, K), and mostly a bias (U).
  void find_convolution(TorchModule& module) const {
    const auto& sizes = shape(module, "weight");
    if (*std::min_element(sizes.begin(), sizes.end()) < 1) {
      arrays_->where(module.tensor("weight")).expected("sizes of at least 1", sizes_text(sizes));
    }
    module.kind = TorchModule::Kind::Conv1d;
    module.units = sizes[0];
    module.inputs = sizes[1];
    module.steps = sizes[2];
    module.bias = has(module, "bias");
    if (module.bias && module.units != module.inputs &&
        shape(module, "bias") == std::vector<Index>{module.inputs}) {
      arrays_->where(module.tensor("bias"))
          .refuse("has a number for each of the second sizes of the weight " + sizes_text(sizes) +
                  ", so this is an nn.ConvTranspose1d, which is not read");
    }
    if (module.bias) require(module, "bias", {module.units});
  }

  /// A weight and a bias of (F): an nn.LayerNorm, unless the name says another normalization, whose
  /// tensors are the same. A weight alone is of an nn.PReLU where it is one number, or where the
  /// name says so; else it could be of several modules that compute differently. What `.modules`
  /// says comes before all that.
  void find_vector(TorchModule& module) const {
    const Where here = arrays_->where(module.tensor("weight"));
    module.kind = TorchModule::Kind::LayerNorm;
    module.inputs = module.units = features(module, "weight");
    module.scale = true;
    module.bias = has(module, "bias");
    if (module.bias) require(module, "bias", {module.units});
    if (is_said(module, TorchSaidKind::layer_norm)) return;
    if (!module.bias && (module.inputs == 1 || says(module.name, "prelu") ||
                         is_said(module, TorchSaidKind::prelu))) {
      module.kind = TorchModule::Kind::PReLU;
      if (module.inputs == 1) module.inputs = module.units = Dynamic;
      return;
    }
    if (!module.bias) {
      here.refuse(
          "a weight of (features,) without a bias may be of an nn.PReLU, an nn.RMSNorm or an "
          "nn.LayerNorm without bias, which compute differently; say by .modules which it is, "
          "PyTorchPReLU{" +
          literal_text(module.name) + "} or PyTorchLayerNorm{" + literal_text(module.name) +
          "}; an nn.RMSNorm is not read");
    }
    const std::string other = other_normalization(module.name);
    if (other.empty()) return;
    here.refuse("its name has " + in_quotes(other) +
                " in it, but its tensors are those of an nn.LayerNorm; a normalization over a "
                "batch, groups or instances is read only as an nn.BatchNorm1d with running "
                "statistics; if it is an nn.LayerNorm, its entry in .modules is PyTorchLayerNorm{" +
                literal_text(module.name) + "}");
  }

  [[nodiscard]] Index features(const TorchModule& module, const std::string& leaf) const {
    const auto& sizes = shape(module, leaf);
    if (sizes.size() != 1 || sizes[0] < 1) {
      arrays_->where(module.tensor(leaf)).expected("(features,)", sizes_text(sizes));
    }
    return sizes[0];
  }

  /// Whether a name has a word in it, in small or large letters.
  [[nodiscard]] static bool says(std::string_view name, const char* word) {
    return in_small_letters(name).find(word) != std::string::npos;
  }

  /// Whether `.modules` says that a module is of this kind.
  [[nodiscard]] bool is_said(const TorchModule& module, TorchSaidKind kind) const {
    return detail::any_of(*entries_, [&](const PyTorchModule& entry) {
      return entry.kind == kind && entry.name == module.name;
    });
  }

  const NamedArrays* arrays_;
  const std::vector<PyTorchModule>* entries_;
};

/// Refuses a tensor of a module that strata does not have.
[[noreturn]] inline void refuse_tensor(const std::string& tensor, const Where& where) {
  const std::string module = parent_of(tensor);
  std::string message =
      "is no tensor of nn.LSTM, nn.GRU, nn.RNN, nn.Linear, nn.Embedding, nn.LayerNorm, "
      "nn.BatchNorm1d, nn.Conv1d or nn.PReLU; ";
  if (says_state(leaf_of(tensor))) {
    message +=
        "it may be an initial state that was learned: such a state is given to the model by "
        "predict(x, {.state = &state}), and without it the outputs are those of zeros; ";
  }
  message += "where the output does not need it, leave it out by its name, .without = {" +
             literal_text(tensor) + "}";
  if (!module.empty())
    message += ", or its whole module, .without = {" + literal_text(module) + "}";
  where.in(in_quotes(tensor)).refuse(message);
}

/// The modules of a state_dict, in the order of the file, or sorted by name if the file has no
/// order. Throws FormatError on a tensor of a module that strata does not have, on more than 256
/// modules, and on names of more than 65 parts: such files would take too long to read.
[[nodiscard]] inline std::vector<TorchModule> find_torch_modules(const TorchStateDict& state,
                                                                 const PyTorchOptions& options) {
  constexpr std::size_t most = 256;
  constexpr std::ptrdiff_t deepest = 64;
  std::vector<TorchModule> modules;
  std::set<std::string> seen;
  const TorchModuleFinder finder(state.arrays, options.modules);
  for (const std::string& tensor : state.order.empty() ? state.arrays.names() : state.order) {
    if (tensor.starts_with("self_test.")) continue;
    const std::string name = parent_of(tensor);
    if (!is_tensor_of_module(leaf_of(tensor))) refuse_tensor(tensor, state.arrays.where());
    if (!seen.insert(name).second) continue;
    if (std::count(name.begin(), name.end(), '.') > deepest) {
      state.arrays.where(in_quotes(name))
          .refuse("is nested in more than " + std::to_string(deepest) + " modules");
    }
    if (modules.size() == most) {
      state.arrays.where().refuse("has more than " + std::to_string(most) + " modules");
    }
    modules.push_back(finder.find(name, is_tensor_of_recurrent(leaf_of(tensor))));
  }
  return modules;
}

}  // namespace strata::inline STRATA_RUNTIME::io
