#pragma once

#include <algorithm>
#include <cstddef>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::sizes {

STRATA_INLINE void check(const messages::Piece& owner, const char* name, Index size) {
  if (size < 1) {
    messages::fail<ValueError>({owner, ": ", name, " must be at least 1, found ", size});
  }
  if (size > largest) {
    messages::fail<ValueError>({owner, ": ", name, " must be at most ", largest, ", found ", size});
  }
}

STRATA_INLINE Index count(const Shape& shape) {
  Index product = 1;
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    const Index size = std::max<Index>(shape[axis], 1);
    if (product > most_elements / size) {
      messages::fail<ShapeError>(
          {"the shape ", shape, " has more elements than memory has addresses"});
    }
    product *= size;
  }
  return shape.size();
}

STRATA_INLINE const Shape& of_tensor(const Shape& shape) {
  if (shape.rank() < 2) {
    messages::fail<ShapeError>(
        {"a tensor has rank 2, (B, F), or 3, (B, T, F); found the shape ", shape});
  }
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] < 0) {
      messages::fail<ShapeError>({"a size is negative in the shape ", shape});
    }
  }
  (void)count(shape);
  return shape;
}

STRATA_INLINE void check_count(const Shape& shape, Index count) {
  if (count == shape.size()) return;
  messages::fail<ShapeError>(
      {"the shape ", shape, " holds ", shape.size(), " values, found ", count});
}

STRATA_INLINE void fail_memory(Index count, std::size_t bytes) {
  const double gigabytes = static_cast<double>(count) * static_cast<double>(bytes) / 1e9;
  messages::fail<MemoryError>({"there is no memory for ", count, " elements of ", bytes,
                               " bytes each, ", gigabytes, " GB; choose smaller sizes"});
}

}  // namespace strata::sizes
