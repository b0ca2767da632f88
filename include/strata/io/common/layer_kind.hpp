#pragma once

#include <array>
#include <cstddef>

#include <strata/contracts/description.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

template <class S>
class LayerMaker;

/// A struct of options for generated code: its name in C++, and a function that returns the default
/// of each option.
struct OptionStruct {
  const char* name = "";
  LayerDescription (*defaults)() = nullptr;
};

/// The struct of options of a layer: option_struct<DenseOptions>("DenseOptions").
template <class Options>
[[nodiscard]] consteval OptionStruct option_struct(const char* name) {
  return {name, [] { return LayerDescription().add_all(Options()); }};
}

/// Stands for F, the layer's input features, among the names in LayerSyntax::type_arguments.
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

/// The base of the entries of the registry. An entry is a struct for one kind of layer, with a
/// `name`, which is the kind in descriptions, a `syntax`, and two functions:
///
///     template <class S>
///     static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker);
///
/// makes the layer, not yet built, from the options in a file, and
///
///     static Index outputs(const auto& sizes);
///
/// returns the layer's output features; before, it throws FormatError on sizes for which the file
/// holds too few numbers, since the layer is not made yet and has allocated nothing. `sizes` is the
/// LayerSizes of the layer. The members of this base fit a layer that keeps the number of features,
/// has no weights and no layers inside.
struct LayerKind {
  /// How many layers a layer of this kind is made of.
  static constexpr std::size_t inner_layers = 0;
  /// Whether Bidirectional can hold it.
  static constexpr bool is_recurrent = false;

  static Index outputs(const auto& sizes) { return sizes.features(); }
};

/// The value of inner_layers of a kind that holds any number of layers.
inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

}  // namespace strata::inline STRATA_RUNTIME::io
