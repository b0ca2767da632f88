#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/io/common/layer_sizes.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/deep_transition_rnn.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/layer_norm_lstm.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// A layer as C++ code, with the sizes in its type where it has such a type.
struct LayerCode {
  std::string type;
  std::string value;
};

/// Writes layers as C++ code, from their descriptions.
class LayerCoder {
 public:
  /// `scalar` is "float" or "double".
  explicit LayerCoder(std::string scalar) : scalar_(std::move(scalar)) {}

  /// Headers of the layers so far: "strata/layers/lstm.hpp".
  [[nodiscard]] const std::set<std::string>& headers() const noexcept { return headers_; }

  /// A layer of F inputs. Throws ValueError on layers that do not describe themselves.
  [[nodiscard]] LayerCode code(const LayerDescription& layer, Index features) {
    if (!layer.complete) {
      throw ValueError("the layer " + layer.kind +
                       " does not say what it is made of, so it cannot be written as code");
    }
    if (layer.kind == "Recurrent") {
      throw ValueError("save_header: Recurrent: the code of a cell of your own is not known here");
    }
    headers_.insert(header_of(layer.kind));
    if (!layer.layers.empty()) return nested(layer, features);
    const std::string options = options_of(layer);
    const std::string name = "strata::" + layer.kind + "<" + scalar_;
    const std::string inputs = std::to_string(features);
    if (layer.find("return_sequences")) return recurrent(layer, inputs, options);
    if (layer.kind == "Dense" || layer.kind == "AttentionPooling") {
      return with(name + ", " + inputs + ", " + number(layer, "units") + ">", options);
    }
    if (layer.kind == "Embedding") {
      return with(name + ", " + number(layer, "vocabulary") + ", " + number(layer, "units") + ">",
                  options);
    }
    if (layer.kind == "LayerNormalization" || layer.kind == "BatchNormalization") {
      return with(name + ", " + inputs + ">", options);
    }
    if (layer.kind == "Activation") {
      return with("strata::Activate<" + scalar_ + ">",
                  "strata::Activation::" + std::get<std::string>(*layer.find("activation")));
    }
    // The rest: sizes and settings are arguments of the constructor.
    std::string arguments;
    for (const auto& [key, value] : layer.options) {
      if (layer.kind == "Dropout" && key != "rate") continue;
      arguments += (arguments.empty() ? "" : ", ") + text_of(key, value);
    }
    if (!options.empty()) arguments += ", " + options;
    return with(name + ">", arguments);
  }

 private:
  [[nodiscard]] static LayerCode with(const std::string& type, const std::string& arguments) {
    return {type, type + "(" + arguments + ")"};
  }

  [[nodiscard]] LayerCode recurrent(const LayerDescription& layer, const std::string& inputs,
                                    const std::string& options) const {
    const std::string sequences =
        std::get<bool>(*layer.find("return_sequences")) ? "true" : "false";
    const std::string units = number(layer, "units");
    const std::string name = "strata::" + layer.kind + "<" + scalar_ + ", ";
    if (layer.kind == "LSTM" || layer.kind == "GRU" || layer.kind == "SimpleRNN") {
      return with(name + inputs + ", " + units + ", " + sequences + ">", options);
    }
    return with(name + sequences + ">", units + (options.empty() ? "" : ", ") + options);
  }

  [[nodiscard]] LayerCode nested(const LayerDescription& layer, Index features) {
    const SizeLimit any(std::numeric_limits<std::size_t>::max());
    std::string types;
    std::string values;
    Index before = 0;
    for (const auto& inner : layer.layers) {
      const LayerCode one = code(inner, features + before);
      if (layer.kind == "SkipConnections") before = any.check(inner, features + before, where());
      types += (types.empty() ? "" : ", ") + one.type;
      values += (values.empty() ? "" : ", ") + one.value;
    }
    if (const auto* merge = layer.find("merge")) {
      values += ", strata::Merge::" + std::get<std::string>(*merge);
    }
    return with("strata::" + layer.kind + "<" + types + ">", values);
  }

  [[nodiscard]] static const Where& where() {
    static const Where place("save_header");
    return place;
  }

