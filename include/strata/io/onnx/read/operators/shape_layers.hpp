#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/axes.hpp>
#include <strata/io/onnx/read/operators/constant.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/io/onnx/read/operators/operands.hpp>
#include <strata/io/onnx/read/operators/places.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators on shapes that become layers, Embedding, Reshape and RepeatVector, where they take a
/// tensor of the chain. On constants and sizes they are computed.
class OnnxShapeLayers {
 public:
  static void gather(OnnxReading& reading, OnnxCall& call) {
    const auto* ids = call.find<OnnxData>(1);
    const auto* table = call.find<Numbers>(0);
    if (!ids || !table) return reading.give(OnnxPlaces::gather(call));
    call.require("axis", 0, 0);
    if (!ids->ids || !reading.chain.is_end(*ids) || ids->axes.size() != 2) {
      call.where(1).expected("the graph's input as whole numbers", axes_text(ids->axes));
    }
    if (table->rank() != 2 || table->shape[0] < 1 || table->shape[1] < 1) {
      call.where(0).expected("a table (V, U)", sizes_text(table->shape));
    }
    LayerDescription description{"Embedding"};
    description.add("vocabulary", table->shape[0]).add("units", table->shape[1]);
    OnnxData y = *ids;
    y.ids = false;
    reading.axes_are_known = true;
    y.axes.push_back({{OnnxRun::features, {table->shape[1]}}});
    reading.give(reading.chain.append(std::move(description), {{"embeddings", *table}},
                                      std::move(y), call.where()));
  }

  static void reshape(OnnxReading& reading, OnnxCall& call) {
    const auto* found = call.find<OnnxData>(0);
    if (!found) return reading.give(OnnxAxisMoves::reshape(call));
    OnnxData x = *found;
    std::vector<OnnxSize> sizes = shape_of(call, 1);
    if (call.attribute<Index>("allowzero", 0) == 0) {
      sizes = with_copied_sizes(std::move(sizes), x, call.where());
    }
    if (auto axes = OnnxRegrouping::of(x, sizes, call.where())) {
      x.axes = std::move(*axes);
      return reading.give(std::move(x));
    }
    x = reading.chain.settled(std::move(x), call.where(0));
    reading.give(reshaped_samples(reading, call, std::move(x), sizes));
  }

  static void expand(OnnxReading& reading, OnnxCall& call) {
    if (!call.find<OnnxData>(0)) return reading.give(OnnxConstants::expand(call));
    const auto& sizes = call.sizes(1).values;
    const OnnxData& x = call.data(0);
    std::vector<OnnxSize> repeats;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const bool same = i < x.axes.size() && sizes[i] == x.size(i, call.where());
      repeats.push_back(same ? OnnxSize{1, 0, 0} : sizes[i]);
    }
    repeat(reading, call, repeats);
  }

  static void tile(OnnxReading& reading, OnnxCall& call) {
    repeat(reading, call, call.sizes(1).values);
  }

 private:
  /// Appends a Reshape, which makes steps and features of the numbers of each sample.
  [[nodiscard]] static OnnxData reshaped_samples(OnnxReading& reading, OnnxCall& call, OnnxData x,
                                                 const std::vector<OnnxSize>& sizes) {
    OnnxSize count{1, 0, 0};
    for (std::size_t i = 1; i < x.axes.size(); ++i) {
      count = product(count, x.size(i, call.where()), call.where());
    }
    const bool samples = sizes.size() == 3 && !x.axes.empty() &&
                         is_only(x.axes[0], OnnxRun::batch) && !x.reversed &&
                         (sizes[0].is(-1) || sizes[0] == x.axes[0][0].size);
    if (!samples || !count.is_number() || !sizes[1].is_number() || !sizes[2].is_number() ||
        sizes[1].number < 1 || sizes[2].number < 1 ||
        product(sizes[1], sizes[2], call.where()) != count) {
      call.where().refuse("makes " + onnx_sizes_text(sizes) + " of " + axes_text(x.axes) +
                          "; strata reads (batch, steps, features) of known steps and features");
    }
    LayerDescription description{"Reshape"};
    description.add("steps", sizes[1].number).add("features", sizes[2].number);
    x.axes = {x.axes[0], {{OnnxRun::steps, sizes[1]}}, {{OnnxRun::features, sizes[2]}}};
    x.steps_by_name = true;
    return reading.chain.append(std::move(description), {}, std::move(x), call.where());
  }

  /// Appends a RepeatVector where an axis of size 1 is repeated: each step holds the sample (B, F).
  static void repeat(OnnxReading& reading, OnnxCall& call, const std::vector<OnnxSize>& repeats) {
    OnnxData x = reading.chain.settled(call.data(0), call.where(0));
    if (repeats.size() != x.axes.size()) {
      call.where(1).expected(std::to_string(x.axes.size()) + " numbers", onnx_sizes_text(repeats));
    }
    std::optional<std::size_t> repeated;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
      if (repeats[i].is(1)) continue;
      const bool once =
          !repeated && x.axes[i].empty() && repeats[i].is_number() && repeats[i].number > 1;
      if (!once && x.axes[i].empty() && !repeats[i].is_number()) {
        call.where().refuse("repeats " + axes_text(x.axes) +
                            " in as many steps as another tensor has, T; strata's RepeatVector "
                            "has a number of its own, so export the model with a fixed number of "
                            "steps");
      }
      if (!once) {
        call.where().refuse("repeats " + axes_text(x.axes) + " " + onnx_sizes_text(repeats) +
                            " times; strata reads a sample (batch, features) in n steps");
      }
      repeated = i;
    }
    if (!repeated) return reading.give(std::move(x));
    std::vector<OnnxRun> runs;
    for (const auto& axis : x.axes) {
      for (const OnnxAtom& atom : axis) runs.push_back(atom.run);
    }
    if (runs != std::vector{OnnxRun::batch, OnnxRun::features}) refuse_axes(x, call.where(0));
    x.axes[*repeated] = {{OnnxRun::steps, repeats[*repeated]}};
    x.steps_by_name = true;
    reading.give(
        reading.chain.append(LayerDescription{"RepeatVector"}.add("n", repeats[*repeated].number),
                             {}, std::move(x), call.where()));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
