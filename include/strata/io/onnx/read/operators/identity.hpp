#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that change no number in prediction.
class OnnxIdentities {
 public:
  [[nodiscard]] static OnnxValue identity(OnnxCall& call) { return call.value(0); }

  [[nodiscard]] static OnnxValue dropout(OnnxCall& call) {
    call.ignore("ratio");
    call.ignore("seed");
    if (call.has(1)) (void)call.value(1);
    if (call.has(2) && call.integers(2) != std::vector<Index>{0}) {
      call.where(2).refuse("training_mode is not false");
    }
    return call.value(0);
  }

  [[nodiscard]] static OnnxValue cast(OnnxCall& call) {
    const Index code = call.attribute<Index>("to", 0);
    call.ignore("saturate");
    call.ignore("round_mode");
    const auto element = onnx_element_of(code);
    if (!element || *element == Element::boolean) {
      call.attribute_where("to").expected("a floating-point type, INT32 (6) or INT64 (7)",
                                          onnx_type_text(code));
    }
    const bool to_floating = is_floating(*element);
    if (const auto* integers = call.find<OnnxIntegers>(0); integers && to_floating) {
      Numbers numbers{{}, {}};
      for (const Index one : call.integers(0)) numbers.values.push_back(static_cast<double>(one));
      if (!integers->scalar) numbers.shape = {static_cast<Index>(numbers.values.size())};
      return numbers;
    }
    if (const auto* numbers = call.find<Numbers>(0); numbers && !to_floating) {
      return as_integers(*numbers, call);
    }
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData cast = *data;
      if (to_floating && (cast.ids || size_of(*element) < 4)) {
        call.attribute_where("to").refuse(cast.ids
                                              ? "whole numbers are for an Embedding (Gather) alone"
                                              : "strata does not round within a model");
      }
      if (!to_floating) make_ids(cast, call);
      return cast;
    }
    return call.value(0);
  }

 private:
  [[nodiscard]] static OnnxIntegers as_integers(const Numbers& numbers, const OnnxCall& call) {
    constexpr double most = 9.0e15;
    if (numbers.rank() > 1) call.where().refuse("makes whole numbers of a higher rank");
    OnnxIntegers integers{{}, numbers.rank() == 0};
    for (const double value : numbers.values) {
      if (!(std::abs(value) <= most)) call.where().refuse("makes a whole number of no number");
      integers.values.push_back({static_cast<Index>(value)});
    }
    return integers;
  }

  /// Turns the graph's input into whole numbers (B, T). Throws FormatError on other tensors.
  static void make_ids(OnnxData& data, const OnnxCall& call) {
    if (data.ids) return;
    if (data.version != 0 || data.axes.size() != 2 || data.steps != OnnxData::Steps::all) {
      call.where().refuse("makes whole numbers of a tensor; strata takes those as input only");
    }
    data.ids = true;
    for (auto& axis : data.axes) {
      if (is_only(axis, OnnxRun::features)) axis[0].run = OnnxRun::steps;
    }
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