  [[nodiscard]] static std::string number(const LayerDescription& layer, const char* name) {
    return std::to_string(std::get<Index>(*layer.find(name)));
  }

  [[nodiscard]] static std::string header_of(const std::string& kind) {
    static const std::map<std::string, std::string> elsewhere{{"Activation", "activate"},
                                                              {"CoupledLSTM", "extended_lstm"},
                                                              {"Flatten", "reshape"},
                                                              {"LastStep", "reshape"}};
    const auto found = elsewhere.find(kind);
    return "strata/layers/" +
           (found == elsewhere.end() ? detail::snake_case(kind) : found->second) + ".hpp";
  }

  /// The settings that are not the defaults of their struct, as one: none of initializers, which
  /// the weights make superfluous.
  [[nodiscard]] static std::string options_of(const LayerDescription& layer) {
    const auto& kinds = option_structs();
    const auto found = kinds.find(layer.kind);
    if (found == kinds.end()) return "";
    const auto& [name, defaults] = found->second;
    std::string text;
    for (const auto& [key, value] : layer.options) {
      if (std::holds_alternative<Initializer>(value)) continue;
      if (key == "units" || key == "vocabulary" || key == "return_sequences" || key == "rate") {
        continue;
      }
      const auto* usual = defaults.find(key);
      if (usual && text_of(key, *usual) == text_of(key, value)) continue;
      text += (text.empty() ? "." : ", .") + key + " = " + text_of(key, value);
    }
    return text.empty() ? "" : "strata::" + name + "{" + text + "}";
  }

  using OptionStruct = std::pair<std::string, LayerDescription>;

  template <class Options>
  [[nodiscard]] static OptionStruct defaults_of(const char* name) {
    LayerDescription defaults;
    defaults.add_all(Options{});
    return {name, defaults};
  }

  [[nodiscard]] static const std::map<std::string, OptionStruct>& option_structs() {
    static const std::map<std::string, OptionStruct> list{
        {"LSTM", defaults_of<LSTMOptions>("LSTMOptions")},
        {"GRU", defaults_of<GRUOptions>("GRUOptions")},
        {"ResetBeforeGRU", defaults_of<GRUOptions>("GRUOptions")},
        {"SimpleRNN", defaults_of<SimpleRNNOptions>("SimpleRNNOptions")},
        {"ExtendedLSTM", defaults_of<ExtendedLSTMOptions>("ExtendedLSTMOptions")},
        {"CoupledLSTM", defaults_of<ExtendedLSTMOptions>("ExtendedLSTMOptions")},
        {"LayerNormLSTM", defaults_of<LayerNormLSTMOptions>("LayerNormLSTMOptions")},
        {"DeepTransitionRNN", defaults_of<DeepTransitionOptions>("DeepTransitionOptions")},
        {"Dense", defaults_of<DenseOptions>("DenseOptions")},
        {"Dropout", defaults_of<DropoutOptions>("DropoutOptions")},
        {"Embedding", defaults_of<EmbeddingOptions>("EmbeddingOptions")},
        {"LayerNormalization", defaults_of<LayerNormalizationOptions>("LayerNormalizationOptions")},
        {"BatchNormalization",
         defaults_of<BatchNormalizationOptions>("BatchNormalizationOptions")}};
    return list;
  }

  /// A setting as C++ has it.
  [[nodiscard]] static std::string text_of(const std::string& key,
                                           const LayerDescription::Value& value) {
    return std::visit(
        [&](const auto& one) -> std::string {
          using T = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<T, bool>) {
            return one ? "true" : "false";
          } else if constexpr (std::is_same_v<T, double>) {
            return detail::number_text(one, 17);
          } else if constexpr (std::is_same_v<T, std::string>) {
            return "strata::Activation::" + one;
          } else if constexpr (std::is_same_v<T, std::vector<Index>>) {
            std::string text;
            for (const Index number : one) {
              text += (text.empty() ? "" : ", ") + std::to_string(number);
            }
            return "{" + text + "}";
          } else if constexpr (std::is_same_v<T, Initializer>) {
            return key;
          } else {
            return std::to_string(one);
          }
        },
        value);
  }

  std::string scalar_;
  std::set<std::string> headers_;
};

}  // namespace strata::inline STRATA_TARGET::io
