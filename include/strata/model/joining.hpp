#pragma once

#include <cstddef>
#include <string>

#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// One layer of a chain: whether it takes data of a shape, and its sizes.

namespace strata::inline STRATA_TARGET::detail {

/// Throws ShapeError, its message beginning with `where`, unless a layer takes data of a shape's
/// rank. `before` names the layer whose outputs the data is; empty: it is the model's input.
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

/// Builds layer i for data of F = `features`. Throws what its build throws, naming the layer.
template <class Scalar>
void give_sizes(std::size_t i, LayerRef<Scalar>& layer, Index features) {
  const auto where = [&] { return message({"layer ", i, " (", layer.describe(), "): "}); };
  try {
    layer.build(features);
  } catch (const MemoryError& error) {
    fail<MemoryError>({where(), error.what()});
  } catch (const ShapeError& error) {
    fail<ShapeError>({where(), error.what()});
  }
}

/// Whether all weights of a layer are zero, as they are before they are drawn.
template <class Scalar>
[[nodiscard]] bool is_zero(const LayerRef<Scalar>& layer) {
  for (const auto& parameter : layer.parameters()) {
    for (const Scalar value : parameter.values) {
      if (value != Scalar(0)) return false;
    }
  }
  return true;
}

}  // namespace strata::inline STRATA_TARGET::detail
