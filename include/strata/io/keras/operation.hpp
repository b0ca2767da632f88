#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/activation.hpp>
#include <strata/io/keras/call.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/layer_settings.hpp>
#include <strata/io/keras/numbers.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A function that a functional model calls on the output of a layer, such as x[:, -1] or
/// keras.ops.tanh(x). Keras 3 writes it as an object of its own class, Keras 2 as a TFOpLambda or a
/// SlicingOpLambda with the name of TensorFlow's function.
class KerasOperation {
 public:
  /// The output of a layer, or a constant.
  struct Operand {
    std::string layer = {};
    const Json* constant = nullptr;
  };

  [[nodiscard]] static bool is_one(const Json& layer) {
    if (!layer.is_object()) return false;
    if (is_of_tensorflow(layer)) return true;
    if (!layer.contains("config") || !layer["config"].is_object()) return false;
    if (!layer.contains("inbound_nodes")) return false;
    // Of the objects that Keras 3 calls, layers have a type, and most can be trained.
    const Json& config = layer["config"];
    if (config.contains("trainable") || config.contains("dtype")) return false;
    const Json& calls = layer["inbound_nodes"];
    return calls.is_array() && !calls.empty() && calls[0].is_object();
  }

  /// Reads the function and its only call. Throws FormatError on another output of a layer than the
  /// first.
  [[nodiscard]] static KerasOperation of(const Json& layer, const Where& where) {
    ObjectReader reader(layer, where);
    KerasOperation operation;
    operation.name_ = reader.get<std::string>("class_name");
    ObjectReader config = reader.object("config");
    const Json& calls = read_list(reader.raw("inbound_nodes"), where.in("inbound_nodes"));
    if (calls.size() != 1)
      where.in("inbound_nodes").expected("one call", std::to_string(calls.size()));
    if (is_of_tensorflow(layer)) {
      operation.name_ = config.get<std::string>("function");
      operation.function_ = function_of_tensorflow(operation.name_);
      operation.read_call_of_tensorflow(calls[0], where);
      return operation;
    }
    operation.function_ = detail::snake_case(operation.name_);
    operation.settings_ = layer["config"];
    operation.settings_.erase("name");
    ObjectReader call(calls[0], where);
    for (const Json& one : read_list(call.raw("args"), where.in("args"))) {
      if (operation.function_ == "get_item" && !operation.operands_.empty()) {
        operation.slices_ = &one;
      } else {
        operation.add_operands(one, where);
      }
    }
    const Json& options = call.raw("kwargs");
    if (!options.is_object()) where.in("kwargs").expected("an object", found_text(options));
    for (const auto& [key, value] : options.items()) operation.settings_[key] = value;
    return operation;
  }

  /// The layers whose outputs it takes.
  [[nodiscard]] std::vector<std::string> inputs() const {
    std::vector<std::string> names;
    for (const Operand& one : operands_) {
      if (!one.constant) names.push_back(one.layer);
    }
    return names;
  }

  /// x + y of the outputs of two layers.
  [[nodiscard]] bool is_sum() const { return function_ == "add" && inputs().size() == 2; }

  /// The layer that computes the function of one output. Functions pass no mask on. Throws
  /// FormatError on a function that no layer of strata computes.
  [[nodiscard]] LayerDescription layer(KerasFlow& flow, KerasVersion version,
                                       const Where& where) const {
    if (function_ == "get_item" || function_ == "getitem") return last_step(flow, where);
    if (inputs().size() != 1) refuse(where);
    ObjectReader settings(settings_, where);
    LayerDescription found =
        operands_.size() == 2 ? with_constant(where) : activation(settings, flow.rank, version);
    settings.finish();
    return found;
  }

 private:
  [[nodiscard]] static bool is_of_tensorflow(const Json& layer) {
    if (!layer.contains("class_name")) return false;
    const Json& name = layer["class_name"];
    return name == "TFOpLambda" || name == "SlicingOpLambda";
  }

  /// "leaky_relu" for "nn.leaky_relu".
  [[nodiscard]] static std::string function_of_tensorflow(const std::string& name) {
    for (const std::string_view module : {"nn.", "math.", "__operators__."}) {
      if (name.starts_with(module)) return name.substr(module.size());
    }
    return name;
  }

  void add_operands(const Json& json, const Where& where) {
    if (json.is_object() && json.contains("class_name") &&
        json["class_name"] == "__keras_tensor__") {
      operands_.push_back({KerasCall::tensor_of(json, where)});
    } else if (json.is_array() && !json.empty() && json[0].is_object()) {
      for (const Json& one : json) add_operands(one, where);
    } else {
      operands_.push_back({{}, &json});
    }
  }

  /// Whether a value is [layer, call, output].
  [[nodiscard]] static bool is_output(const Json& json) {
    return json.is_array() && json.size() >= 3 && json[0].is_string();
  }

