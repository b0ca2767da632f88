#pragma once

#include <string>
#include <utility>

#include <strata/io/common/option_reader.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/recurrent.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A cell of a user's own, for load; own_cell makes it.
template <class Scalar>
struct OwnCell {
  /// The kind of its gates, by which files name it.
  std::string name;
  /// Makes the recurrent layer of the options in a file, in both directions where `merge` is not
  /// null.
  AnyLayer<Scalar> (*make)(io::OptionReader& reader, const Merge* merge);
};

namespace io {

/// A recurrent layer alone, or within Bidirectional where `merge` is not null.
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
/// Gates must be default-constructible and have no settings, since a file does not keep any.
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

}  // namespace strata::inline STRATA_TARGET
