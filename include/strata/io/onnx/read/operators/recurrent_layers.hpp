#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/recurrent.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/named_axes.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that become recurrent layers: LSTM, GRU and RNN.
class OnnxRecurrentLayers {
 public:
  static void lstm(OnnxReading& reading, OnnxCall& call) { recurrent(reading, call, "LSTM"); }
  static void gru(OnnxReading& reading, OnnxCall& call) { recurrent(reading, call, "GRU"); }
  static void rnn(OnnxReading& reading, OnnxCall& call) { recurrent(reading, call, "RNN"); }

 private:
  static void recurrent(OnnxReading& reading, OnnxCall& call, std::string_view op) {
    OnnxData x = reading.chain.settled(call.data(0), call.where(0));
    if (x.axes.size() != 3) call.where(0).expected("three axes", axes_text(x.axes));
    const bool batch_first = call.opset() >= 14 && call.attribute<Index>("layout", 0) == 1;
    const std::size_t batch = batch_first ? 0 : 1;
    if (is_only(x.axes[1 - batch], OnnxRun::batch)) {
      reading.try_order(OnnxInputOrder::steps_batch_features);
    }
    x = with_steps_at(reading, std::move(x), 1 - batch, 2, call.where());
    const auto& features = x.axes[2];
    if (!is_only(features, OnnxRun::features)) refuse_axes(x, call.where(0));
    auto layer = OnnxRecurrent::read(call, op, features[0].size.number);
    if (!is_only(x.axes[batch], OnnxRun::batch) || !is_only(x.axes[1 - batch], OnnxRun::steps)) {
      call.where(0).expected(
          layer.batch_first ? "(batch, steps, features)" : "(steps, batch, features)",
          axes_text(x.axes));
    }
    require_all_steps(call, x.axes[1 - batch][0].size);
    const auto* const h = call.find<OnnxInitialStates>(5);
    const auto* const c = call.find<OnnxInitialStates>(6);
    if (h && c && h->input == c->input) {
      call.where().refuse("takes h and c from one input, " + in_quotes(h->input) +
                          "; strata reads them from two: export the model with h and c as two "
                          "inputs of forward, each (layers, batch, units)");
    }
    for (const auto i : {std::size_t{5}, std::size_t{6}}) {
      if (const auto* const states = call.find<OnnxInitialStates>(i)) {
        reading.states.take(call, i, *states, layer.both ? 2 : 1, layer.units, layer.batch_first);
      } else {
        require_zeros(call, i, layer);
      }
    }
    if (layer.both && x.reversed) {
      call.where(0).refuse("has the steps from the last to the first, for both directions");
    }
    if (!layer.both) {
      layer.description.add("go_backwards", x.reversed != layer.reverse);
    }
    OnnxData y;
    y.reversed = layer.reverse;
    const std::vector<OnnxAtom> units{{OnnxRun::features, {layer.units}}};
    std::vector<OnnxAtom> directions;
    if (layer.both) directions.push_back({OnnxRun::directions, {2}});
    const auto& steps = x.axes[1 - batch];
    y.axes = layer.batch_first ? OnnxAxes{x.axes[0], steps, directions, units}
                               : OnnxAxes{steps, directions, x.axes[1], units};
    y = reading.chain.append_recurrent(std::move(layer.description), std::move(layer.weights),
                                       std::move(y), call.where());
    OnnxData state = y;
    state.steps = OnnxData::Steps::final;
    state.axes = layer.batch_first ? OnnxAxes{x.axes[0], directions, units}
                                   : OnnxAxes{directions, x.axes[1], units};
    reading.give(std::move(y));
    reading.give(std::move(state));
  }

  /// Throws FormatError unless the operand sequence_lens is absent, or is the number of all steps
  /// for each sequence, as it is without the operand.
  static void require_all_steps(OnnxCall& call, const OnnxSize& steps) {
    if (!call.has(4)) return;
    std::vector<OnnxSize> lengths;
    if (const auto* filled = call.find<OnnxFilled>(4)) {
      if (const auto* size = std::get_if<OnnxSize>(&filled->value)) lengths.push_back(*size);
    } else {
      lengths = call.sizes(4).values;
    }
    for (const OnnxSize& length : lengths) {
      if (!(length == steps)) lengths.clear();
    }
    if (lengths.empty()) {
      call.where(4).refuse(
          "sequence_lens of fewer than all steps; export the model without, and give predict a "
          "Mask::from_lengths");
    }
  }

  /// Throws FormatError unless operand i, an initial state, is absent, or is zeros, as the state is
  /// without the operand.
  static void require_zeros(OnnxCall& call, std::size_t i, const OnnxRecurrent::Layer& layer) {
    if (!call.has(i)) return;
    const char* const name = i == 5 ? "initial_h" : "initial_c";
    bool zero = false;
    std::vector<OnnxSize> sizes;
    if (const auto* filled = call.find<OnnxFilled>(i)) {
      zero = std::holds_alternative<double>(filled->value) && std::get<double>(filled->value) == 0;
      sizes = filled->shape;
    } else {
      const Numbers& numbers = call.numbers(i);
      zero = true;
      for (const double value : numbers.values) zero = zero && value == 0;
      for (const Index size : numbers.shape) sizes.push_back({size});
    }
    if (!zero) {
      call.where(i).refuse(std::string(name) +
                           " is not zero, and strata's models keep no initial state; export the "
                           "model without, and give predict a State");
    }
    if (sizes.size() != 3 || !sizes[2].is(layer.units) ||
        !sizes[layer.batch_first ? 1 : 0].is(layer.both ? 2 : 1)) {
      call.where(i).expected("a state of " + std::to_string(layer.units) + " units",
                             onnx_sizes_text(sizes));
    }
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
