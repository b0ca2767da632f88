#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/error.hpp>
#include <strata/io/element.hpp>
#include <strata/io/numbers.hpp>
#include <strata/io/onnx/chain.hpp>
#include <strata/io/onnx/model.hpp>
#include <strata/io/onnx/recurrent.hpp>
#include <strata/io/option_reader.hpp>
#include <strata/layers/description.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

// This header is longer than others: each kind of layer is a few lines, and all of them work on the
// one graph.

namespace strata::inline STRATA_TARGET::io {

/// Writes the layers of a model as nodes, one after the other. Batch and steps are axes of any
/// size.
///
/// ONNX' recurrent operators want the steps first, all else is the same for both orders: the order
/// turns where a layer needs the other one.
class OnnxGraphWriter {
 public:
  /// `input`: the shape of a batch; `ids`: whether it holds whole numbers.
  OnnxGraphWriter(const Shape& input, bool ids) : rank_(input.rank()) {
    model_.ir_version = onnx_written_ir_version;
    model_.opset = onnx_written_opset;
    model_.producer = "strata";
    model_.producer_version = version_string;
    model_.graph.name = "strata";
    OnnxValueInfo x{
        "x", onnx_code_of(ids ? Element::int64 : Element::float32), {{{Dynamic, "batch"}}}};
    for (Index axis = 1; axis < input.rank(); ++axis) x.shape->push_back({input[axis], "steps"});
    model_.graph.inputs.push_back(std::move(x));
    value_ = "x";
  }

  /// Throws ValueError, naming the layer, on what ONNX cannot say.
  void add(const LayerDescription& layer, const OnnxWeights& weights, const std::string& place) {
    place_ = place;
    write(layer, weights);
  }

  /// `features`: of the output.
  [[nodiscard]] OnnxModel finish(Index features) {
    put_batch_first();
    add_node("Identity", {value_}, {});
    model_.graph.nodes.back().outputs = {"y"};
    OnnxValueInfo y{"y", onnx_code_of(Element::float32), {{{Dynamic, "batch"}}}};
    if (rank_ == 3) y.shape->push_back({Dynamic, "steps_of_y"});
    y.shape->push_back({features, "features"});
    model_.graph.outputs.push_back(std::move(y));
    return std::move(model_);
  }

 private:
  using Attributes = std::vector<OnnxAttribute>;

  struct Kind {
    std::string_view name;
    void (OnnxGraphWriter::*write)(const LayerDescription&, const OnnxWeights&);
  };

  [[nodiscard]] static std::span<const Kind> kinds() {
    using W = OnnxGraphWriter;
    static constexpr Kind list[] = {{"Activation", &W::activation},
                                    {"BatchNormalization", &W::batch_normalization},
                                    {"Bidirectional", &W::recurrent},
                                    {"CoupledLSTM", &W::recurrent},
                                    {"Dense", &W::dense},
                                    {"Dropout", &W::nothing},
                                    {"Embedding", &W::embedding},
                                    {"ExtendedLSTM", &W::recurrent},
                                    {"Flatten", &W::flatten},
                                    {"GRU", &W::recurrent},
                                    {"GaussianNoise", &W::nothing},
                                    {"LSTM", &W::recurrent},
                                    {"LastStep", &W::last_step},
                                    {"LayerNormalization", &W::layer_normalization},
                                    {"MeanOverSteps", &W::mean_over_steps},
                                    {"RepeatVector", &W::repeat_vector},
                                    {"ResetBeforeGRU", &W::recurrent},
                                    {"Reshape", &W::reshape},
                                    {"Residual", &W::residual},
                                    {"SimpleRNN", &W::recurrent},
                                    {"SkipConnections", &W::skip_connections},
                                    {"TimeDistributed", &W::time_distributed}};
    return list;
  }

  void write(const LayerDescription& layer, const OnnxWeights& weights) {
    for (const Kind& kind : kinds()) {
      if (kind.name == layer.kind) return (this->*kind.write)(layer, weights);
    }
    refuse(layer.kind + " cannot be said in the operators that save_onnx writes");
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw ValueError("save_onnx: " + place_ + ": " + what);
  }

  // Parts of the graph.

  /// A node on the current value, or on others, whose output becomes the current value.
  void add_node(const char* op, std::vector<std::string> inputs, Attributes attributes) {
    const std::string name = unique(op);
    model_.graph.nodes.push_back(
        {name, op, "", std::move(inputs), {name + "_output"}, std::move(attributes)});
    value_ = name + "_output";
  }
  [[nodiscard]] std::string unique(const std::string& stem) {
    const int number = names_[stem]++;
    return number == 0 ? stem : stem + "_" + std::to_string(number);
  }

