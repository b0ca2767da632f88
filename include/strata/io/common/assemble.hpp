#pragma once

#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/common/loaded.hpp>
#include <strata/io/common/where.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A built model of these layers for this input. Layers that are built already keep their weights;
/// the weights of the others are zero. Throws FormatError when there are no layers, and when a
/// layer cannot take the output of the layer before it.
template <class Scalar>
[[nodiscard]] Loaded<Scalar> assemble(std::vector<AnyLayer<Scalar>> layers, const Input& input,
                                      const Where& where) {
  if (layers.empty()) where.refuse("the model has no layers");
  Loaded<Scalar> model(Sequential<Scalar>(std::move(layers)));
  try {
    model.network().build_empty(input);
  } catch (const Error& error) {
    where.refuse(error.what());
  }
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME::io
