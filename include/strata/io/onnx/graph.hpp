#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/io/onnx/budget.hpp>
#include <strata/io/onnx/call.hpp>
#include <strata/io/onnx/chain.hpp>
#include <strata/io/onnx/layout.hpp>
#include <strata/io/onnx/model.hpp>
#include <strata/io/onnx/operators/axes.hpp>
#include <strata/io/onnx/operators/concat.hpp>
#include <strata/io/onnx/operators/constant.hpp>
#include <strata/io/onnx/operators/identity.hpp>
#include <strata/io/onnx/operators/operands.hpp>
#include <strata/io/onnx/operators/places.hpp>
#include <strata/io/onnx/operators/sizes.hpp>
#include <strata/io/onnx/recurrent.hpp>
#include <strata/io/onnx/value.hpp>
#include <strata/layers/input.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_TARGET::io {

/// What a graph is, as a chain of strata's layers.
struct OnnxLayers {
  std::optional<Input> input;
  std::vector<OnnxChain::Layer> layers;
};

/// Goes through the nodes of a graph in their order, and finds the layers that they make up.
///
/// Exporters surround a layer with nodes that move axes, take the last step, and compute shapes and
/// states of zeros. Nothing of that is matched as a pattern: each node says what it does to the
/// values it takes, and what a layer takes must then be what strata's layer does. Longer than other
/// headers, because each operator is a few lines.
class OnnxGraphReader {
 public:
  /// `output`: the one to read where there are several. Throws FormatError on whatever is no chain
  /// of strata's layers.
  [[nodiscard]] static OnnxLayers read(const OnnxModel& model, const std::string& output,
                                       const Where& where) {
    for (const bool steps_first : {false, true}) {
      OnnxGraphReader reader(model, where);
      if (reader.run(output, steps_first)) return {reader.input_, reader.chain_.take()};
    }
    where.refuse("the input is read both as (B, T, F) and as (T, B, F)");
  }

 private:
  OnnxGraphReader(const OnnxModel& model, const Where& where)
      : model_(&model), where_(&where), budget_(numbers_in(model)) {}

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

  /// False where the steps must come first and do not.
  [[nodiscard]] bool run(const std::string& output, bool steps_first) {
    steps_first_ = steps_first;
    require_known_operators();
    add_initializers();
    add_input();
    std::size_t number = 0;
    for (const OnnxNode& node : model_->graph.nodes) {
      if (!read_node(node, number++)) return false;
    }
    read_output(output);
    require_all_used();
    return true;
  }

  // Input, output, constants.

  void add_value(const std::string& name, OnnxValue value, const Where& where) {
    if (!values_.emplace(name, std::move(value)).second) {
      where.refuse("there are two values of the name " + in_quotes(name));
    }
  }

  void add_initializers() {
    for (const OnnxTensor& tensor : model_->graph.initializers) {
      const Where here = where_->in("initializer " + in_quotes(tensor.name));
      add_value(tensor.name, OnnxConstants::value_of(tensor, here), here);
      unused_.insert(tensor.name);
    }
  }

  void add_input() {
    const OnnxValueInfo* input = nullptr;
    for (const OnnxValueInfo& one : model_->graph.inputs) {
      // Older files list the initializers too.
      if (values_.contains(one.name)) continue;
      if (input) {
        where_->in("input " + in_quotes(one.name))
            .refuse("is a second input besides " + in_quotes(input->name) +
                    "; a model of strata's has one, and states are given to predict");
      }
      input = &one;
    }
    if (!input) where_->refuse("the graph has no input");
    const Where here = where_->in("input " + in_quotes(input->name));
    if (!input->shape || input->shape->size() < 2 || input->shape->size() > 3) {
      here.expected("the shape (B, T, F), or (B, F), or (B, T) of whole numbers",
                    input->shape ? std::to_string(input->shape->size()) + " axes" : "none");
    }
    const auto element = onnx_element_of(input->type);
    OnnxData data;
    data.ids = element == Element::int64 || element == Element::int32;
    if (!element || (!data.ids && !is_floating(*element)) ||
        (data.ids && input->shape->size() == 3)) {
      here.in("elem_type")
          .expected("a floating-point type, or INT32 or INT64 for (B, T)",
                    std::to_string(input->type));
    }
    constexpr Index most = Index{1} << 40;
    std::size_t i = 0;
    for (const OnnxDimension& dimension : *input->shape) {
      const bool last = i + 1 == input->shape->size() && !data.ids;
      const OnnxRun run = last                        ? OnnxRun::features
                          : (i == 0) == !steps_first_ ? OnnxRun::batch
                                                      : OnnxRun::steps;
      if (dimension.size > most) here.expected("smaller sizes", std::to_string(dimension.size));
      if (last && dimension.size == Dynamic) here.refuse("does not say how many features it has");
      OnnxSize size{dimension.size, 0, 0};
      if (dimension.size == Dynamic) size = run == OnnxRun::batch ? onnx_any_batch : onnx_any_steps;
      data.axes.push_back({{run, size}});
      if (run == OnnxRun::steps) steps_ = dimension.size;
      if (last) features_ = dimension.size;
      ++i;
    }
    // (B, F) has no steps to come first.
    if (data.axes.size() == 2 && !data.ids) data.axes[0][0].run = OnnxRun::batch;
    add_value(input->name, std::move(data), here);
    rank_ = static_cast<Index>(input->shape->size());
  }

