#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/operands.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that make constants, among them tensors with one number in all places, as initial
/// states are. Throws FormatError on constants that no layer of strata takes.
class OnnxConstants {
 public:
  /// The value of a constant tensor: floating-point numbers of any rank, or whole numbers of rank 0
  /// or 1.
  [[nodiscard]] static OnnxValue value_of(const OnnxTensor& tensor, const Where& where) {
    if (tensor.shape.size() > onnx_most_axes) where.refuse("has too many axes");
    if (is_floating(tensor.element)) {
      return numbers_of(ArrayView{tensor.element, tensor.shape, tensor.bytes}, where);
    }
    if (tensor.shape.size() > 1) {
      where.expected(
          "floating-point numbers, or whole numbers of rank 0 or 1",
          std::string(name(tensor.element)) + " of the sizes " + sizes_text(tensor.shape));
    }
    OnnxIntegers integers{{}, tensor.shape.empty()};
    const std::size_t size = size_of(tensor.element);
    for (std::size_t at = 0; at < tensor.bytes.size(); at += size) {
      const std::byte* bytes = tensor.bytes.data() + at;
      const auto value =
          size == 8   ? static_cast<std::int64_t>(read_word<std::uint64_t>(bytes))
          : size == 4 ? std::int64_t{static_cast<std::int32_t>(read_word<std::uint32_t>(bytes))}
                      : std::to_integer<std::int64_t>(*bytes);
      integers.values.push_back({detail::saturated<Index>(value)});
    }
    return integers;
  }

  [[nodiscard]] static OnnxValue constant(OnnxCall& call) {
    if (call.has_attribute("value")) {
      return value_of(call.attribute<OnnxTensor>("value", {}), call.attribute_where("value"));
    }
    if (call.has_attribute("value_int")) {
      return OnnxIntegers{{{call.attribute<Index>("value_int", 0)}}, true};
    }
    if (call.has_attribute("value_ints")) {
      OnnxIntegers integers;
      for (const Index one : call.attribute<std::vector<Index>>("value_ints", {})) {
        integers.values.push_back({one});
      }
      return integers;
    }
    if (call.has_attribute("value_float")) return Numbers{{}, {call.number("value_float", 0)}};
    if (call.has_attribute("value_floats")) {
      const auto list = call.attribute<std::vector<float>>("value_floats", {});
      return Numbers{{static_cast<Index>(list.size())}, {list.begin(), list.end()}};
    }
    call.where().refuse("has no numbers that strata reads");
  }

  [[nodiscard]] static OnnxValue constant_of_shape(OnnxCall& call) {
    const OnnxTensor zero{"", Element::float32, {1}, std::vector<std::byte>(4)};
    const auto value = value_of(call.attribute<OnnxTensor>("value", zero), call.where());
    const Filling filling = only_value(value, call);
    const std::vector<OnnxSize>& shape = shape_of(call, 0);
    // A list of a few whole numbers, such as sizes.
    const auto* const whole = std::get_if<OnnxSize>(&filling);
    constexpr auto most = static_cast<Index>(onnx_most_axes);
    if (whole && shape.size() == 1 && shape[0].is_number() && shape[0].number >= 0 &&
        shape[0].number <= most) {
      const auto count = static_cast<std::size_t>(shape[0].number);
      return OnnxIntegers{std::vector<OnnxSize>(count, *whole), false};
    }
    return OnnxFilled{filling, shape};
  }

  /// What PyTorch writes in place of ConstantOfShape for operators before version 9.
  [[nodiscard]] static OnnxValue constant_fill(OnnxCall& call) {
    call.require("input_as_shape", 1, 0);
    call.require("dtype", 1, 1);
    if (!call.attribute<std::vector<Index>>("extra_shape", {}).empty()) {
      call.attribute_where("extra_shape").refuse("is not empty");
    }
    return OnnxFilled{call.number("value", 0), shape_of(call, 0)};
  }

  /// Expand of a constant. OnnxShapeLayers::expand reads an Expand in the chain.
  [[nodiscard]] static OnnxValue expand(OnnxCall& call) {
    std::vector<OnnxSize> shape = shape_of(call, 1);
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      for (std::size_t i = 0; i < filled->shape.size(); ++i) {
        if (i >= shape.size()) call.where().refuse("has fewer axes than its operand");
        OnnxSize& size = shape[shape.size() - 1 - i];
        if (size.is(1)) size = filled->shape[filled->shape.size() - 1 - i];
      }
      return OnnxFilled{filled->value, std::move(shape)};
    }
    return OnnxFilled{only_value(call.value(0), call), std::move(shape)};
  }

 private:
  using Filling = std::variant<OnnxSize, double>;

  /// The one number of a constant that has the same number in all places. Throws FormatError on
  /// other constants.
  [[nodiscard]] static Filling only_value(const OnnxValue& value, OnnxCall& call) {
    if (const auto* integers = std::get_if<OnnxIntegers>(&value)) {
      if (integers->values.size() == 1) return integers->values[0];
    } else if (const auto* numbers = std::get_if<Numbers>(&value)) {
      const auto& all = numbers->values;
      if (!all.empty() &&
          std::all_of(all.begin(), all.end(), [&](double one) { return one == all.front(); })) {
        return all.front();
      }
    }
    call.where().refuse("spreads more than one number over a tensor");
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
