#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The weights of a layer: for each parameter its name, its numbers and their shape.
using OnnxWeights = std::map<std::string, Numbers>;

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
  };

  [[nodiscard]] const std::vector<Layer>& layers() const noexcept { return layers_; }
  [[nodiscard]] std::vector<Layer> take() noexcept { return std::move(layers_); }

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
          "takes a tensor that is not the output of the last layer: the graph branches, and only "
          "chains of layers are read");
    }
    if (data.ids) where.refuse("takes whole numbers, which only an Embedding (Gather) does");
    if (last_is_unsettled_) {
      settle_recurrent(data, where);
    } else if (data.steps != OnnxData::Steps::all) {
      append_last_step(data, where);
    }
    data.merge.clear();
    data.version = ++version_;
    return data;
  }

  /// Appends a layer. Returns its output.
  OnnxData append(LayerDescription description, OnnxWeights weights, OnnxData output,
                  const Where& where) {
    layers_.push_back({std::move(description), std::move(weights), where});
    output.version = ++version_;
    return output;
  }
  /// Appends a recurrent layer, whose options for the output settled() fills in later.
  OnnxData append_recurrent(LayerDescription description, OnnxWeights weights, OnnxData output,
                            const Where& where) {
    last_is_unsettled_ = true;
    return append(std::move(description), std::move(weights), std::move(output), where);
  }

  /// The last layer if it is a Dense without an activation, else null. `without_bias`: the layer
  /// may have no bias either.
  [[nodiscard]] Layer* plain_dense(bool without_bias) {
    if (layers_.empty() || layers_.back().description.kind != "Dense") return nullptr;
    Layer& layer = layers_.back();
    const auto* activation = layer.description.find<std::string>("activation");
    const bool plain = activation && *activation == name(Activation::linear);
    return plain && !(without_bias && layer.weights.contains("bias")) ? &layer : nullptr;
  }

 private:
  using Steps = OnnxData::Steps;

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
  int version_ = 0;
  /// Whether the last layer is recurrent and no node has taken its output yet.
  bool last_is_unsettled_ = false;
};

}  // namespace strata::inline STRATA_RUNTIME::io
