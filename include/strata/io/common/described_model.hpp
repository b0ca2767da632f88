#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/common/assemble.hpp>
#include <strata/io/common/layer_sizes.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// The model that an architecture describes, with all sizes and with weights of zero. `numbers` is
/// how many numbers all arrays of the file hold. Throws FormatError when the layers do not join,
/// and, before memory is allocated, when a layer has a matrix of more numbers than the file.
template <class Scalar>
[[nodiscard]] Loaded<Scalar> described_model(const Architecture& architecture, std::size_t numbers,
                                             const LayerMaker<Scalar>& maker, const Where& where) {
  const SizeLimit limit(numbers);
  std::vector<AnyLayer<Scalar>> layers;
  Shape shape = architecture.input->shape();
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const LayerDescription& description = architecture.layers[i];
    const Where here = where_layer(where, i, description.kind);
    // First, because an Embedding allocates its table when it is made.
    (void)limit.check(description, shape.back(), here);
    layers.push_back(maker.make(description, here));
    try {
      shape = layers.back().output_shape(shape);
    } catch (const ShapeError& error) {
      here.refuse(error.what());
    }
  }
  return assemble<Scalar>(std::move(layers), *architecture.input, where);
}

}  // namespace strata::inline STRATA_TARGET::io