  [[nodiscard]] std::string add_numbers(const std::string& name, const Numbers& numbers) {
    OnnxTensor tensor{unique(name), Element::float32, numbers.shape, {}};
    tensor.bytes.resize(numbers.values.size() * sizeof(float));
    for (std::size_t i = 0; i < numbers.values.size(); ++i) {
      const auto value = static_cast<float>(numbers.values[i]);
      if (std::isinf(value) && !std::isinf(numbers.values[i])) {
        refuse(name + " has a number that float cannot hold, which ONNX Runtime computes in");
      }
      write_scalar(value, tensor.bytes.data() + i * sizeof(float));
    }
    model_.graph.initializers.push_back(std::move(tensor));
    return model_.graph.initializers.back().name;
  }
  [[nodiscard]] std::string add_integers(const std::string& name, const std::vector<Index>& list,
                                         bool scalar = false) {
    OnnxTensor tensor{unique(name), Element::int64, {static_cast<Index>(list.size())}, {}};
    if (scalar) tensor.shape.clear();
    tensor.bytes.resize(list.size() * sizeof(Index));
    for (std::size_t i = 0; i < list.size(); ++i) {
      write_scalar(std::int64_t{list[i]}, tensor.bytes.data() + i * sizeof(Index));
    }
    model_.graph.initializers.push_back(std::move(tensor));
    return model_.graph.initializers.back().name;
  }

  void transpose(std::vector<Index> perm) {
    add_node("Transpose", {value_}, {{"perm", std::move(perm)}});
  }
  void put_steps_first() {
    if (!steps_first_) transpose({1, 0, 2});
    steps_first_ = true;
  }
  void put_batch_first() {
    if (steps_first_) transpose({1, 0, 2});
    steps_first_ = false;
  }
  void reshape_to(const std::vector<Index>& sizes) {
    add_node("Reshape", {value_, add_integers("shape", sizes)}, {});
  }
  void squeeze(Index axis) { add_node("Squeeze", {value_, add_integers("axes", {axis})}, {}); }

  // Recurrent layers.

  /// What a node has once for each direction.
  struct Direction {
    const OnnxWeights* weights;
    std::string prefix;

    [[nodiscard]] const Numbers* find(const std::string& name) const {
      const auto found = weights->find(prefix + name);
      return found == weights->end() ? nullptr : &found->second;
    }
  };

  void recurrent(const LayerDescription& layer, const OnnxWeights& weights) {
    const bool both = layer.kind == "Bidirectional";
    const LayerDescription& inner = both ? layer.layers[0] : layer;
    const OnnxOperator op = operator_of(inner);
    OptionReader options(inner, Where(place_));
    const Index units = options.size("units");
    const bool sequences = options.get<bool>("return_sequences");
    bool backwards = false;
    options.read("go_backwards", backwards);
    std::vector<Direction> directions{{&weights, both ? "forward." : ""}};
    if (both) directions.push_back({&weights, "backward."});

    Attributes attributes{{"hidden_size", units},
                          {"direction", std::string(both        ? "bidirectional"
                                                    : backwards ? "reverse"
                                                                : "forward")}};
    add_options(op, inner, directions.size(), attributes);
    put_steps_first();
    std::vector<std::string> inputs{value_};
    inputs.push_back(add_numbers("W", gates_of(op, directions, "kernel")));
    inputs.push_back(add_numbers("R", gates_of(op, directions, "recurrent_kernel")));
    const bool bias = directions[0].find("bias") != nullptr;
    const bool peepholes = directions[0].find("peephole_input") != nullptr;
    if (bias || peepholes) {
      inputs.push_back(bias ? add_numbers("B", biases_of(op, directions, units)) : "");
    }
    if (peepholes) {
      inputs.insert(inputs.end(), {"", "", ""});
      inputs.push_back(add_numbers("P", peepholes_of(directions, units)));
    }
    add_node(op.name, std::move(inputs), std::move(attributes));
    // Y_h, the last step of each reading.
    if (!sequences) model_.graph.nodes.back().outputs = {"", value_};
    if (both) {
      OptionReader reader(layer, Where(place_));
      merge(reader.get<std::string>("merge"), sequences, 2 * units);
    } else {
      squeeze(sequences ? 1 : 0);
    }
    if (!sequences) {
      rank_ = 2;
      steps_first_ = false;
    } else if (backwards) {
      // ONNX gives the outputs in the order of the input, strata in that of reading.
      add_node("Slice",
               {value_, add_integers("starts", {-1}),
                add_integers("ends", {std::numeric_limits<Index>::min()}),
                add_integers("axes", {0}), add_integers("steps", {-1})},
               {});
    }
  }

