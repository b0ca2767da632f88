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

namespace strata::inline STRATA_RUNTIME::io {

/// The model that an architecture describes, built, with weights of zero. `numbers` is the count of
/// numbers in all arrays of the file together. Throws FormatError when a layer cannot take the
/// output of the layer before it, and when a layer would have a matrix of more numbers than the
/// file: a damaged size is refused before memory is allocated for it.
template <class Scalar>
[[nodiscard]] Loaded<Scalar> described_model(const Architecture& architecture, std::size_t numbers,
                                             const LayerMaker<Scalar>& maker, const Where& where) {
  const SizeLimit limit(numbers);
  std::vector<AnyLayer<Scalar>> layers;
  Shape shape = architecture.input->shape();
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const LayerDescription& description = architecture.layers[i];
    const Where here = where_layer(where, i, description.kind);
    // Checked before the layer is made, since making an Embedding allocates its table.
    (void)limit.check(description, shape.back(), here);
    layers.push_back(maker.make(description, here));
    try {
      shape = layers.back().output_shape(shape);
    } catch (const ShapeError& error) {
      here.refuse(error.what());
    }
  }
  Loaded<Scalar> model = assemble<Scalar>(std::move(layers), *architecture.input, where);
  try {
    model.network().set_parameter_rules(architecture.rules);
  } catch (const ValueError& error) {
    where.refuse(error.what());
  }
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME::io
