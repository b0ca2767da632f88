#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <strata/language/algorithms.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Types and operators that strata does not read, by the names that their exporters know, so that
// messages can name them: https://onnx.ai/onnx/api/classes.html, TensorProto.DataType.

namespace strata::inline STRATA_RUNTIME::io {

/// The name and the code of a type, "INT8 (3)".
[[nodiscard]] inline std::string onnx_type_text(Index code) {
  constexpr std::array<std::string_view, 27> names{
      "UNDEFINED",      "FLOAT",    "UINT8",        "INT8",           "UINT16",
      "INT16",          "INT32",    "INT64",        "STRING",         "BOOL",
      "FLOAT16",        "DOUBLE",   "UINT32",       "UINT64",         "COMPLEX64",
      "COMPLEX128",     "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
      "FLOAT8E5M2FNUZ", "UINT4",    "INT4",         "FLOAT4E2M1",     "FLOAT8E8M0",
      "UINT2",          "INT2"};
  const std::string number = std::to_string(code);
  if (code < 0 || code >= static_cast<Index>(names.size())) return "the unknown type " + number;
  return std::string(names[static_cast<std::size_t>(code)]) + " (" + number + ")";
}

inline constexpr const char* onnx_is_quantized =
    "this is a quantized model, whose weights are rounded to a few bits; strata reads the "
    "floating-point model from before quantize_dynamic or quantize_static";

/// Whether only quantized models have weights of this type.
[[nodiscard]] inline bool is_quantized_type(Index code) noexcept {
  return (code >= 2 && code <= 5) || (code >= 17 && code <= 26);
}

/// Whether only quantized models have an operator of this name.
[[nodiscard]] inline bool is_quantized_operator(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 7> parts{"Quantize", "quantize",   "QLinear",    "Integer",
                                                  "QGemm",    "QAttention", "MatMulNBits"};
  return detail::any_of(
      parts, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

}  // namespace strata::inline STRATA_RUNTIME::io
