#pragma once

#include <array>
#include <cstddef>

#include <strata/contracts/description.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

template <class S>
class LayerMaker;

/// A struct of options, as generated code needs it: its name, and a description that holds the
/// default of each option.
struct OptionStruct {
  const char* name = "";
  LayerDescription (*defaults)() = nullptr;
};

/// The struct of options of a layer: option_struct<DenseOptions>("DenseOptions").
template <class Options>
[[nodiscard]] consteval OptionStruct option_struct(const char* name) {
  return {name, [] { return LayerDescription().add_all(Options()); }};
}

/// The F of a layer, among the names in LayerSyntax::type_arguments.
inline constexpr const char* input_features = "F";

/// How C++ writes a layer: strata::Dense<float, F, units>(strata::DenseOptions{...}).
struct LayerSyntax {
  /// Its header, "dense.hpp" for strata/layers/dense.hpp.
  const char* header = "";
  /// Its class template.
  const char* type = "";
  /// The template's arguments behind the scalar: input_features, or the names of options.
  std::array<const char*, 3> type_arguments = {};
  /// The constructor's arguments before the options: the names of options.
  std::array<const char*, 2> arguments = {};
  /// The constructor's last argument; without a name where it has none.
  OptionStruct options = {};
};

/// An entry of the registry has a `name`, the kind in descriptions, a `syntax`, and two functions:
///
///   template <class S>
///   static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker);
///
/// makes the layer, without sizes and weights, of the options that a file has, and
///
///   static Index outputs(const auto& sizes);
///
/// refuses, before a layer is made, sizes for which the file holds too few numbers, and returns the
/// output features; `sizes` are the LayerSizes of one layer. This base has what holds for layers
/// that keep the number of features and have no weights.
struct LayerKind {
  /// How many layers a layer of this kind is made of.
  static constexpr std::size_t inner_layers = 0;
  /// Whether Bidirectional can hold it.
  static constexpr bool is_recurrent = false;

  static Index outputs(const auto& sizes) { return sizes.features(); }
};

/// The inner_layers of a kind that is made of any number of layers from 1.
inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

}  // namespace strata::inline STRATA_TARGET::io
