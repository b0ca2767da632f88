#pragma once

#include <cstddef>
#include <string>

#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/layer_ref.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Joining one layer to a chain: does it take the data that it is given, and what are its sizes.

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ShapeError, its message beginning with `where`, unless the layer takes data of the rank
/// of `shape`. `before` names the layer that computes the data; it is empty for the model's input.
template <class Scalar>
void check_rank(const LayerRef<Scalar>& layer, const Shape& shape, const std::string& where,
                const std::string& before) {
  switch (layer.accepts()) {
    case Accepts::any:
      return;
    case Accepts::sequences:
      if (shape.rank() == 3) return;
      if (before.empty()) {
        fail<ShapeError>({where, "expects sequences (B, T, F), found ", shape});
      }
      fail<ShapeError>({where, "expects sequences (B, T, F), but ", before,
                        " returns one output per sequence; construct it with "
                        "return_sequences"});
    case Accepts::samples:
      if (shape.rank() == 2) return;
      if (before.empty()) {
        fail<ShapeError>({where, "expects samples (B, F), found ", shape});
      }
      fail<ShapeError>({where, "expects samples (B, F), but ", before,
                        " returns sequences; construct it without return_sequences"});
    case Accepts::ids:
      if (shape.rank() == 2 && before.empty()) return;
      fail<ShapeError>({where, "expects class numbers (B, T) as the model's input, found ", shape});
  }
}

/// Builds layer i for F = `features`. Throws what the layer's build throws, with the layer's number
/// and description in front of the message.
template <class Scalar>
void give_sizes(std::size_t i, LayerRef<Scalar>& layer, Index features) {
  const auto where = [&] { return message({"layer ", i, " (", layer.describe(), "): "}); };
  const auto build = [&] { layer.build(features); };
  on_error<MemoryError>(
      [&] {
        on_error<ShapeError>(build, [&](const ShapeError& error) {
          fail<ShapeError>({where(), error.what()});
        });
      },
      [&](const MemoryError& error) {
        fail<MemoryError>({where(), error.what()});
      });
}

/// Whether all weights of a layer are zero, which says that they have not been drawn yet.
template <class Scalar>
[[nodiscard]] bool is_zero(const LayerRef<Scalar>& layer) {
  for (const auto& parameter : layer.parameters()) {
    for (const Scalar value : parameter.values) {
      if (value != Scalar(0)) return false;
    }
  }
  return true;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
