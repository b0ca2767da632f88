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

/// A cell of your own, as load must know it to make layers of it; see own_cell.
template <class Scalar>
struct OwnCell {
  std::string name;
  /// The layer, within Bidirectional where there is a merge.
  AnyLayer<Scalar> (*make)(io::OptionReader& reader, const Merge* merge);
};

namespace io {

template <class Layer>
[[nodiscard]] AnyLayer<typename Layer::scalar_type> one_or_both_ways(Layer layer,
                                                                     const Merge* merge) {
  using Any = AnyLayer<typename Layer::scalar_type>;
  return merge ? Any(Bidirectional(std::move(layer), *merge)) : Any(std::move(layer));
}

}  // namespace io

/// `Recurrent{GatedCell<Gates>{...}}` for load: load("model.safetensors", {own_cell<Gates>()}).
/// Gates must be without settings of their own.
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
