#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/affine.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/graph/weights.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The chain of layers that the reader has found in a graph so far.
///
/// A recurrent node has several outputs, all steps and the last state, and may have two directions.
/// Which output the layer returns and how it merges its directions is only known when a later node
/// takes one of these tensors; settled() decides it then.
class OnnxChain {
 public:
  struct Layer {
    LayerDescription description;
    OnnxWeights weights;
    /// The place of the layer's node, for messages.
    Where where;
    /// Sums and products with constants, to which further ones may come.
    std::optional<OnnxAffine> affine = std::nullopt;
  };

  [[nodiscard]] const std::vector<Layer>& layers() const noexcept { return layers_; }
  /// All layers, of which those of constants that have come to lie next to each other are one.
  [[nodiscard]] std::vector<Layer> take() { return merged(std::move(layers_)); }

  /// Whether a tensor is the output of the last layer. In a chain, nodes may take no other tensor.
  [[nodiscard]] bool is_end(const OnnxData& data) const noexcept {
    return data.version == version_;
  }

  /// Makes a tensor the input of a layer or the graph's output: decides what a recurrent layer
  /// returns, and appends LastStep where only the last step is taken. Throws FormatError where the
  /// graph branches, and where strata has no layer with such an output.
  [[nodiscard]] OnnxData settled(OnnxData data, const Where& where) {
    if (!is_end(data)) {
      where.refuse(
          "takes a tensor that is not the output of the last layer: the graph branches, and of "
          "branches only the sum of a tensor and what layers make of it is read (Residual)");
    }
    if (data.steps_in_front > 0) {
      where.refuse(
          "takes a tensor with steps of zeros in front (Pad), which strata reads in front of a "
          "convolution (Conv) alone");
    }
    if (data.steps_behind > 0) {
      where.refuse("takes " + std::to_string(data.steps_behind) +
                   " more steps than there were, as the convolution (Conv) before pads behind too; "
                   "strata's Conv1D is causal where the steps behind are cut off, or pads nothing");
    }
    const OnnxData before = data;
    if (data.ids) where.refuse("takes whole numbers, which only an Embedding (Gather) does");
    if (last_is_unsettled_) {
      settle_recurrent(data, where);
    } else if (data.steps != OnnxData::Steps::all) {
      append_last_step(data, where);
    }
    data.merge.clear();
    data.version = ++version_;
    seen_.insert_or_assign(before.version, Seen{before, layers_.size()});
    return data;
  }

  /// The number of layers in front of a tensor that an operator has taken before, in the same way;
  /// nothing for other tensors.
  [[nodiscard]] std::optional<std::size_t> layers_before(const OnnxData& data) const {
    const auto found = seen_.find(data.version);
    if (found == seen_.end()) return std::nullopt;
    const OnnxData& seen = found->second.data;
    const bool same = data.steps == seen.steps && data.directions == seen.directions &&
                      data.merge == seen.merge && data.reversed == seen.reversed;
    return same ? std::optional(found->second.layers) : std::nullopt;
  }

  /// Makes the layers from `first` on a Residual, which adds its input to their output; several
  /// layers as a Chain. False where they change nothing.
  [[nodiscard]] bool add_input(std::size_t first) {
    const auto begin = layers_.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<Layer> branch =
        merged({std::make_move_iterator(begin), std::make_move_iterator(layers_.end())});
    layers_.erase(begin, layers_.end());
    std::erase_if(seen_, [&](const auto& one) { return one.second.layers > first; });
    if (branch.empty()) return false;
    Layer layer{LayerDescription{"Residual"}, {}, branch[0].where};
    if (branch.size() == 1) {
      layer.weights = std::move(branch[0].weights);
      layer.description.layers.push_back(std::move(branch[0].description));
    } else {
      LayerDescription chain{"Chain"};
      for (std::size_t i = 0; i < branch.size(); ++i) {
        for (auto& [name, numbers] : branch[i].weights) {
          layer.weights.emplace(std::to_string(i) + "." + name, std::move(numbers));
        }
        chain.layers.push_back(std::move(branch[i].description));
      }
      layer.description.layers.push_back(std::move(chain));
    }
    layers_.push_back(std::move(layer));
    return true;
  }

  /// Appends a layer. Returns its output.
  OnnxData append(LayerDescription description, OnnxWeights weights, OnnxData output,
                  const Where& where) {
    layers_.push_back({std::move(description), std::move(weights), where});
    output.version = ++version_;
    return output;
  }

  /// A sum or product with constants, applied by `f(OnnxAffine&)` to the end of the chain, which
  /// has `features` features. `apart`: not as part of the last layer, whose output others take too.
  template <class F>
  OnnxData append_affine(F f, Index features, bool apart, OnnxData output, const Where& where) {
    if (apart || layers_.empty() || !layers_.back().affine) {
      output = append(LayerDescription(), {}, std::move(output), where);
      layers_.back().affine.emplace();
    }
    Layer& layer = last_to_change();
    f(*layer.affine);
    if (!layer.affine->is_finite()) where.refuse(too_large);
    if (layer.affine->is_nothing()) {
      layers_.pop_back();
    } else {
      layer.description = layer.affine->description();
      layer.weights = layer.affine->weights(features);
    }
    return output;
  }
  /// Appends a recurrent layer, whose options for the output settled() fills in later.
  OnnxData append_recurrent(LayerDescription description, OnnxWeights weights, OnnxData output,
                            const Where& where) {
    last_is_unsettled_ = true;
    return append(std::move(description), std::move(weights), std::move(output), where);
  }

