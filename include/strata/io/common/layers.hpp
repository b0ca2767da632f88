#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/own_cell.hpp>
#include <strata/io/common/registry.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The place of a layer for messages: "<file>: layer 2 (LSTM)".
[[nodiscard]] inline Where where_layer(const Where& where, std::size_t i, const std::string& kind) {
  return where.in("layer " + std::to_string(i) + " (" + kind + ")");
}

/// Makes layers from their descriptions, by the entries of the registry.
template <class S>
class LayerMaker {
 public:
  /// `cells`: of the user's own, which descriptions may name besides strata's layers.
  explicit LayerMaker(std::vector<OwnCell<S>> cells = {}) : cells_(std::move(cells)) {}

  /// The layer of a description, not yet built. Throws FormatError on an unknown kind, an unknown
  /// option and a value out of range.
  [[nodiscard]] AnyLayer<S> make(const LayerDescription& description, const Where& where) const;

  // The entries of the registry call the functions that follow.

  [[nodiscard]] const std::vector<OwnCell<S>>& cells() const noexcept { return cells_; }

  /// Layer `i` inside the layer whose options `reader` reads.
  [[nodiscard]] AnyLayer<S> inner(const OptionReader& reader, std::size_t i) const {
    const LayerDescription& description = reader.description().layers[i];
    return make(description, where_layer(reader.where(), i, description.kind));
  }

  /// A Bidirectional layer, whose options `reader` reads, with its inner layer. Throws FormatError
  /// when the inner layer is not recurrent.
  [[nodiscard]] AnyLayer<S> both_ways(const OptionReader& reader, Merge merge) const {
    const LayerDescription& description = reader.description().layers[0];
    OptionReader layer(description, where_layer(reader.where(), 0, description.kind));
    std::optional<AnyLayer<S>> made;
    with_kind(description.kind, [&](auto kind) {
      if constexpr (kind.is_recurrent) {
        require_inner(layer, kind.inner_layers);
        made.emplace(kind.make(layer, *this, &merge));
        layer.finish();
      }
    });
    if (!made) layer.where().refuse("Bidirectional takes a recurrent layer");
    return std::move(*made);
  }

 private:
  static void require_inner(const OptionReader& reader, std::size_t count) {
    const std::size_t found = reader.description().layers.size();
    if (count != any_number && found != count) {
      reader.where().expected(std::to_string(count) + " inner layers", std::to_string(found));
    }
  }

  std::vector<OwnCell<S>> cells_;
};

// Defined outside of the class, where it is not inline: a program with `extern template class
// LayerMaker<float>` in all files but one compiles the layers once.
template <class S>
AnyLayer<S> LayerMaker<S>::make(const LayerDescription& description, const Where& where) const {
  OptionReader reader(description, where);
  std::optional<AnyLayer<S>> layer;
  try {
    with_kind(description.kind, [&](auto kind) {
      require_inner(reader, kind.inner_layers);
      layer.emplace(kind.make(reader, *this));
      reader.finish();
    });
  } catch (const ValueError& error) {
    where.refuse(error.what());
  }
  if (layer) return std::move(*layer);
  where.refuse("strata " + std::string(version_string) + " has no layer of this kind");
}

}  // namespace strata::inline STRATA_RUNTIME::io
