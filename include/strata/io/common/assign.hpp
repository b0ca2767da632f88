#pragma once

#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/scaled_columns.hpp>
#include <strata/io/common/where.hpp>
#include <strata/model/non_finite.hpp>
#include <strata/target.hpp>

// The one place where a file's numbers become a model's weights.

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline std::vector<Index> sizes_of(const Shape& shape) {
  std::vector<Index> sizes;
  for (Index axis = 0; axis < shape.rank(); ++axis) sizes.push_back(shape[axis]);
  return sizes;
}

/// Throws FormatError on more than 3 sizes, which a Shape cannot hold.
[[nodiscard]] inline Shape shape_of(const std::vector<Index>& sizes, const Where& where) {
  switch (sizes.size()) {
    case 0:
      return {};
    case 1:
      return {sizes[0]};
    case 2:
      return {sizes[0], sizes[1]};
    case 3:
      return {sizes[0], sizes[1], sizes[2]};
    default:
      where.expected("at most 3 sizes", sizes_text(sizes));
  }
}

/// A number of a file in the model's scalar. Throws FormatError when the number is finite but too
/// large for the scalar.
template <class Scalar>
[[nodiscard]] Scalar converted(double value, const Where& where) {
  const auto number = static_cast<Scalar>(value);
  if (detail::is_infinite(number) && !detail::is_infinite(value)) {
    where.expected("numbers that " + std::string(name(element_of<Scalar>())) + " can hold",
                   detail::number_text(value));
  }
  return number;
}

/// Throws FormatError when a parameter holds an infinite number or NaN, unless the file was opened
/// with allow_non_finite.
template <class Scalar>
void require_finite(const Parameter<Scalar>& parameter, const Where& where) {
  if (where.allows_non_finite()) return;
  const std::string found = detail::first_non_finite(parameter);
  if (found.empty()) return;
  where.expected("finite numbers",
                 found + "; where it is meant, read {file, strata::allow_non_finite}");
}

/// Gives a parameter numbers of the same sizes, converted to its scalar. Throws FormatError when
/// the sizes differ, or when a number is too large for the scalar or not finite; the parameter may
/// be half written then.
template <class Scalar>
void assign(const Parameter<Scalar>& parameter, const Numbers& numbers, const Where& where) {
  check_shape(numbers, sizes_of(parameter.shape), where);
  for (std::size_t i = 0; i < parameter.values.size(); ++i) {
    parameter.values[i] = converted<Scalar>(numbers.values[i], where);
  }
  require_finite(parameter, where);
}

/// Gives a parameter an array of the file, and throws as the function above. Numbers of the
/// parameter's own type keep every bit, that of a NaN too.
template <class Scalar>
void assign(const Parameter<Scalar>& parameter, const ArrayView& array, const Where& where) {
  if (array.element != element_of<Scalar>()) {
    return assign(parameter, numbers_of(array, where), where);
  }
  if (array.shape != sizes_of(parameter.shape)) {
    where.expected(sizes_text(sizes_of(parameter.shape)), sizes_text(array.shape));
  }
  for (std::size_t i = 0; i < parameter.values.size(); ++i) {
    parameter.values[i] = read_scalar<Scalar>(array.bytes.data() + i * sizeof(Scalar));
  }
  require_finite(parameter, where);
}

/// Gives every parameter the array whose name is `prefix` and then the parameter's name; 16-bit
/// integers are multiplied by their scales. Throws FormatError when an array is missing or of other
/// sizes. Arrays that are left over pass: NamedArrays::require_all_used refuses them.
template <class Scalar>
void assign_all(const std::vector<Parameter<Scalar>>& parameters, NamedArrays& arrays,
                const std::string& prefix = "") {
  for (const auto& parameter : parameters) {
    const std::string name = prefix + parameter.name;
    const Where where = arrays.where(name);
    const ArrayView& array = arrays.take(name);
    const std::string scales = name + scale_suffix;
    if (array.element == Element::int16 && arrays.contains(scales)) {
      assign(parameter, numbers_of(array, arrays.take(scales), where, arrays.where(scales)), where);
    } else {
      assign(parameter, array, where);
    }
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
