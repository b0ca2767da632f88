#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/operands.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The arithmetic on sizes by which exporters compute shapes.
class OnnxSizes {
 public:
  [[nodiscard]] static OnnxValue shape(OnnxCall& call) {
    std::vector<OnnxSize> sizes;
    if (const auto* data = call.find<OnnxData>(0)) {
      for (std::size_t i = 0; i < data->axes.size(); ++i) {
        sizes.push_back(data->size(i, call.where()));
      }
    } else if (const auto* states = call.find<OnnxInitialStates>(0)) {
      for (std::size_t i = 0; i < states->axes.size(); ++i) sizes.push_back(states->size(i));
    } else {
      sizes = sizes_of(call);
    }
    const auto rank = static_cast<Index>(sizes.size());
    const OnnxSlice slice{0, call.attribute<Index>("start", 0), call.attribute<Index>("end", rank)};
    return OnnxIntegers{taken(sizes, slice.places(rank)), false};
  }

  /// A product ('*'), quotient ('/'), sum ('+') or difference ('-') of whole numbers. Throws
  /// FormatError on quotients, sums and differences of sizes with B or T.
  [[nodiscard]] static OnnxValue arithmetic(OnnxCall& call, char sign) {
    OnnxIntegers a = call.sizes(0);
    OnnxIntegers b = call.sizes(1);
    if (a.values.size() < b.values.size() || (a.scalar && !b.scalar)) {
      if (sign == '-' || sign == '/')
        call.where().refuse(
            "computes sizes in a way that is not read; export the model with fixed sizes");
      std::swap(a, b);
    }
    if (b.values.size() != 1 && b.values.size() != a.values.size()) {
      call.where().refuse(
          "computes sizes in a way that is not read; export the model with fixed sizes");
    }
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      OnnxSize& to = a.values[i];
      const OnnxSize& by = b.values[b.values.size() == 1 ? 0 : i];
      if (sign == '*') {
        to = product(to, by, call.where());
        continue;
      }
      if (sign == '/') {
        // ONNX leaves open how quotients below 0 are rounded.
        if (!to.is_number() || !by.is_number() || to.number < 0 || by.number < 1) {
          call.where().refuse(
              "computes sizes in a way that is not read; export the model with fixed sizes");
        }
        to.number /= by.number;
        continue;
      }
      const bool overflow = sign == '+'
                                ? detail::add_overflows(to.number, by.number, to.number)
                                : detail::subtract_overflows(to.number, by.number, to.number);
      if (overflow || !to.is_number() || !by.is_number()) {
        call.where().refuse(
            "computes sizes in a way that is not read; export the model with fixed sizes");
      }
    }
    return a;
  }

  /// Equal of whole numbers: 1 where they are equal, else 0.
  [[nodiscard]] static OnnxValue equal(OnnxCall& call) {
    const auto& a = call.sizes(0);
    const auto& b = call.sizes(1);
    return each(call, {&a, &b, &b}, [](const OnnxSize& x, const OnnxSize& y, const OnnxSize&) {
      return OnnxSize{x == y ? 1 : 0, 0, 0};
    });
  }
  /// Where of whole numbers.
  [[nodiscard]] static OnnxValue where(OnnxCall& call) {
    return each(call, {&call.sizes(0), &call.sizes(1), &call.sizes(2)},
                [](const OnnxSize& condition, const OnnxSize& x, const OnnxSize& y) {
                  return condition.is(0) ? y : x;
                });
  }

  /// The product of all entries of a list of sizes, for ReduceProd.
  [[nodiscard]] static OnnxValue product_of_sizes(OnnxCall& call) {
    OnnxSize all{1, 0, 0};
    for (const OnnxSize& size : call.sizes(0).values) all = product(all, size, call.where());
    (void)call.axes(1, 18);
    return OnnxIntegers{{all}, call.attribute<Index>("keepdims", 1) == 0};
  }

 private:
  /// f of the entries of three lists at the same place. A list of one entry goes with all places.
  template <class F>
  [[nodiscard]] static OnnxIntegers each(const OnnxCall& call,
                                         std::array<const OnnxIntegers*, 3> lists, F f) {
    OnnxIntegers result{{}, true};
    std::size_t count = 1;
    for (const OnnxIntegers* list : lists) {
      result.scalar = result.scalar && list->scalar;
      if (list->values.size() != 1) count = list->values.size();
    }
    for (const OnnxIntegers* list : lists) {
      if (list->values.size() != 1 && list->values.size() != count) {
        call.where().refuse(
            "computes sizes in a way that is not read; export the model with fixed sizes");
      }
    }
    const auto at = [](const OnnxIntegers& list, std::size_t i) {
      return list.values[list.values.size() == 1 ? 0 : i];
    };
    call.spend(count);
    for (std::size_t i = 0; i < count; ++i) {
      result.values.push_back(f(at(*lists[0], i), at(*lists[1], i), at(*lists[2], i)));
    }
    return result;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
