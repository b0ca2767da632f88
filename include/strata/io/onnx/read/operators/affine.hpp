#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/affine.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/operators/sizes.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Add, Sub, Mul and Div of a tensor and constants, which become a Normalization or a Rescaling,
/// and of two constants.
class OnnxAffines {
 public:
  /// `sign`: one of + - * /.
  static void read(OnnxReading& reading, OnnxCall& call, char sign) {
    const bool first = call.find<OnnxData>(0) != nullptr;
    if (!first && !call.find<OnnxData>(1)) return reading.give(constants(call, sign));
    const std::size_t at = first ? 0 : 1;
    const Numbers& numbers = call.numbers(1 - at);
    if (!first && sign == '/') call.where().refuse("divides constants by a tensor");
    OnnxData x = settled(reading, call, at);
    require_rank(numbers, x, call.where(1 - at));
    std::vector<double> by = features_of(call, 1 - at, numbers, x);
    const Index features = features_in(x);
    call.spend(static_cast<std::size_t>(features));
    const bool turned = !first && sign == '-';
    const auto apply = [&](OnnxAffine& affine) {
      if (turned) affine.multiply({-1});
      if (sign == '-' && !turned) {
        for (double& value : by) value = -value;
      }
      if (sign == '*') {
        affine.multiply(by);
      } else if (sign == '/') {
        affine.divide(by);
      } else {
        affine.add(by);
      }
    };
    const bool apart = reading.shared.contains(call.operand(at));
    reading.give(reading.chain.append_affine(apply, features, apart, std::move(x), call.where()));
  }

  static void subtract(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::arithmetic(call, '-'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) {
      call.where().refuse("takes the difference of two tensors, for which strata has no layer");
    }
    read(reading, call, '-');
  }

  static void negate(OnnxReading& reading, OnnxCall& call) {
    if (!call.find<OnnxData>(0)) {
      Numbers numbers = call.numbers(0);
      call.spend(numbers.values.size());
      for (double& value : numbers.values) value = -value;
      return reading.give(std::move(numbers));
    }
    OnnxData x = settled(reading, call, 0);
    const Index features = features_in(x);
    call.spend(static_cast<std::size_t>(features));
    const bool apart = reading.shared.contains(call.operand(0));
    reading.give(reading.chain.append_affine([](OnnxAffine& affine) { affine.multiply({-1}); },
                                             features, apart, std::move(x), call.where()));
  }

 private:
  /// The tensor; where its last axis joins steps and features, behind a Flatten.
  [[nodiscard]] static OnnxData settled(OnnxReading& reading, OnnxCall& call, std::size_t at) {
    const OnnxData& x = call.data(at);
    const bool joined = !x.axes.empty() && x.axes.back().size() > 1;
    return joined ? with_features(reading, call, at) : reading.chain.settled(x, call.where(at));
  }

  [[nodiscard]] static Numbers constants(OnnxCall& call, char sign) {
    const Numbers& a = call.numbers(0);
    const Numbers& b = call.numbers(1);
    const bool b_is_one = b.values.size() == 1 && b.shape.size() <= a.shape.size();
    const bool a_is_one = a.values.size() == 1 && a.shape.size() <= b.shape.size();
    if (a.shape != b.shape && !a_is_one && !b_is_one) {
      call.where(1).expected("one number, or the sizes " + sizes_text(a.shape),
                             sizes_text(b.shape));
    }
    Numbers result = a.shape == b.shape || b_is_one ? a : b;
    call.spend(result.values.size());
    for (std::size_t k = 0; k < result.values.size(); ++k) {
      const double x = a.values[a.values.size() == 1 ? 0 : k];
      const double y = b.values[b.values.size() == 1 ? 0 : k];
      result.values[k] = sign == '+' ? x + y : sign == '-' ? x - y : sign == '*' ? x * y : x / y;
    }
    return result;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
