#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/budget.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/formulas.hpp>
#include <strata/io/onnx/read/graph_input.hpp>
#include <strata/io/onnx/read/operators.hpp>
#include <strata/io/onnx/read/operators/activations.hpp>
#include <strata/io/onnx/read/operators/constant.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/selection.hpp>
#include <strata/layers/input.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The chain of strata's layers that a graph computes, and its input.
struct OnnxLayers {
  std::optional<Input> input;
  std::vector<OnnxChain::Layer> layers;
};

/// Goes through the nodes of a graph in their order, and finds the layers that the nodes make up.
///
/// Exporters surround a layer with nodes that move axes, take the last step, and compute shapes and
/// states of zeros. The reader does not match patterns of such nodes: it follows what each node
/// does to its operands, and checks that the operands of a layer's node have the axes that strata's
/// layer takes.
class OnnxGraphReader {
 public:
  /// `output`: the name of the output to read, needed where the graph has several that are no
  /// states; nodes that it does not need are passed over. Throws FormatError on a graph that is no
  /// chain of strata's layers. The input may have its axes in several orders: the graph is read
  /// once more with another one when a node needs that.
  [[nodiscard]] static OnnxLayers read(const OnnxModel& model, const std::string& output,
                                       const Where& where) {
    auto order = OnnxInputOrder::batch_steps_features;
    for (;;) {
      try {
        OnnxGraphReader reader(model, output, order, where);
        reader.run();
        return reader.take();
      } catch (const OnnxReadAgain& again) {
        order = again.order;
      }
    }
  }

 private:
  OnnxGraphReader(const OnnxModel& model, const std::string& output, OnnxInputOrder order,
                  const Where& where)
      : model_(&model),
        where_(&where),
        selection_(model.graph, output, where),
        formulas_(model.graph, selection_, where),
        budget_(numbers_in(model)) {
    reading_.order = order;
    reading_.shared = formulas_.shared();
  }

  [[nodiscard]] static std::size_t numbers_in(const OnnxModel& model) {
    const auto count = [](const OnnxTensor& tensor) {
      return tensor.bytes.size() / size_of(tensor.element);
    };
    std::size_t numbers = model.graph.nodes.size();
    for (const OnnxTensor& tensor : model.graph.initializers) numbers += count(tensor);
    for (const OnnxNode& node : model.graph.nodes) {
      for (const OnnxAttribute& attribute : node.attributes) {
        const auto* tensor = std::get_if<OnnxTensor>(&attribute.value);
        if (tensor) numbers += count(*tensor);
      }
    }
    return numbers;
  }

