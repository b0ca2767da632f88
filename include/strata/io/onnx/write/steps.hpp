#pragma once

#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes the layers that remove the axis of steps, or add it.
class OnnxStepsWriter {
 public:
  static void last_step(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights&) {
    graph.add_node("Gather", {graph.value(), graph.add_integers("last", {-1}, true)},
                   {{"axis", graph.steps_axis()}});
    graph.take_steps_away();
  }

  static void mean_over_steps(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights&) {
    graph.add_node("ReduceMean", {graph.value()},
                   {{"axes", std::vector<Index>{graph.steps_axis()}}, {"keepdims", Index{0}}});
    graph.take_steps_away();
  }

  static void max_over_steps(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights&) {
    graph.add_node("ReduceMax", {graph.value()},
                   {{"axes", std::vector<Index>{graph.steps_axis()}}, {"keepdims", Index{0}}});
    graph.take_steps_away();
  }

  static void repeat_vector(OnnxGraphWriter& graph, const LayerDescription& layer,
                            const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    graph.add_node("Unsqueeze", {graph.value(), graph.add_integers("axes", {1})}, {});
    graph.add_node("Tile",
                   {graph.value(), graph.add_integers("repeats", {1, options.size("n"), 1})}, {});
    graph.give_steps();
  }

  static void flatten(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights&) {
    graph.put_batch_first();
    graph.reshape_to({0, -1});
    graph.take_steps_away();
  }

  static void reshape(OnnxGraphWriter& graph, const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    graph.put_batch_first();
    graph.reshape_to({0, options.size("steps"), options.size("features")});
    graph.give_steps();
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