  /// (T, 2, B, U) or (2, B, U).
  void merge(const std::string& how, bool sequences, Index width) {
    const Index axis = sequences ? 1 : 0;
    if (how == "concat") {
      transpose(sequences ? std::vector<Index>{0, 2, 1, 3} : std::vector<Index>{1, 0, 2});
      return reshape_to(sequences ? std::vector<Index>{0, 0, width} : std::vector<Index>{0, width});
    }
    if (how == "sum") {
      return add_node("ReduceSum", {value_, add_integers("axes", {axis})},
                      {{"keepdims", Index{0}}});
    }
    add_node(how == "mul" ? "ReduceProd" : "ReduceMean", {value_},
             {{"axes", std::vector<Index>{axis}}, {"keepdims", Index{0}}});
  }

  struct OnnxOperator {
    const char* name;
    /// Block g of ONNX is block order[g] of strata; -1: zeros.
    std::vector<int> order;
    bool reset_after = false;
  };

  [[nodiscard]] OnnxOperator operator_of(const LayerDescription& layer) const {
    if (layer.kind == "LSTM" || layer.kind == "ExtendedLSTM") return {"LSTM", {0, 3, 1, 2}};
    if (layer.kind == "CoupledLSTM") return {"LSTM", {0, 2, -1, 1}};
    if (layer.kind == "GRU") return {"GRU", {0, 1, 2}, true};
    if (layer.kind == "ResetBeforeGRU") return {"GRU", {0, 1, 2}};
    if (layer.kind == "SimpleRNN") return {"RNN", {0}};
    refuse(layer.kind + " is no recurrent layer that ONNX has");
  }

  void add_options(const OnnxOperator& op, const LayerDescription& layer, std::size_t directions,
                   Attributes& attributes) const {
    OptionReader options(layer, Where(place_));
    for (const char* name : {"zoneout", "memory_zoneout", "cell_clip"}) {
      double value = 0;
      options.read(name, value);
      if (value != 0) refuse(std::string(name) + " is not 0, which ONNX does not have");
    }
    Index projection = 0;
    options.read("projection", projection);
    if (projection != 0) refuse("projection is not 0, which ONNX does not have");
    double clip = 0;
    options.read("activation_clip", clip);
    if (clip > 0) attributes.push_back({"clip", static_cast<float>(clip)});
    if (layer.kind == "CoupledLSTM") attributes.push_back({"input_forget", Index{1}});
    if (op.reset_after) attributes.push_back({"linear_before_reset", Index{1}});

    Activation recurrent = Activation::sigmoid;
    Activation activation = Activation::tanh;
    options.read("recurrent_activation", recurrent);
    options.read("activation", activation);
    Activation output = activation;
    if (layer.find("output_activation")) options.read("output_activation", output);
    std::vector<Activation> all;
    if (op.name != std::string_view("RNN")) all.push_back(recurrent);
    all.push_back(activation);
    if (op.name == std::string_view("LSTM")) all.push_back(output);
    std::vector<std::string> names;
    std::vector<float> alphas;
    std::vector<float> betas;
    for (std::size_t direction = 0; direction < directions; ++direction) {
      for (const Activation one : all) {
        const OnnxActivation known = onnx_activation_of(one);
        names.emplace_back(known.name);
        if (known.alpha) alphas.push_back(static_cast<float>(*known.alpha));
        if (known.beta) betas.push_back(static_cast<float>(*known.beta));
      }
    }
    attributes.push_back({"activations", std::move(names)});
    if (!alphas.empty()) attributes.push_back({"activation_alpha", std::move(alphas)});
    if (!betas.empty()) attributes.push_back({"activation_beta", std::move(betas)});
  }

  [[nodiscard]] OnnxActivation onnx_activation_of(Activation activation) const {
    for (const OnnxActivation& one : onnx_activations) {
      if (one.activation == activation) return one;
    }
    refuse("ONNX' recurrent operators have no activation " + std::string(name(activation)));
  }

