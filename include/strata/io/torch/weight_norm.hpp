#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Tensors that a module computes from others: those of weight_norm are computed here, others are
// refused by name.

namespace strata::inline STRATA_RUNTIME::io {

/// g v / |v|, the weight of weight_norm. |v| is taken over all axes but one, along which g lies; or
/// over all, where g is one number (`dim=None`). Throws FormatError on other sizes of g.
[[nodiscard]] inline Numbers weight_of_norm(const Numbers& g, Numbers v, const Where& where) {
  const auto lies_along = [&](std::size_t axis) {
    for (std::size_t i = 0; i < v.shape.size(); ++i) {
      if (g.shape[i] != (i == axis ? v.shape[i] : 1)) return false;
    }
    return true;
  };
  std::size_t axis = v.shape.size();
  if (g.shape.size() == v.shape.size()) {
    for (axis = 0; axis < v.shape.size() && !lies_along(axis);) ++axis;
  }
  const bool is_one_number = g.shape.empty();
  if (axis == v.shape.size() && !is_one_number) {
    where.expected("the length of each row or column of a weight " + sizes_text(v.shape),
                   sizes_text(g.shape));
  }
  // The numbers of one place of the axis lie `inner` in a row, and again after `inner` times the
  // size of the axis.
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < v.shape.size(); ++i) {
    inner *= static_cast<std::size_t>(v.shape[i]);
  }
  const auto place = [&](std::size_t i) { return is_one_number ? 0 : i / inner % g.values.size(); };
  std::vector<double> squares(g.values.size(), 0.0);
  for (std::size_t i = 0; i < v.values.size(); ++i) {
    squares[place(i)] += v.values[i] * v.values[i];
  }
  for (std::size_t i = 0; i < v.values.size(); ++i) {
    v.values[i] *= g.values[place(i)] / std::sqrt(squares[place(i)]);
  }
  return v;
}

/// Gives a state_dict the tensors that its modules compute with, in the place of those of
/// nn.utils.weight_norm ("weight_g" and "weight_v") and of nn.utils.parametrizations.weight_norm
/// ("parametrizations.weight.original0" and "original1"). Throws FormatError, with the line of
/// Python that makes plain weights of them, on those of spectral_norm, of pruning and of other
/// parametrizations.
class WeightNorms {
 public:
  explicit WeightNorms(TorchStateDict& state) : state_(&state), names_(state.arrays.names()) {}

  void fold() {
    for (const std::string& name : names_) {
      // The other half of a tensor that is folded already.
      if (!state_->arrays.contains(name)) continue;
      constexpr std::string_view folder = "parametrizations.";
      const std::size_t at = name.find(folder);
      if (at != std::string::npos && (at == 0 || name[at - 1] == '.')) {
        fold_parametrization(name, at, at + folder.size());
      } else {
        fold_hook(name);
      }
    }
    std::erase_if(state_->order, [&](const std::string& name) { return folded_v_.contains(name); });
    for (std::string& name : state_->order) {
      const auto found = name_of_g_.find(name);
      if (found != name_of_g_.end()) name = found->second;
    }
  }

 private:
  [[nodiscard]] bool has(const std::string& name) const { return state_->arrays.contains(name); }

  /// The module of a tensor's name, up to its last dot, as Python says it.
  [[nodiscard]] static std::string python_text(std::string_view before) {
    if (before.empty()) return "model";
    before.remove_suffix(1);
    return "model.get_submodule(" + in_quotes(before) + ")";
  }

  /// "fc.parametrizations.weight.original0": `begin` is the place of "parametrizations", `tensor`
  /// that of "weight".
  void fold_parametrization(const std::string& name, std::size_t begin, std::size_t tensor) {
    const std::string before = name.substr(0, begin);
    const std::size_t end = name.find('.', tensor);
    const std::string leaf = name.substr(tensor, end - tensor);
    const std::string folder = name.substr(0, end) + ".";
    // The names are sorted.
    const auto first = std::lower_bound(names_.begin(), names_.end(), folder);
    const auto last = std::find_if_not(
        first, names_.end(), [&](const std::string& other) { return other.starts_with(folder); });
    if (last - first == 2 && has(folder + "original0") && has(folder + "original1")) {
      return replace(folder + "original0", folder + "original1", before + leaf);
    }
    const bool is_spectral = has(folder + "0._u");
    state_->arrays.where(in_quotes(name))
        .refuse(std::string("is of ") +
                (is_spectral ? "spectral_norm" : "a parametrization other than weight_norm") +
                ", which is not read; before the state_dict is saved, turn it into a plain weight: "
                "torch.nn.utils.parametrize.remove_parametrizations(" +
                python_text(before) + ", " + in_quotes(leaf) + ")");
  }

  /// "fc.weight_g", or "lstm.weight_ih_l0_g", of nn.utils.weight_norm; "fc.weight_orig" of
  /// nn.utils.spectral_norm and nn.utils.prune.
  void fold_hook(const std::string& name) {
    const std::size_t last = name.rfind('_');
    if (last == std::string::npos) return;
    const std::string tensor = name.substr(0, last);
    const std::string ending = name.substr(last);
    if (ending == "_g" && has(tensor + "_v")) return replace(name, tensor + "_v", tensor);
    if (ending != "_orig" || !(has(tensor + "_u") || has(tensor + "_mask"))) return;
    const std::size_t dot = tensor.rfind('.');
    const std::string before = dot == std::string::npos ? "" : tensor.substr(0, dot + 1);
    const bool is_spectral = has(tensor + "_u");
    state_->arrays.where(in_quotes(name))
        .refuse(std::string("is of ") + (is_spectral ? "spectral_norm" : "pruning") +
                ", which is not read; before the state_dict is saved, turn it into a plain weight: "
                "torch.nn.utils." +
                (is_spectral ? "remove_spectral_norm(" : "prune.remove(") + python_text(before) +
                ", " + in_quotes(tensor.substr(before.size())) + ")");
  }

  void replace(const std::string& g, const std::string& v, const std::string& name) {
    NamedArrays& arrays = state_->arrays;
    const Numbers weight = weight_of_norm(numbers_of(arrays.take(g), arrays.where(in_quotes(g))),
                                          numbers_of(arrays.take(v), arrays.where(in_quotes(v))),
                                          arrays.where(in_quotes(g)));
    arrays.remove(g);
    arrays.remove(v);
    arrays.add(name, weight.shape, weight.values);
    name_of_g_[g] = name;
    folded_v_.insert(v);
  }

  TorchStateDict* state_;
  std::vector<std::string> names_;
  /// The names of the weights by those of their g, and the names of all v.
  std::map<std::string, std::string> name_of_g_;
  std::set<std::string> folded_v_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