  void read_output(const std::string& wanted) {
    const auto& outputs = model_->graph.outputs;
    const OnnxValueInfo* output = outputs.size() == 1 && wanted.empty() ? &outputs[0] : nullptr;
    std::vector<std::string> names;
    for (const OnnxValueInfo& one : outputs) {
      names.push_back(in_quotes(one.name));
      if (one.name == wanted) output = &one;
    }
    if (!output) {
      where_->refuse((wanted.empty()
                          ? "the graph has not one output; say which by .output: "
                          : "there is no output " + in_quotes(wanted) + "; there are: ") +
                     list_text(names));
    }
    const Where here = where_->in("output " + in_quotes(output->name));
    const auto found = values_.find(output->name);
    const auto* data = found == values_.end() ? nullptr : std::get_if<OnnxData>(&found->second);
    unused_.erase(output->name);
    if (!data) here.refuse("does not come from the graph's input by layers that strata has");
    const OnnxData settled = chain_.settled(*data, here);
    if (settled.reversed) here.refuse("has the steps from the last to the first");
    // Batch and steps in any order, and without an only feature: the numbers are the same.
    std::vector<OnnxRun> runs;
    for (const auto& axis : settled.axes) {
      if (axis.size() > 1) refuse_axes(settled, here);
      if (!axis.empty() && axis[0].run != OnnxRun::features) runs.push_back(axis[0].run);
    }
    if (runs.empty() || runs.size() > 2) refuse_axes(settled, here);
    if (chain_.layers().empty()) here.refuse("the graph has no layers");
    set_input();
  }

  void set_input() {
    const bool ids = chain_.layers()[0].description.kind == "Embedding";
    if (ids) {
      input_.emplace(rank_ == 2 && features_ != Dynamic ? features_ : steps_);
    } else if (rank_ == 3) {
      input_.emplace(steps_, features_);
    } else {
      input_.emplace(features_);
    }
  }

  void require_all_used() const {
    if (!unused_.empty()) {
      where_->refuse("no node takes these initializers: " +
                     list_text({unused_.begin(), unused_.end()}));
    }
  }

  // Nodes.

  struct Operator {
    std::string_view name;
    void (OnnxGraphReader::*read)(OnnxCall& call);
  };

