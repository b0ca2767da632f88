#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/layer_sizes.hpp>
#include <strata/io/common/registry.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A layer as C++ code: its type, and an expression that makes it. The sizes are arguments of the
/// type where the layer's template takes them.
struct LayerCode {
  std::string type;
  std::string value;
};

/// Writes layers as C++ code, from their descriptions, by the syntax in the registry.
class LayerCoder {
 public:
  /// `scalar` is "float" or "double".
  explicit LayerCoder(std::string scalar) : scalar_(std::move(scalar)) {}

  /// The headers that the code of all layers so far needs, such as "strata/layers/lstm.hpp".
  [[nodiscard]] const std::set<std::string>& headers() const noexcept { return headers_; }

  /// The code of a layer of F = `features` inputs. Throws ValueError on a layer that does not
  /// describe itself, on a Recurrent layer of a user's cell, and on a kind that strata does not
  /// have.
  [[nodiscard]] LayerCode code(const LayerDescription& layer, Index features) {
    if (!layer.complete) {
      throw ValueError("the layer " + layer.kind +
                       " does not say what it is made of, so it cannot be written as code");
    }
    if (layer.kind == OwnCellKind::name) {
      throw ValueError("save_header: Recurrent: the code of a cell of your own is not known here");
    }
    LayerSyntax syntax;
    if (!with_kind(layer.kind, [&](auto kind) { syntax = kind.syntax; })) {
      throw ValueError("save_header: " + layer.kind +
                       ": the code of a layer of your own is not known here");
    }
    headers_.insert(std::string("strata/layers/") + syntax.header);
    // A layer around other layers takes their types as its first arguments, others the scalar.
    std::string types = layer.layers.empty() ? scalar_ : "";
    std::string values;
    add_inner(layer, features, types, values);
    for (const char* const argument : syntax.type_arguments) {
      if (!argument) break;
      add(types, argument == std::string_view(input_features) ? std::to_string(features)
                                                              : text_of(layer, argument));
    }
    for (const char* const argument : syntax.arguments) {
      if (argument) add(values, text_of(layer, argument));
    }
    const std::string options = options_of(layer, syntax);
    if (!options.empty()) add(values, options);
    const std::string type = std::string("strata::") + syntax.type + "<" + types + ">";
    return {type, type + "(" + values + ")"};
  }

 private:
  /// Appends to a list with commas.
  static void add(std::string& list, const std::string& one) {
    list += (list.empty() ? "" : ", ") + one;
  }

  /// Appends the types and values of the layers inside a layer of F = `features` inputs.
  void add_inner(const LayerDescription& layer, Index features, std::string& types,
                 std::string& values) {
    const SizeLimit any((std::numeric_limits<std::size_t>::max)());
    Index before = 0;
    for (std::size_t i = 0; i < layer.layers.size(); ++i) {
      const Index own = inputs_of(layer, i, features, before);
      const LayerCode one = code(layer.layers[i], own);
      if (layer.layers.size() > 1) {
        before = any.check(layer.layers[i], own, Where("save_header"));
        if (i == 0 && layer.kind == WindowStackKind::name) {
          before -= WindowStackKind::window_of(layer);
        }
      }
      add(types, one.type);
      add(values, one.value);
    }
  }

  /// The inputs of layer `i` of the layers inside one of F = `features` inputs.
  [[nodiscard]] static Index inputs_of(const LayerDescription& layer, std::size_t i, Index features,
                                       Index before) {
    if (layer.kind == WindowStackKind::name) {
      return WindowStackKind::inputs_of(i, features, before, WindowStackKind::window_of(layer));
    }
    if (layer.kind == SkipConnectionsKind::name) {
      return SkipConnectionsKind::inputs_of(i, features, before, 0);
    }
    // AllOutputs and Chain; of a single layer `before` is not asked.
    return AllOutputsKind::inputs_of(i, features, before, 0);
  }

  /// The layer's struct of options as code, with the options that differ from their defaults; empty
  /// where none differs. Initializers are left out, since the header brings the weights.
  [[nodiscard]] static std::string options_of(const LayerDescription& layer,
                                              const LayerSyntax& syntax) {
    if (!syntax.options.defaults) return "";
    const LayerDescription defaults = syntax.options.defaults();
    std::string text;
    for (const auto& [key, value] : layer.options) {
      if (value.get_if<Initializer>() || is_argument(syntax, key)) continue;
      const auto* usual = defaults.find(key);
      if (usual && text_of(key, *usual) == text_of(key, value)) continue;
      add(text, "." + key + " = " + text_of(key, value));
    }
    return text.empty() ? "" : std::string("strata::") + syntax.options.name + "{" + text + "}";
  }

  [[nodiscard]] static bool is_argument(const LayerSyntax& syntax, std::string_view key) {
    const auto names_key = [key](const char* argument) { return argument && key == argument; };
    return std::any_of(syntax.type_arguments.begin(), syntax.type_arguments.end(), names_key) ||
           std::any_of(syntax.arguments.begin(), syntax.arguments.end(), names_key);
  }

  [[nodiscard]] static std::string text_of(const LayerDescription& layer, const char* key) {
    return text_of(key, *layer.find(key));
  }

  /// The enumeration of an option whose value is a name.
  [[nodiscard]] static std::string_view enumeration_of(std::string_view key) {
    return key == "merge" ? "Merge" : key == "padding" ? "Padding" : "Activation";
  }

  /// The value of an option as C++ code.
  [[nodiscard]] static std::string text_of(std::string_view key, const OptionValue& value) {
    return value.visit([&](const auto& one) -> std::string {
      using T = std::decay_t<decltype(one)>;
      if constexpr (std::is_same_v<T, bool>) {
        return one ? "true" : "false";
      } else if constexpr (std::is_same_v<T, double>) {
        return detail::number_text(one, 17);
      } else if constexpr (std::is_same_v<T, std::string>) {
        return "strata::" + std::string(enumeration_of(key)) + "::" + one;
      } else if constexpr (std::is_same_v<T, std::vector<Index>>) {
        std::string text;
        for (const Index number : one) add(text, std::to_string(number));
        return "{" + text + "}";
      } else if constexpr (std::is_same_v<T, std::vector<double>>) {
        std::string text;
        for (const double number : one) add(text, detail::number_text(number, 17));
        return "{" + text + "}";
      } else if constexpr (std::is_same_v<T, Initializer>) {
        return std::string(key);
      } else {
        return std::to_string(one);
      }
    });
  }

  std::string scalar_;
  std::set<std::string> headers_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