  /// [layer, call, output, arguments], or a list of such entries. A first operand that is a
  /// constant stands in the place of the output.
  void read_call_of_tensorflow(const Json& node, const Where& where) {
    const Json& list = read_list(node, where);
    settings_ = Json::object();
    if (!is_output(list)) {
      for (const Json& one : list) read_entry(one, where);
    } else {
      read_entry(list, where);
    }
  }
  void read_entry(const Json& entry, const Where& where) {
    if (is_output(entry) && entry[0] == "_CONSTANT_VALUE") {
      operands_.push_back({{}, &entry[2]});
    } else {
      operands_.push_back({keras_output_of(entry, where)});
    }
    if (entry.size() < 4) return;
    ObjectReader arguments(entry[3], where);
    for (const auto& [key, value] : entry[3].items()) {
      if (key == "name") continue;
      if (is_output(value)) {
        operands_.push_back({keras_output_of(value, where)});
      } else if (key == "y") {
        operands_.push_back({{}, &value});
      } else if (key == "slice_spec") {
        slices_ = &value;
      } else {
        settings_[key] = value;
      }
    }
  }

  /// x[:, -1] and x[:, -1, :].
  [[nodiscard]] LayerDescription last_step(KerasFlow& flow, const Where& where) const {
    const auto is_all = [](const Json& slice) {
      const bool has_config = slice.is_object() && slice.contains("config");
      const Json& part = has_config ? slice["config"] : slice;
      bool all = part.is_object();
      for (const char* const key : {"start", "stop", "step"}) {
        all = all && part.contains(key) && part[key].is_null();
      }
      return all;
    };
    const bool is_list = slices_ && slices_->is_array();
    const std::size_t count = is_list ? slices_->size() : 0;
    const bool is_last = (count == 2 || count == 3) && is_all((*slices_)[0]) &&
                         (*slices_)[1] == Json(-1) && (count == 2 || is_all((*slices_)[2]));
    if (!is_last || flow.rank != 3) {
      where.refuse(
          "takes a part of its input; of such parts x[:, -1, :], the last step, is read. A "
          "recurrent layer returns that step where return_sequences is False");
    }
    if (flow.masked) {
      where.refuse(
          "x[:, -1, :] behind a mask takes the last step even where it is masked, and strata's "
          "LastStep the last one that counts; leave out return_sequences of the layer before it");
    }
    flow.rank = 2;
    return LayerDescription{"LastStep"};
  }

  /// A sum, difference, product or quotient of the input and a constant.
  [[nodiscard]] LayerDescription with_constant(const Where& where) const {
    const bool is_first = operands_[0].constant != nullptr;
    const std::string& function = function_;
    const bool is_quotient =
        function == "truediv" || function == "true_divide" || function == "divide";
    const bool is_known = function == "add" || function == "subtract" || function == "multiply" ||
                          (is_quotient && !is_first);
    if (!is_known || (is_first && operands_[1].constant)) refuse(where);
    const Json& constant = *operands_[is_first ? 0 : 1].constant;
    std::vector<double> scale = numbers_for_features(constant, where.in("the constant"));
    std::vector<double> offset(scale.size(), 0);
    if (function == "add" || function == "subtract") {
      std::swap(scale, offset);
      const bool is_negative = function == "subtract" && is_first;
      scale.assign(offset.size(), is_negative ? -1 : 1);
      for (double& one : offset) one = function == "subtract" && !is_first ? -one : one;
    }
    if (is_quotient) {
      for (double& one : scale) one = 1 / one;
    }
    return LayerDescription{"Rescaling"}
        .add("scale", std::move(scale))
        .add("offset", std::move(offset));
  }

  /// An activation, whose settings are those of the function.
  [[nodiscard]] LayerDescription activation(ObjectReader& settings, Index rank,
                                            KerasVersion version) const {
    constexpr std::array plain = {"relu", "relu6",    "tanh",     "sigmoid",
                                  "silu", "softplus", "softsign", "selu"};
    for (const char* const one : plain) {
      if (function_ == one) return named_activation(one);
    }
    if (function_ == "exp") return named_activation("exponential");
    if (function_ == "hard_sigmoid" && version.major > 2) return named_activation("hard_sigmoid");
    if (function_ == "gelu") {
      const bool is_fast = settings.get<bool>("approximate", version.major > 2);
      return named_activation(is_fast ? "gelu_tanh" : "gelu");
    }
    if (function_ == "leaky_relu") {
      const char* const key = version.major > 2 ? "negative_slope" : "alpha";
      return relu_layer(unbounded_relu, keras_number(settings, key, 0.2), 0);
    }
    if (function_ == "softmax") {
      require_last_axis(settings, rank);
      return named_activation("softmax");
    }
    const bool is_layer = name_ == "ReLU" || function_ == "elu";
    if (!is_layer) refuse(settings.where());
    return *read_activation_layer(name_ == "ReLU" ? "ReLU" : "ELU", settings, version);
  }

  [[noreturn]] void refuse(const Where& where) const {
    where.refuse("is the function " + in_quotes(name_) +
                 ", which no layer of strata computes; of functions, activations, x + y, x[:, -1, "
                 ":], and sums, differences and products with a constant are read. Write a layer "
                 "of Keras' in its place, such as Rescaling or GlobalAveragePooling1D");
  }

  /// As the file has it, and as Keras 3 calls it.
  std::string name_;
  std::string function_;
  std::vector<Operand> operands_;
  Json settings_ = Json::object();
  /// Of a part of a tensor; null otherwise.
  const Json* slices_ = nullptr;
};

}  // namespace strata::inline STRATA_RUNTIME::io