  [[nodiscard]] static std::span<const Operator> operators() {
    using R = OnnxGraphReader;
    static constexpr Operator list[] = {
        {"Add", &R::add},
        {"BatchNormalization", &R::batch_normalization},
        {"Cast", &R::value<&OnnxIdentities::cast>},
        {"Concat", &R::value<&OnnxConcat::concat>},
        {"Constant", &R::value<&OnnxConstants::constant>},
        {"ConstantOfShape", &R::value<&OnnxConstants::constant_of_shape>},
        {"Div", &R::divide},
        {"Dropout", &R::value<&OnnxIdentities::dropout>},
        {"Elu", &R::elu},
        {"Exp", &R::activation<Activation::exponential>},
        {"Expand", &R::expand},
        {"Flatten", &R::value<&OnnxAxisMoves::flatten>},
        {"GRU", &R::gru},
        {"Gather", &R::gather},
        {"Gemm", &R::gemm},
        {"HardSigmoid", &R::hard_sigmoid},
        {"Identity", &R::value<&OnnxIdentities::identity>},
        {"LSTM", &R::lstm},
        {"LayerNormalization", &R::layer_normalization},
        {"MatMul", &R::mat_mul},
        {"Mul", &R::multiply},
        {"RNN", &R::rnn},
        {"ReduceMean", &R::reduce_mean},
        {"ReduceProd", &R::reduce_product},
        {"ReduceSum", &R::reduce_sum},
        {"Relu", &R::activation<Activation::relu>},
        {"Reshape", &R::reshape},
        {"ReverseSequence", &R::value<&OnnxPlaces::reverse_sequence>},
        {"Shape", &R::value<&OnnxSizes::shape>},
        {"Sigmoid", &R::activation<Activation::sigmoid>},
        {"Slice", &R::value<&OnnxPlaces::slice>},
        {"Softmax", &R::softmax},
        {"Softplus", &R::activation<Activation::softplus>},
        {"Softsign", &R::activation<Activation::softsign>},
        {"Split", &R::split},
        {"Squeeze", &R::value<&OnnxAxisMoves::squeeze>},
        {"Sub", &R::value<&OnnxSizes::subtract>},
        {"Tanh", &R::activation<Activation::tanh>},
        {"Tile", &R::tile},
        {"Transpose", &R::value<&OnnxAxisMoves::transpose>},
        {"Unsqueeze", &R::value<&OnnxAxisMoves::unsqueeze>}};
    return list;
  }

  /// False where the steps must come first and do not.
  [[nodiscard]] bool read_node(const OnnxNode& node, std::size_t number) {
    OnnxCall call(node, number, values_, model_->opset, budget_, *where_);
    for (const std::string& name : node.inputs) unused_.erase(name);
    (this->*find_operator(node)->read)(call);
    if (steps_must_be_first_) return false;
    call.finish();
    add_results(node, call);
    return true;
  }

  /// Null where strata does not know it.
  [[nodiscard]] static const Operator* find_operator(const OnnxNode& node) {
    if (!node.domain.empty() && node.domain != "ai.onnx") return nullptr;
    for (const Operator& one : operators()) {
      if (one.name == node.op) return &one;
    }
    return nullptr;
  }

  /// Before anything else, so that the message names what the model cannot be read for.
  void require_known_operators() {
    std::size_t number = 0;
    for (const OnnxNode& node : model_->graph.nodes) {
      const OnnxCall call(node, number++, values_, model_->opset, budget_, *where_);
      if (find_operator(node)) continue;
      const std::string of = node.domain.empty() ? "" : " of " + in_quotes(node.domain);
      call.where().refuse("strata " + std::string(version_string) +
                          " has no layer that is, or contains, this operator" + of);
    }
  }