  /// The blocks of the last axis in ONNX' order.
  [[nodiscard]] Numbers in_order(const OnnxOperator& op, Numbers numbers) const {
    std::vector<int> order = op.order;
    const Index gates =
        static_cast<Index>(order.size()) - std::count(order.begin(), order.end(), -1);
    if (gates < static_cast<Index>(order.size())) {
      // A block of zeros at the end stands for the missing gate.
      const Index units = numbers.back() / gates;
      const Index rows = static_cast<Index>(numbers.values.size()) / numbers.back();
      Numbers wider{numbers.shape, {}};
      wider.shape.back() += units;
      for (Index row = 0; row < rows; ++row) {
        const auto first = numbers.values.begin() + row * numbers.back();
        wider.values.insert(wider.values.end(), first, first + numbers.back());
        wider.values.insert(wider.values.end(), static_cast<std::size_t>(units), 0.0);
      }
      std::replace(order.begin(), order.end(), -1, static_cast<int>(gates));
      numbers = std::move(wider);
    }
    return permute_gates(numbers, static_cast<Index>(order.size()), order, Where(place_));
  }

  /// (D, G U, N) of the directions' (N, G U).
  [[nodiscard]] Numbers gates_of(const OnnxOperator& op, const std::vector<Direction>& directions,
                                 const std::string& name) const {
    Numbers all;
    for (const Direction& direction : directions) {
      append(all, transposed(in_order(op, *direction.find(name)), Where(place_)));
    }
    return all;
  }
  [[nodiscard]] Numbers biases_of(const OnnxOperator& op, const std::vector<Direction>& directions,
                                  Index units) const {
    Numbers all;
    const Index wide = static_cast<Index>(op.order.size()) * units;
    for (const Direction& direction : directions) {
      Numbers bias = in_order(op, *direction.find("bias"));
      bias.values.resize(static_cast<std::size_t>(2 * wide), 0.0);
      bias.shape = {2 * wide};
      append(all, bias);
    }
    return all;
  }
  [[nodiscard]] static Numbers peepholes_of(const std::vector<Direction>& directions, Index units) {
    Numbers all;
    for (const Direction& direction : directions) {
      Numbers peepholes{{3 * units}, {}};
      for (const char* name : {"peephole_input", "peephole_output", "peephole_forget"}) {
        const Numbers* const part = direction.find(name);
        const Numbers zeros{{units}, std::vector<double>(static_cast<std::size_t>(units))};
        const auto& values = part ? part->values : zeros.values;
        peepholes.values.insert(peepholes.values.end(), values.begin(), values.end());
      }
      append(all, peepholes);
    }
    return all;
  }
  /// One more row of a new outermost axis.
  static void append(Numbers& all, const Numbers& one) {
    if (all.shape.empty()) {
      all.shape = one.shape;
      all.shape.insert(all.shape.begin(), 0);
    }
    ++all.shape[0];
    all.values.insert(all.values.end(), one.values.begin(), one.values.end());
  }

  // Other layers.

  void nothing(const LayerDescription&, const OnnxWeights&) {}

  void dense(const LayerDescription& layer, const OnnxWeights& weights) {
    add_node("MatMul", {value_, add_numbers("kernel", weights.at("kernel"))}, {});
    if (const auto bias = weights.find("bias"); bias != weights.end()) {
      add_node("Add", {value_, add_numbers("bias", bias->second)}, {});
    }
    activation(layer, weights);
  }

  void activation(const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, Where(place_));
    switch (options.get<Activation>("activation")) {
      case Activation::linear:
        return;
      case Activation::relu:
        return add_node("Relu", {value_}, {});
      case Activation::sigmoid:
        return add_node("Sigmoid", {value_}, {});
      case Activation::tanh:
        return add_node("Tanh", {value_}, {});
      case Activation::hard_sigmoid:
        return add_node("HardSigmoid", {value_},
                        {{"alpha", static_cast<float>(1.0 / 6)}, {"beta", 0.5f}});
      case Activation::softsign:
        return add_node("Softsign", {value_}, {});
      case Activation::softplus:
        return add_node("Softplus", {value_}, {});
      case Activation::elu:
        return add_node("Elu", {value_}, {{"alpha", 1.0f}});
      case Activation::exponential:
        return add_node("Exp", {value_}, {});
      case Activation::softmax:
        return add_node("Softmax", {value_}, {{"axis", Index{-1}}});
    }
  }

