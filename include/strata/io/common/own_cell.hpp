#pragma once

#include <string>
#include <utility>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/recurrent.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Lets load make layers of a cell of your own; see own_cell, which makes this struct.
template <class Scalar>
struct OwnCell {
  /// The name of the cell in files: `kind` of its gates.
  std::string name;
  /// Makes the recurrent layer from the options in a file; within Bidirectional, if `merge` is not
  /// null.
  AnyLayer<Scalar> (*make)(io::OptionReader& reader, const Merge* merge);
};

namespace io {

/// A recurrent layer, or Bidirectional around it if `merge` is not null.
template <class Layer>
[[nodiscard]] AnyLayer<typename Layer::scalar_type> one_or_both_ways(Layer layer,
                                                                     const Merge* merge) {
  using Any = AnyLayer<typename Layer::scalar_type>;
  return merge ? Any(Bidirectional(std::move(layer), *merge)) : Any(std::move(layer));
}

}  // namespace io

/// Lets load make the layers `Recurrent{GatedCell<Gates>{...}}` of a file:
///
///   load("model.safetensors", {own_cell<Gates>()})
///
/// Gates must be default-constructible and have no settings of their own, since a file does not
/// hold them.
template <class Gates, class Scalar = float>
[[nodiscard]] OwnCell<Scalar> own_cell() {
  return {
      Gates::kind, [](io::OptionReader& reader, const Merge* merge) {
        const Index units = reader.size("units");
        const bool sequences = reader.get<bool>("return_sequences");
        const auto options = reader.all<GatedCellOptions>();
        const auto recurrent = reader.all<RecurrentOptions>();
        (void)reader.get<std::string>("cell");
        reader.finish();
        if (options.unit_bias_gate < -1 || options.unit_bias_gate >= Gates::layout.gates) {
          reader.where().in("unit_bias_gate").refuse("is no gate of " + std::string(Gates::kind));
        }
        using Cell = GatedCell<Gates, Scalar>;
        Cell cell(units, Gates(), options);
        if (!sequences) {
          return io::one_or_both_ways(Recurrent<Cell>(std::move(cell), recurrent), merge);
        }
        return io::one_or_both_ways(
            Recurrent<Cell, true>(std::move(cell), return_sequences, recurrent), merge);
      }};
}

}  // namespace strata::inline STRATA_RUNTIME