  void add_results(const OnnxNode& node, const OnnxCall& call) {
    results_.resize(node.outputs.size());
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      call.spend(numbers_of(results_[i]));
      add_value(node.outputs[i], std::move(results_[i]), call.where());
    }
    results_.clear();
  }
  [[nodiscard]] static std::size_t numbers_of(const OnnxValue& value) {
    if (const auto* numbers = std::get_if<Numbers>(&value)) return numbers->values.size();
    if (const auto* integers = std::get_if<OnnxIntegers>(&value)) return integers->values.size();
    return 1;
  }
  void give(OnnxValue value) { results_.push_back(std::move(value)); }

  template <OnnxValue (*Value)(OnnxCall&)>
  void value(OnnxCall& call) {
    give(Value(call));
  }

  // Recurrent layers.

  void lstm(OnnxCall& call) { recurrent(call, "LSTM"); }
  void gru(OnnxCall& call) { recurrent(call, "GRU"); }
  void rnn(OnnxCall& call) { recurrent(call, "RNN"); }

  void recurrent(OnnxCall& call, std::string_view op) {
    const OnnxData x = chain_.settled(call.data(0), call.where(0));
    if (x.axes.size() != 3) call.where(0).expected("three axes", axes_text(x.axes));
    const auto& features = x.axes[2];
    if (!is_only(features, OnnxRun::features)) refuse_axes(x, call.where(0));
    auto layer = OnnxRecurrent::read(call, op, features[0].size.number);
    const std::size_t batch = layer.batch_first ? 0 : 1;
    if (!is_only(x.axes[batch], OnnxRun::batch) || !is_only(x.axes[1 - batch], OnnxRun::steps)) {
      if (!steps_first_ && is_only(x.axes[1 - batch], OnnxRun::batch)) {
        steps_must_be_first_ = true;
        return;
      }
      call.where(0).expected(
          layer.batch_first ? "(batch, steps, features)" : "(steps, batch, features)",
          axes_text(x.axes));
    }
    require_all_steps(call, x.axes[1 - batch][0].size);
    for (const auto state : {std::size_t{5}, std::size_t{6}}) require_zeros(call, state, layer);
    if (layer.both && x.reversed) {
      call.where(0).refuse("has the steps from the last to the first, for both directions");
    }
    if (!layer.both) {
      layer.description.add("go_backwards", x.reversed != layer.reverse);
    }
    OnnxData y;
    y.reversed = layer.reverse;
    const std::vector<OnnxAtom> units{{OnnxRun::features, {layer.units}}};
    std::vector<OnnxAtom> directions;
    if (layer.both) directions.push_back({OnnxRun::directions, {2}});
    const auto& steps = x.axes[1 - batch];
    y.axes = layer.batch_first ? OnnxAxes{x.axes[0], steps, directions, units}
                               : OnnxAxes{steps, directions, x.axes[1], units};
    y = chain_.append_recurrent(std::move(layer.description), std::move(layer.weights),
                                std::move(y), call.where());
    OnnxData state = y;
    state.steps = OnnxData::Steps::final;
    state.axes = layer.batch_first ? OnnxAxes{x.axes[0], directions, units}
                                   : OnnxAxes{directions, x.axes[1], units};
    give(std::move(y));
    give(std::move(state));
  }

  /// sequence_lens of all steps are as none.
  static void require_all_steps(OnnxCall& call, const OnnxSize& steps) {
    if (!call.has(4)) return;
    std::vector<OnnxSize> lengths;
    if (const auto* filled = call.find<OnnxFilled>(4)) {
      if (const auto* size = std::get_if<OnnxSize>(&filled->value)) lengths.push_back(*size);
    } else {
      lengths = call.sizes(4).values;
    }
    for (const OnnxSize& length : lengths) {
      if (!(length == steps)) lengths.clear();
    }
    if (lengths.empty()) {
      call.where(4).refuse(
          "sequence_lens of fewer than all steps, which a file of strata's cannot hold; load the "
          "model without and give predict a Mask::from_lengths");
    }
  }

  /// Initial states of zeros are as none.
  static void require_zeros(OnnxCall& call, std::size_t i, const OnnxRecurrent::Layer& layer) {
    if (!call.has(i)) return;
    const char* const name = i == 5 ? "initial_h" : "initial_c";
    bool zero = false;
    std::vector<OnnxSize> sizes;
    if (const auto* filled = call.find<OnnxFilled>(i)) {
      zero = std::holds_alternative<double>(filled->value) && std::get<double>(filled->value) == 0;
      sizes = filled->shape;
    } else {
      const Numbers& numbers = call.numbers(i);
      zero = true;
      for (const double value : numbers.values) zero = zero && value == 0;
      for (const Index size : numbers.shape) sizes.push_back({size});
    }
    if (!zero) {
      call.where(i).refuse(std::string(name) +
                           " is not zero, and strata's models keep no initial state; load the "
                           "model without and give predict a State");
    }
    if (sizes.size() != 3 || !sizes[2].is(layer.units) ||
        !sizes[layer.batch_first ? 1 : 0].is(layer.both ? 2 : 1)) {
      call.where(i).expected("a state of " + std::to_string(layer.units) + " units",
                             onnx_sizes_text(sizes));
    }
  }

  // Dense.

  /// A tensor whose last axis is the features alone; of an axis of steps and features, flattened.
  [[nodiscard]] OnnxData with_features(OnnxCall& call, std::size_t i) {
    OnnxData x = chain_.settled(call.data(i), call.where(i));
    if (x.axes.size() == 2 && is_only(x.axes[0], OnnxRun::batch) && x.axes[1].size() == 2 &&
        x.axes[1][0].run == OnnxRun::steps && x.axes[1][1].run == OnnxRun::features) {
      if (x.reversed) call.where(i).refuse("has the steps from the last to the first");
      const OnnxSize size = x.size(1, call.where());
      if (!size.is_number()) call.where(i).refuse("has a number of features that is not known");
      x.axes[1] = {{OnnxRun::features, size}};
      x = chain_.append(LayerDescription{"Flatten"}, {}, std::move(x), call.where());
    }
    if (x.axes.size() < 2 || !is_only(x.axes.back(), OnnxRun::features)) {
      call.where(i).expected("features as the last axis", axes_text(x.axes));
    }
    return x;
  }

  void dense(OnnxCall& call, Numbers kernel, std::optional<Numbers> bias) {
    OnnxData x = with_features(call, 0);
    const Index features = x.axes.back()[0].size.number;
    if (kernel.rank() != 2 || kernel.shape[0] != features || kernel.shape[1] < 1) {
      call.where(1).expected("(" + std::to_string(features) + ", U)", sizes_text(kernel.shape));
    }
    const Index units = kernel.shape[1];
    x.axes.back()[0].size = {units};
    LayerDescription description{"Dense"};
    description.add("units", units).add("activation", Activation::linear);
    description.add("use_bias", bias.has_value());
    OnnxWeights weights{{"kernel", std::move(kernel)}};
    if (bias) weights.emplace("bias", vector_of(*bias, units, call.where(2)));
    give(chain_.append(std::move(description), std::move(weights), std::move(x), call.where()));
  }

  /// (U), or (1, ..., U), or one number for all.
  [[nodiscard]] static Numbers vector_of(const Numbers& numbers, Index units, const Where& where) {
    if (numbers.values.size() == 1 && units > 1) {
      return {{units}, std::vector<double>(static_cast<std::size_t>(units), numbers.values[0])};
    }
    if (numbers.back() != units) where.expected(sizes_text({units}), sizes_text(numbers.shape));
    return reshaped(numbers, {units}, where);
  }

  void mat_mul(OnnxCall& call) { dense(call, call.numbers(1), std::nullopt); }

  void gemm(OnnxCall& call) {
    call.require("transA", 0, 0);
    Numbers kernel = call.numbers(1);
    if (call.attribute<Index>("transB", 0) != 0) kernel = transposed(kernel, call.where(1));
    std::optional<Numbers> bias;
    if (call.has(2)) bias = call.numbers(2);
    scale(kernel, call.number("alpha", 1));
    const double beta = call.number("beta", 1);
    if (bias) scale(*bias, beta);
    if (call.data(0).axes.size() != 2) {
      call.where(0).expected("two axes", axes_text(call.data(0).axes));
    }
    dense(call, std::move(kernel), std::move(bias));
  }
  static void scale(Numbers& numbers, double factor) {
    if (factor == 1) return;
    for (double& value : numbers.values) value *= factor;
  }

  void add(OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return give(OnnxSizes::arithmetic(call, '+'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) return merge(call, "sum");
    const std::size_t constant = call.find<OnnxData>(0) ? 1 : 0;
    const Numbers& bias = call.numbers(constant);
    OnnxData y = chain_.settled(call.data(1 - constant), call.where());
    OnnxChain::Layer* const layer = chain_.plain_dense(true);
    if (!layer) call.where().refuse("adds constants to a tensor that is not a product (MatMul)");
    const Index units = layer->weights.at("kernel").shape[1];
    if (!is_only(y.axes.back(), OnnxRun::features)) refuse_axes(y, call.where());
    require_rank(bias, y, call.where(constant));
    layer->weights.emplace("bias", vector_of(bias, units, call.where(constant)));
    OnnxChain::option(layer->description, "use_bias") = true;
    give(std::move(y));
  }
  /// More axes would give the result more axes too.
  static void require_rank(const Numbers& numbers, const OnnxData& data, const Where& where) {
    if (numbers.shape.size() > data.axes.size()) {
      where.expected("at most " + std::to_string(data.axes.size()) + " axes",
                     sizes_text(numbers.shape));
    }
  }

  // Merging directions.

  /// Of two tensors, which must be the directions of one layer.
  void merge(OnnxCall& call, const char* how) {
    const OnnxData& a = call.data(0);
    const OnnxData& b = call.data(1);
    using Directions = OnnxData::Directions;
    if (a.directions == Directions::all || b.directions == Directions::all ||
        a.directions == b.directions) {
      call.where().refuse(
          "joins two tensors: the graph branches, and only chains of layers are read");
    }
    const bool in_order = a.directions == Directions::forward;
    OnnxData both = both_directions(in_order ? a : b, in_order ? b : a, call.where());
    both.merge = how;
    give(std::move(both));
  }

  void multiply(OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return give(OnnxSizes::arithmetic(call, '*'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) return merge(call, "mul");
    const std::size_t constant = call.find<OnnxData>(0) ? 1 : 0;
    average(call, call.data(1 - constant), call.numbers(constant), 0.5);
  }
  void divide(OnnxCall& call) { average(call, call.data(0), call.numbers(1), 2); }

  void average(OnnxCall& call, OnnxData x, const Numbers& factor, double wanted) {
    if (x.merge != "sum" || !chain_.is_end(x) || factor.values.size() != 1 ||
        factor.values[0] != wanted) {
      call.where().refuse(
          "multiplies a tensor with constants, which of strata's layers only the mean of two "
          "directions does");
    }
    require_rank(factor, x, call.where());
    x.merge = "ave";
    give(std::move(x));
  }

  void reduce_sum(OnnxCall& call) { reduce(call, 13, "sum"); }
  void reduce_mean(OnnxCall& call) { reduce(call, 18, "ave"); }
  void reduce_product(OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return give(OnnxSizes::product_of_sizes(call));
    reduce(call, 18, "mul");
  }

  /// Over the directions, or the mean over all steps.
  void reduce(OnnxCall& call, Index newer, const std::string& how) {
    const auto axes = call.axes(1, newer);
    OnnxData x = call.data(0);
    const bool keeps = call.attribute<Index>("keepdims", 1) != 0;
    call.require("noop_with_empty_axes", 0, 0);
    if (axes.size() != 1) call.where().expected("one axis", sizes_text(axes));
    const std::size_t axis = call.axis(axes[0], x.axes.size());
    if (is_only(x.axes[axis], OnnxRun::directions)) {
      x.merge = how;
      x.axes[axis].clear();
    } else if (is_only(x.axes[axis], OnnxRun::steps) && how == "ave") {
      x = chain_.settled(std::move(x), call.where());
      x.axes[axis].clear();
      x.reversed = false;
      x = chain_.append(LayerDescription{"MeanOverSteps"}, {}, std::move(x), call.where());
    } else {
      call.where().refuse("goes over axis " + std::to_string(axis) + " of " + axes_text(x.axes));
    }
    give(keeps ? std::move(x) : without_axis(std::move(x), axis, call.where()));
  }

  void split(OnnxCall& call) {
    const OnnxData& x = call.data(0);
    const std::size_t axis = call.axis(call.attribute<Index>("axis", 0), x.axes.size());
    const auto sizes = call.opset() >= 13 ? (call.has(1) ? call.integers(1) : std::vector<Index>())
                                          : call.attribute<std::vector<Index>>("split", {});
    call.ignore("num_outputs");
    const bool halves = sizes.empty() || sizes == std::vector<Index>{1, 1};
    if (!is_only(x.axes[axis], OnnxRun::directions) || !halves || call.outputs() != 2) {
      call.where().refuse("splits axis " + std::to_string(axis) + " of " + axes_text(x.axes) +
                          "; strata reads splits of two directions");
    }
    give(sliced(x, slice_at(axis, 0), call.where()));
    give(sliced(x, slice_at(axis, 1), call.where()));
  }

  // Activations.

  void activate(OnnxCall& call, OnnxData x, Activation activation) {
    if (auto* dense = chain_.plain_dense(false)) {
      OnnxChain::option(dense->description, "activation") = std::string(name(activation));
      return give(std::move(x));
    }
    give(chain_.append(LayerDescription{"Activation"}.add("activation", activation), {},
                       std::move(x), call.where()));
  }
  template <Activation Function>
  void activation(OnnxCall& call) {
    activate(call, chain_.settled(call.data(0), call.where(0)), Function);
  }
  void elu(OnnxCall& call) {
    require_setting(call, "alpha", 1, 1);
    activation<Activation::elu>(call);
  }
  void hard_sigmoid(OnnxCall& call) {
    require_setting(call, "alpha", 1.0 / 6, 0.2);
    require_setting(call, "beta", 0.5, 0.5);
    activation<Activation::hard_sigmoid>(call);
  }
  static void require_setting(OnnxCall& call, const char* name, double wanted, double otherwise) {
    const double found = call.number(name, otherwise);
    if (!is_setting(found, wanted)) {
      call.attribute_where(name).expected(std::to_string(wanted), std::to_string(found));
    }
  }
  void softmax(OnnxCall& call) {
    OnnxData x = with_features(call, 0);
    const std::size_t last = x.axes.size() - 1;
    // Before opset 13 all axes from this one on are taken together.
    const Index axis = call.attribute<Index>("axis", call.opset() >= 13 ? -1 : 1);
    if (call.axis(axis, x.axes.size()) != last) {
      call.attribute_where("axis").expected("the features, " + std::to_string(last),
                                            std::to_string(axis));
    }
    activate(call, std::move(x), Activation::softmax);
  }

  // Normalization.

  void layer_normalization(OnnxCall& call) {
    OnnxData x = with_features(call, 0);
    const Index features = x.axes.back()[0].size.number;
    const Index axis = call.attribute<Index>("axis", -1);
    if (call.axis(axis, x.axes.size()) != x.axes.size() - 1) {
      call.attribute_where("axis").expected("the features", std::to_string(axis));
    }
    call.ignore("stash_type");
    LayerDescription description{"LayerNormalization"};
    description.add("epsilon", epsilon_of(call)).add("center", call.has(2)).add("scale", true);
    OnnxWeights weights{{"gamma", vector_of(call.numbers(1), features, call.where(1))}};
    if (call.has(2)) weights.emplace("beta", vector_of(call.numbers(2), features, call.where(2)));
    give(chain_.append(std::move(description), std::move(weights), std::move(x), call.where()));
  }

  void batch_normalization(OnnxCall& call) {
    OnnxData x = chain_.settled(call.data(0), call.where(0));
    if (x.axes.size() < 2 || !is_only(x.axes[1], OnnxRun::features)) {
      call.where(0).expected("features as axis 1", axes_text(x.axes));
    }
    if (call.opset() >= 14) call.require("training_mode", 0, 0);
    const Index features = x.axes[1][0].size.number;
    LayerDescription description{"BatchNormalization"};
    description.add("epsilon", epsilon_of(call)).add("center", true).add("scale", true);
    description.add("momentum", call.number("momentum", 0.9));
    call.ignore("spatial");
    OnnxWeights weights;
    std::size_t i = 1;
    for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"}) {
      weights.emplace(name, vector_of(call.numbers(i), features, call.where(i)));
      ++i;
    }
    give(chain_.append(std::move(description), std::move(weights), std::move(x), call.where()));
  }

  [[nodiscard]] static double epsilon_of(OnnxCall& call) {
    const double epsilon = call.number("epsilon", 1e-5);
    if (!(epsilon >= 0)) {
      call.attribute_where("epsilon").expected("at least 0", std::to_string(epsilon));
    }
    return epsilon;
  }

  // Shapes that are layers.

  void gather(OnnxCall& call) {
    const auto* ids = call.find<OnnxData>(1);
    const auto* table = call.find<Numbers>(0);
    if (!ids || !table) return give(OnnxPlaces::gather(call));
    call.require("axis", 0, 0);
    if (!ids->ids || !chain_.is_end(*ids) || ids->axes.size() != 2) {
      call.where(1).expected("the graph's input as whole numbers", axes_text(ids->axes));
    }
    if (table->rank() != 2 || table->shape[0] < 1 || table->shape[1] < 1) {
      call.where(0).expected("a table (V, U)", sizes_text(table->shape));
    }
    LayerDescription description{"Embedding"};
    description.add("vocabulary", table->shape[0]).add("units", table->shape[1]);
    OnnxData y = *ids;
    y.ids = false;
    y.axes.push_back({{OnnxRun::features, {table->shape[1]}}});
    give(chain_.append(std::move(description), {{"embeddings", *table}}, std::move(y),
                       call.where()));
  }

  void reshape(OnnxCall& call) {
    const auto* found = call.find<OnnxData>(0);
    if (!found) return give(OnnxAxisMoves::reshape(call));
    OnnxData x = *found;
    std::vector<OnnxSize> sizes = shape_of(call, 1);
    if (call.attribute<Index>("allowzero", 0) == 0) {
      sizes = with_copied_sizes(std::move(sizes), x, call.where());
    }
    if (auto axes = OnnxRegrouping::of(x, sizes, call.where())) {
      x.axes = std::move(*axes);
      return give(std::move(x));
    }
    x = chain_.settled(std::move(x), call.where(0));
    give(reshaped_samples(call, std::move(x), sizes));
  }

  /// Numbers of each sample as steps and features.
  [[nodiscard]] OnnxData reshaped_samples(OnnxCall& call, OnnxData x,
                                          const std::vector<OnnxSize>& sizes) {
    OnnxSize count{1, 0, 0};
    for (std::size_t i = 1; i < x.axes.size(); ++i) {
      count = product(count, x.size(i, call.where()), call.where());
    }
    const bool samples = sizes.size() == 3 && !x.axes.empty() &&
                         is_only(x.axes[0], OnnxRun::batch) && !x.reversed &&
                         (sizes[0].is(-1) || sizes[0] == x.axes[0][0].size);
    if (!samples || !count.is_number() || !sizes[1].is_number() || !sizes[2].is_number() ||
        sizes[1].number < 1 || sizes[2].number < 1 ||
        product(sizes[1], sizes[2], call.where()) != count) {
      call.where().refuse("makes " + onnx_sizes_text(sizes) + " of " + axes_text(x.axes) +
                          "; strata reads (batch, steps, features) of known steps and features");
    }
    LayerDescription description{"Reshape"};
    description.add("steps", sizes[1].number).add("features", sizes[2].number);
    x.axes = {x.axes[0], {{OnnxRun::steps, sizes[1]}}, {{OnnxRun::features, sizes[2]}}};
    return chain_.append(std::move(description), {}, std::move(x), call.where());
  }

  void expand(OnnxCall& call) {
    if (!call.find<OnnxData>(0)) return give(OnnxConstants::expand(call));
    const auto& sizes = call.sizes(1).values;
    const OnnxData& x = call.data(0);
    std::vector<OnnxSize> repeats;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const bool same = i < x.axes.size() && sizes[i] == x.size(i, call.where());
      repeats.push_back(same ? OnnxSize{1, 0, 0} : sizes[i]);
    }
    repeat(call, repeats);
  }
  void tile(OnnxCall& call) { repeat(call, call.sizes(1).values); }

  /// A sample in every step: an axis of size 1, repeated.
  void repeat(OnnxCall& call, const std::vector<OnnxSize>& repeats) {
    OnnxData x = chain_.settled(call.data(0), call.where(0));
    if (repeats.size() != x.axes.size()) {
      call.where(1).expected(std::to_string(x.axes.size()) + " numbers", onnx_sizes_text(repeats));
    }
    std::optional<std::size_t> repeated;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
      if (repeats[i].is(1)) continue;
      const bool once =
          !repeated && x.axes[i].empty() && repeats[i].is_number() && repeats[i].number > 1;
      if (!once) {
        call.where().refuse("repeats " + axes_text(x.axes) + " " + onnx_sizes_text(repeats) +
                            " times; strata reads a sample (batch, features) in n steps");
      }
      repeated = i;
    }
    if (!repeated) return give(std::move(x));
    std::vector<OnnxRun> runs;
    for (const auto& axis : x.axes) {
      for (const OnnxAtom& atom : axis) runs.push_back(atom.run);
    }
    if (runs != std::vector{OnnxRun::batch, OnnxRun::features}) refuse_axes(x, call.where(0));
    x.axes[*repeated] = {{OnnxRun::steps, repeats[*repeated]}};
    give(chain_.append(LayerDescription{"RepeatVector"}.add("n", repeats[*repeated].number), {},
                       std::move(x), call.where()));
  }

  const OnnxModel* model_;
  const Where* where_;
  OnnxBudget budget_;
  OnnxChain chain_;
  OnnxCall::Values values_;
  std::set<std::string> unused_;
  std::vector<OnnxValue> results_;
  std::optional<Input> input_;
  Index rank_ = 0;
  Index steps_ = Dynamic;
  Index features_ = Dynamic;
  bool steps_first_ = false;
  bool steps_must_be_first_ = false;
};

}  // namespace strata::inline STRATA_TARGET::io