  /// Where the last two layers are a Dense of a sample and a Reshape (S, F), makes them those of
  /// the Reshape (F, S) that has the same numbers with its two axes in the other order. False where
  /// they are no such layers.
  [[nodiscard]] bool turn_reshape() {
    if (layers_.size() < 2 || layers_.back().description.kind != "Reshape") return false;
    Layer& dense = layers_[layers_.size() - 2];
    LayerDescription& reshape = layers_.back().description;
    const Index steps = *reshape.find<Index>("steps");
    const Index features = *reshape.find<Index>("features");
    const auto* const activation = dense.description.find<std::string>("activation");
    const auto* const units = dense.description.find<Index>("units");
    if (dense.description.kind != "Dense" || !activation || !units || *units != steps * features ||
        *activation == name(Activation::softmax)) {
      return false;
    }
    std::vector<Index> order;
    for (Index feature = 0; feature < features; ++feature) {
      for (Index step = 0; step < steps; ++step) order.push_back(step * features + feature);
    }
    for (auto& [name, numbers] : dense.weights) {
      numbers = taken(numbers, numbers.shape.size() - 1, order);
    }
    reshape.option("steps") = features;
    reshape.option("features") = steps;
    std::erase_if(seen_, [&](const auto& one) { return one.second.layers + 1 >= layers_.size(); });
    return true;
  }

  /// The last layer if it is a Dense without an activation, else null. `without_bias`: the layer
  /// may have no bias either.
  [[nodiscard]] Layer* plain_dense(bool without_bias) { return plain("Dense", without_bias); }
  /// The last layer if it is a Dense or Conv1D without an activation, else null.
  [[nodiscard]] Layer* without_activation() {
    Layer* const dense = plain("Dense", false);
    return dense ? dense : plain("Conv1D", false);
  }

 private:
  [[nodiscard]] Layer* plain(const char* kind, bool without_bias) {
    if (layers_.empty() || layers_.back().description.kind != kind) return nullptr;
    const Layer& layer = layers_.back();
    const auto* activation = layer.description.find<std::string>("activation");
    const bool plain = activation && *activation == name(Activation::linear);
    const bool fits = plain && !(without_bias && layer.weights.contains("bias"));
    return fits ? &last_to_change() : nullptr;
  }

  using Steps = OnnxData::Steps;

  [[nodiscard]] static std::vector<Layer> merged(std::vector<Layer> layers) {
    std::vector<Layer> list;
    for (Layer& layer : layers) {
      if (list.empty() || !list.back().affine || !layer.affine) {
        list.push_back(std::move(layer));
        continue;
      }
      Layer& before = list.back();
      before.affine->then(*layer.affine);
      if (!before.affine->is_finite()) before.where.refuse(too_large);
      before.description = before.affine->description();
      before.weights.clear();
      if (before.affine->is_nothing()) list.pop_back();
    }
    return list;
  }

  static constexpr const char* too_large = "makes numbers that float cannot hold";

  /// A tensor as an operator took it, and how many layers there were.
  struct Seen {
    OnnxData data;
    std::size_t layers;
  };

  /// The last layer. A tensor that was its output is none any more once the layer has changed.
  [[nodiscard]] Layer& last_to_change() {
    std::erase_if(seen_, [&](const auto& one) { return one.second.layers == layers_.size(); });
    return layers_.back();
  }

  void settle_recurrent(OnnxData& data, const Where& where) {
    last_is_unsettled_ = false;
    LayerDescription& outer = layers_.back().description;
    const bool both = outer.kind == "Bidirectional";
    LayerDescription& layer = both ? outer.layers[0] : outer;
    bool take_last = false;
    if (both) {
      outer.option("merge") = join_directions(data, where);
      if (data.steps == Steps::first) {
        where.refuse("takes the first step of both directions, for which strata has no layer");
      }
      take_last = data.steps == Steps::last;
    } else if (data.steps == Steps::first || data.steps == Steps::last) {
      if ((data.steps == Steps::first) != data.reversed) refuse_step(where);
      data.steps = Steps::final;
    }
    layer.option("return_sequences") = data.steps == Steps::all || take_last;
    if (data.steps != Steps::all) data.reversed = false;
    if (take_last) layers_.push_back({LayerDescription{"LastStep"}, {}, where});
    data.steps = Steps::all;
  }

  void append_last_step(OnnxData& data, const Where& where) {
    if ((data.steps == Steps::first) != data.reversed) refuse_step(where);
    layers_.push_back({LayerDescription{"LastStep"}, {}, where});
    data.steps = Steps::all;
    data.reversed = false;
  }

  [[noreturn]] static void refuse_step(const Where& where) {
    where.refuse(
        "takes the first step in the order of reading, for which strata has no layer; it has the "
        "last");
  }

  /// The merge mode of two directions, as in Bidirectional. Where they are concatenated, the axis
  /// of both becomes one axis of features. Throws FormatError where the tensor does not hold both.
  [[nodiscard]] static std::string join_directions(OnnxData& data, const Where& where) {
    if (!data.merge.empty()) return data.merge;
    if (data.directions == OnnxData::Directions::all) {
      for (auto& axis : data.axes) {
        for (std::size_t i = 0; i + 1 < axis.size(); ++i) {
          if (axis[i].run != OnnxRun::directions || axis[i + 1].run != OnnxRun::features) continue;
          axis[i + 1].size.number *= 2;
          axis.erase(axis.begin() + static_cast<std::ptrdiff_t>(i));
          return "concat";
        }
      }
    }
    where.refuse(
        "takes the two directions of a recurrent layer in another way than side by side, added, "
        "multiplied or averaged: the axes are " +
        axes_text(data.axes));
  }

  std::vector<Layer> layers_;
  /// By version.
  std::map<int, Seen> seen_;
  int version_ = 0;
  /// Whether the last layer is recurrent and no node has taken its output yet.
  bool last_is_unsettled_ = false;
};

}  // namespace strata::inline STRATA_RUNTIME::io