  /// Throws OnnxReadAgain where the axes of the input must have another order.
  void run() {
    require_known_operators();
    add_initializers();
    add_inputs();
    const auto& nodes = model_->graph.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (is_read(i)) read_node(i);
    }
    read_output();
  }

  [[nodiscard]] OnnxLayers take() {
    const auto& layers = reading_.chain.layers();
    const bool ids = layers[0].description.kind == "Embedding";
    Input input = input_->described(ids);
    const bool fixed_steps = std::any_of(layers.begin(), layers.end(), [](const auto& layer) {
      return layer.description.kind == "Flatten" || layer.description.kind == "Reshape";
    });
    // A graph made for streams is often exported with one step, as its user calls it; strata's
    // streams take one step after the other of sequences of any length.
    if (!reading_.states.empty() && !ids && !fixed_steps && input == Input(1, input.features())) {
      input = Input(Dynamic, input.features());
    }
    auto all = reading_.chain.take();
    if (all.empty()) where_->refuse("the graph has no layers");
    return {input, std::move(all)};
  }

  void add_value(const std::string& name, OnnxValue value, const Where& where) {
    if (!values_.emplace(name, std::move(value)).second) {
      where.refuse("there are two values of the name " + in_quotes(name));
    }
  }

  void add_initializers() {
    std::set<std::string> taken;
    std::set<std::string> needed{selection_.output().name};
    const auto& nodes = model_->graph.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      taken.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
      if (selection_.needs(i)) needed.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
    }
    std::vector<std::string> unused;
    for (const OnnxTensor& tensor : model_->graph.initializers) {
      if (taken.contains(tensor.name) && !needed.contains(tensor.name)) continue;
      const Where here = where_->in("initializer " + in_quotes(tensor.name));
      add_value(tensor.name, OnnxConstants::value_of(tensor, here), here);
      if (!taken.contains(tensor.name)) unused.push_back(tensor.name);
    }
    if (!unused.empty()) {
      where_->refuse("no node takes these initializers: " + list_text(unused));
    }
  }

  void add_inputs() {
    const OnnxValueInfo* input = nullptr;
    for (const OnnxValueInfo& one : model_->graph.inputs) {
      // Files of old IR versions list the initializers among the inputs.
      if (values_.contains(one.name)) continue;
      const Where here = where_->in("input " + in_quotes(one.name));
      switch (selection_.role(one.name)) {
        case OnnxSelection::Role::unneeded:
          continue;
        case OnnxSelection::Role::state:
          add_value(one.name, OnnxGraphInput::states(one, here), here);
          continue;
        case OnnxSelection::Role::lengths:
          here.refuse(
              "is the number of steps of each sequence (sequence_lens); export the model without, "
              "and give predict a Mask::from_lengths");
        case OnnxSelection::Role::data:
          break;
      }
      if (input) {
        here.refuse("is a second input besides " + in_quotes(input->name) +
                    "; a model of strata's has one, and states of recurrent layers");
      }
      input = &one;
    }
    if (!input && model_->graph.inputs.empty()) where_->refuse("the graph has no input");
    if (!input) {
      where_->in("output " + in_quotes(selection_.output().name))
          .refuse("does not come from the graph's input by layers that strata has");
    }
    const Where here = where_->in("input " + in_quotes(input->name));
    input_ = OnnxGraphInput::read(*input, reading_.order, here);
    add_value(input->name, input_->data(), here);
  }

  void read_output() {
    const OnnxValueInfo* const output = &selection_.output();
    const Where here = where_->in("output " + in_quotes(output->name));
    const auto found = values_.find(output->name);
    const auto* data = found == values_.end() ? nullptr : std::get_if<OnnxData>(&found->second);
    if (!data) here.refuse("does not come from the graph's input by layers that strata has");
    OnnxData settled = reading_.chain.settled(*data, here);
    if (settled.reversed) here.refuse("has the steps from the last to the first");
    settled = in_order_of_reshape(std::move(settled), here);
    if (settled.axes.size() == 3 && settled.axes[2].empty() && !settled.size(1, here).is(1)) {
      settled = with_own_steps(reading_, std::move(settled), 1, 2, here);
    }
    // The output may have batch, steps and features in any order, and no axis for a single feature:
    // its numbers are those of strata's output all the same.
    std::vector<OnnxRun> runs;
    for (const auto& axis : settled.axes) {
      if (axis.size() > 1) refuse_axes(settled, here);
      if (!axis.empty() && axis[0].run != OnnxRun::features) runs.push_back(axis[0].run);
    }
    if (runs.empty() || runs.size() > 2) refuse_axes(settled, here);
    if (reading_.chain.layers().empty()) here.refuse("the graph has no layers");
  }

  /// The output with the axes that a Reshape made in the order of the file, since nothing but that
  /// order tells them apart. Throws FormatError where the layers before cannot give it.
  [[nodiscard]] OnnxData in_order_of_reshape(OnnxData data, const Where& where) {
    if (!data.steps_by_name) return data;
    std::vector<std::size_t> places;
    std::vector<OnnxRun> runs;
    for (std::size_t i = 0; i < data.axes.size(); ++i) {
      if (data.axes[i].empty() || data.size(i, where).is(1)) continue;
      if (is_only(data.axes[i], OnnxRun::batch)) continue;
      places.push_back(i);
      runs.push_back(data.axes[i][0].run);
    }
    if (runs != std::vector{OnnxRun::features, OnnxRun::steps}) return data;
    if (!reading_.chain.turn_reshape()) {
      where.refuse(
          "has the two axes that a Reshape or a repetition made in another order, " +
          axes_text(data.axes) +
          "; strata has no layer that turns axes, and turns the units of a Dense right before a "
          "Reshape alone: export the model without this Transpose, and turn the output of predict");
    }
    std::swap(data.axes[places[0]][0].run, data.axes[places[1]][0].run);
    return data;
  }

  /// Comes before everything else, so that the message names the operator for which the model
  /// cannot be read.
  void require_known_operators() {
    const auto& nodes = model_->graph.nodes;
    // What computes the conditions of a loop is no fault of its own.
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::string& op = nodes[i].op;
      if (!selection_.needs(i) || (op != "Loop" && op != "Scan" && op != "If")) continue;
      const OnnxCall call(nodes[i], i, values_, model_->opset, budget_, *where_);
      call.where().refuse(op == "If" ? "strata reads no graphs with conditions"
                                     : "strata reads no loops; where it is a layer of Keras, read "
                                       "the .keras file with load_keras");
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const OnnxNode& node = nodes[i];
      if (!is_read(i) || formulas_.at(i) || OnnxOperators::find(node)) continue;
      const OnnxCall call(node, i, values_, model_->opset, budget_, *where_);
      if (is_quantized_operator(node.op)) call.where().refuse(onnx_is_quantized);
      const std::string of = node.domain.empty() ? "" : " of " + in_quotes(node.domain);
      call.where().refuse("strata " + std::string(version_string) +
                          " has no layer that is, or contains, this operator" + of);
    }
  }

  /// Whether a node is read by itself, or is the end of a formula.
  [[nodiscard]] bool is_read(std::size_t node) const {
    return selection_.needs(node) && !formulas_.is_inside(node);
  }

  void read_node(std::size_t number) {
    const OnnxFormulas::Formula* const formula = formulas_.at(number);
    OnnxNode of_formula;
    if (formula) {
      const OnnxNode& end = model_->graph.nodes[number];
      of_formula =
          formula->node ? *formula->node : OnnxNode{end.name,           end.op,      end.domain,
                                                    {formula->operand}, end.outputs, {}};
    }
    const OnnxNode& node = formula ? of_formula : model_->graph.nodes[number];
    OnnxCall call(node, number, values_, model_->opset, budget_, *where_);
    if (formula && !formula->node) {
      OnnxActivations::activate(reading_, call, formula->activation);
    } else {
      // A formula that is an Identity is one of ids alone.
      const auto* const data = call.find<OnnxData>(0);
      if (formula && node.op == "Identity" && (!data || !data->ids)) {
        const OnnxNode& end = model_->graph.nodes[number];
        OnnxCall(end, number, values_, model_->opset, budget_, *where_)
            .where()
            .refuse("adds a number to those below 0, which strata reads of ids alone");
      }
      OnnxOperators::find(node)->read(reading_, call);
    }
    call.finish();
    add_results(node, call);
  }

  void add_results(const OnnxNode& node, const OnnxCall& call) {
    std::vector<OnnxValue>& results = reading_.results;
    results.resize(node.outputs.size());
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      call.spend(numbers_of(results[i]));
      add_value(node.outputs[i], std::move(results[i]), call.where());
    }
    results.clear();
  }
  [[nodiscard]] static std::size_t numbers_of(const OnnxValue& value) {
    if (const auto* numbers = std::get_if<Numbers>(&value)) return numbers->values.size();
    if (const auto* integers = std::get_if<OnnxIntegers>(&value)) return integers->values.size();
    if (const auto* table = std::get_if<OnnxTable>(&value)) return table->values.size();
    return 1;
  }

  const OnnxModel* model_;
  const Where* where_;
  OnnxSelection selection_;
  OnnxFormulas formulas_;
  OnnxBudget budget_;
  OnnxReading reading_;
  OnnxCall::Values values_;
  std::optional<OnnxGraphInput> input_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