  void embedding(const LayerDescription& layer, const OnnxWeights& weights) {
    OptionReader options(layer, Where(place_));
    bool masks = false;
    options.read("mask_zero", masks);
    if (masks) refuse("mask_zero masks steps, which ONNX does not have");
    add_node("Gather", {add_numbers("embeddings", weights.at("embeddings")), value_}, {});
    rank_ = 3;
  }

  void layer_normalization(const LayerDescription& layer, const OnnxWeights& weights) {
    OptionReader options(layer, Where(place_));
    const auto gamma = weights.find("gamma");
    const auto beta = weights.find("beta");
    if (gamma == weights.end()) refuse("ONNX' LayerNormalization is never without a scale");
    std::vector<std::string> inputs{value_, add_numbers("gamma", gamma->second)};
    if (beta != weights.end()) inputs.push_back(add_numbers("beta", beta->second));
    const auto epsilon = static_cast<float>(options.get<double>("epsilon"));
    add_node("LayerNormalization", std::move(inputs), {{"axis", Index{-1}}, {"epsilon", epsilon}});
  }

  void batch_normalization(const LayerDescription& layer, const OnnxWeights& weights) {
    OptionReader options(layer, Where(place_));
    const Numbers& mean = weights.at("moving_mean");
    const auto or_all = [&](const char* name, double value) {
      const auto found = weights.find(name);
      return found != weights.end()
                 ? found->second
                 : Numbers{mean.shape, std::vector<double>(mean.values.size(), value)};
    };
    put_batch_first();
    if (rank_ == 3) transpose({0, 2, 1});
    std::vector<std::string> inputs{value_, add_numbers("gamma", or_all("gamma", 1)),
                                    add_numbers("beta", or_all("beta", 0)),
                                    add_numbers("moving_mean", mean),
                                    add_numbers("moving_variance", weights.at("moving_variance"))};
    add_node("BatchNormalization", std::move(inputs),
             {{"epsilon", static_cast<float>(options.get<double>("epsilon"))},
              {"momentum", static_cast<float>(options.get<double>("momentum"))}});
    if (rank_ == 3) transpose({0, 2, 1});
  }

  void last_step(const LayerDescription&, const OnnxWeights&) {
    add_node("Gather", {value_, add_integers("last", {-1}, true)},
             {{"axis", Index{steps_first_ ? 0 : 1}}});
    rank_ = 2;
    steps_first_ = false;
  }
  void mean_over_steps(const LayerDescription&, const OnnxWeights&) {
    add_node("ReduceMean", {value_},
             {{"axes", std::vector<Index>{steps_first_ ? 0 : 1}}, {"keepdims", Index{0}}});
    rank_ = 2;
    steps_first_ = false;
  }
  void repeat_vector(const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, Where(place_));
    add_node("Unsqueeze", {value_, add_integers("axes", {1})}, {});
    add_node("Tile", {value_, add_integers("repeats", {1, options.size("n"), 1})}, {});
    rank_ = 3;
  }
  void flatten(const LayerDescription&, const OnnxWeights&) {
    put_batch_first();
    reshape_to({0, -1});
    rank_ = 2;
  }
  void reshape(const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, Where(place_));
    put_batch_first();
    reshape_to({0, options.size("steps"), options.size("features")});
    rank_ = 3;
  }

  void time_distributed(const LayerDescription& layer, const OnnxWeights& weights) {
    write(layer.layers[0], weights);
  }

  void residual(const LayerDescription& layer, const OnnxWeights& weights) {
    put_batch_first();
    const std::string x = value_;
    write(layer.layers[0], weights);
    put_batch_first();
    add_node("Add", {x, value_}, {});
  }

  /// Each layer reads the input beside the outputs of the one before; all outputs are the result.
  void skip_connections(const LayerDescription& layer, const OnnxWeights& weights) {
    put_batch_first();
    const std::string x = value_;
    std::vector<std::string> outputs;
    for (std::size_t i = 0; i < layer.layers.size(); ++i) {
      if (i > 0) add_node("Concat", {x, outputs.back()}, {{"axis", Index{-1}}});
      const std::string prefix = std::to_string(i) + ".";
      OnnxWeights own;
      for (const auto& [name, numbers] : weights) {
        if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), numbers);
      }
      write(layer.layers[i], own);
      put_batch_first();
      outputs.push_back(value_);
    }
    add_node("Concat", std::move(outputs), {{"axis", Index{-1}}});
  }

  OnnxModel model_;
  Index rank_;
  std::string value_;
  bool steps_first_ = false;
  std::string place_;
  std::map<std::string, int> names_;
};

}  // namespace strata::inline STRATA_TARGET::io
