#pragma once

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/weight_order.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/denormal_bias.hpp>
#include <strata/kernels/product.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/gates.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Weights of a gated cell in the order of its parameters, Keras' memory: kernel (F, G U),
/// recurrent kernel (R, G U) for R outputs, bias (G U) or (2, G U) or null, peepholes (P, U).
template <class Scalar>
struct GateParameters {
  Scalar* kernel;
  Scalar* recurrent_kernel;
  Scalar* bias;
  Scalar* peepholes;
};

/// The weights of a gated cell as its kernels read them.
///
/// Units are handled in panels of one register width. For each panel the weights of all gates lie
/// side by side, so that one tile computes all gates of its units for several sequences. The units
/// that do not fill the last panel get one of half or a quarter of the width, where the machine has
/// registers of that width and the panel's rows then take fewer registers: four gates of four units
/// fill one register of 16 numbers.
template <class Scalar, class Gates>
struct GatePacked {
  using Traits = GateTraits<Gates>;
  static constexpr Index width = Pack<Scalar>::width;
  static constexpr Index wide = Traits::slots * width;

  Index inputs = 0;
  Index outputs = 0;
  Index units = 0;
  Index panels = 0;
  /// Units of the last panel, with those that only pad it.
  Index last_width = width;

  /// Panel after panel. A panel begins with the bias, one row with all slots of the panel's units.
  /// Then the row is cut into blocks, of as many registers as a tile takes, and for each block
  /// follow F rows of the kernel and R rows of the recurrent kernel.
  Buffer<Scalar> forward;
  /// (P, padded U).
  Buffer<Scalar> peepholes;
  /// The kernels that take dz to dx and dz to dh; packed for training only.
  PackedMatrix<Scalar> kernel_transposed;
  PackedMatrix<Scalar> recurrent_transposed;

  /// Registers of a row of a panel of `panel_width` units.
  static constexpr int registers(int panel_width) {
    return static_cast<int>((Traits::slots * panel_width + width - 1) / width);
  }
  /// The best width for a last panel that has `rest` units.
  static constexpr int width_for(Index rest) {
    int best = width;
    if constexpr (has_register<Scalar, width / 2>) {
      if (rest <= width / 2 && registers(width / 2) < registers(best)) best = width / 2;
    }
    if constexpr (has_register<Scalar, width / 4>) {
      if (rest <= width / 4 && registers(width / 4) < registers(best)) best = width / 4;
    }
    return best;
  }
  static constexpr Index panels_for(Index units) { return (units + width - 1) / width; }
  static constexpr int last_width_for(Index units) {
    return width_for(units - (panels_for(units) - 1) * width);
  }

  /// Whether the units fill three whole panels, which a step of a cell of fixed size takes at once.
  static constexpr bool fills_three(Index units) { return units == 3 * width; }

  /// Whether the packed weights of a cell of these sizes fit the first cache, of 32 KB or more.
  static constexpr bool is_small(Index inputs, Index outputs, Index units) {
    return (1 + inputs + outputs) * panels_for(units) * wide * Index(sizeof(Scalar)) <= 32 * 1024;
  }

  [[nodiscard]] Index panel_size() const noexcept { return (1 + depth()) * wide; }
  /// Numbers of a row of a panel.
  [[nodiscard]] Index row_size(Index panel) const noexcept {
    return registers(static_cast<int>(panel_width(panel))) * width;
  }
  /// Numbers of one row of all panels.
  [[nodiscard]] Index row_sizes() const noexcept {
    return (panels - 1) * wide + row_size(panels - 1);
  }
  [[nodiscard]] const Scalar* bias(Index panel) const noexcept {
    return forward.data() + panel * panel_size();
  }
  /// F + R.
  [[nodiscard]] Index depth() const noexcept { return inputs + outputs; }
  /// The panel without its bias.
  [[nodiscard]] const Scalar* weights(Index panel) const noexcept {
    return bias(panel) + row_size(panel);
  }
  /// The weights of the block of `vectors` registers that begins with register `first` of a row.
  [[nodiscard]] TileWeights<Scalar> kernel(Index panel, int first, int vectors) const noexcept {
    return {weights(panel) + first * width * depth(), vectors * width};
  }
  [[nodiscard]] TileWeights<Scalar> recurrent(Index panel, int first, int vectors) const noexcept {
    const TileWeights<Scalar> weights = kernel(panel, first, vectors);
    return {weights.first + inputs * weights.step, weights.step};
  }
  /// The weights of the block of a row in which number `lane` of the row lies, moved to this
  /// number: of row 0 of the kernel, with the distance to the next row. Behind row F - 1 the
  /// recurrent kernel begins.
  [[nodiscard]] TileWeights<Scalar> from_lane(Index panel, Index lane) const noexcept {
    constexpr Index most = tile_vectors<Scalar>;
    const Index block = lane / width / most * most;
    const int vectors = static_cast<int>(std::min(most, row_size(panel) / width - block));
    const TileWeights<Scalar> weights = kernel(panel, static_cast<int>(block), vectors);
    return {weights.first + lane - block * width, weights.step};
  }
  [[nodiscard]] const Scalar* peephole(Index which, Index panel) const noexcept {
    return peepholes.data() + (which * panels + panel) * width;
  }
  /// Units of a panel, with those that only pad it.
  [[nodiscard]] Index panel_width(Index panel) const noexcept {
    return panel + 1 < panels ? width : last_width;
  }
  /// Units of a panel without padding.
  [[nodiscard]] Index used(Index panel) const noexcept {
    return (std::min)(width, units - panel * width);
  }

  /// f(lane, column) for every slot of a panel that takes a gate of the kernel (F, G U): `lane` is
  /// the slot's first number in a row of the panel, `column` the kernel's column of the panel's
  /// first unit. The other units of the panel have the columns behind it.
  template <class F>
  void for_each_kernel_slot(Index panel, F f) const {
    for_each_slot([](int slot) { return Traits::kernel_gate(slot); }, panel, f);
  }
  template <class F>
  void for_each_recurrent_slot(Index panel, F f) const {
    for_each_slot([](int slot) { return Traits::recurrent_gate(slot); }, panel, f);
  }

  void pack(Index new_inputs, Index new_outputs, Index new_units,
            const GateParameters<const Scalar>& from, bool training) {
    inputs = new_inputs;
    outputs = new_outputs;
    units = new_units;
    panels = panels_for(units);
    last_width = last_width_for(units);
    const Index columns = Traits::gates * units;
    forward.resize((1 + depth()) * row_sizes());
    // Zeros where a slot has no gate, and where the last panel has no unit.
    const Index padded_from = fills_slots ? (panels - 1) * panel_size() : 0;
    std::fill(forward.data() + padded_from, forward.data() + forward.size(), Scalar(0));
    for (Index panel = 0; panel < panels; ++panel) pack_bias(from.bias, panel);
    pack_rows(from.kernel, 0, inputs, [](int slot) { return Traits::kernel_gate(slot); });
    pack_rows(from.recurrent_kernel, inputs, outputs,
              [](int slot) { return Traits::recurrent_gate(slot); });
    peepholes.resize(Traits::peepholes * panels * width);
    peepholes.fill(0);
    for (Index which = 0; which < Traits::peepholes; ++which) {
      std::copy_n(from.peepholes + which * units, units, peepholes.data() + which * panels * width);
    }
    if (!training) return;
    // The column of each lane of all panels, -1 for padding.
    std::vector<Index> column_of(static_cast<std::size_t>(row_sizes()), -1);
    const auto note = [&](Index panel) {
      return [&, panel](Index lane, Index column) {
        std::iota(column_of.begin() + panel * wide + lane,
                  column_of.begin() + panel * wide + lane + used(panel), column);
      };
    };
    const auto element_of = [&](const Scalar* rows) {
      return [&, rows](Index lane, Index k) {
        const Index column = column_of[static_cast<std::size_t>(k)];
        return column < 0 ? Scalar(0) : rows[lane * columns + column];
      };
    };
    for (Index panel = 0; panel < panels; ++panel) for_each_kernel_slot(panel, note(panel));
    kernel_transposed.pack(inputs, row_sizes(), element_of(from.kernel));
    std::fill(column_of.begin(), column_of.end(), -1);
    for (Index panel = 0; panel < panels; ++panel) for_each_recurrent_slot(panel, note(panel));
    recurrent_transposed.pack(outputs, row_sizes(), element_of(from.recurrent_kernel));
  }

 private:
  template <class GateOf, class F>
  void for_each_slot(GateOf gate_of, Index panel, F f) const {
    for (int slot = 0; slot < Traits::slots; ++slot) {
      const int gate = gate_of(slot);
      if (gate >= 0) f(slot * panel_width(panel), gate * units + panel * width);
    }
  }

  /// Whether each slot has a gate in both kernels.
  static constexpr bool fills_slots = [] {
    for (int slot = 0; slot < Traits::slots; ++slot) {
      if (Traits::kernel_gate(slot) < 0 || Traits::recurrent_gate(slot) < 0) return false;
    }
    return true;
  }();

  /// Packs `count` rows (G U) of weights as the rows from first_row on of all panels, a few rows at
  /// a time. With one row at a time, the place of every single register would be computed; with all
  /// rows of a panel, every number read would be on another page of memory.
  template <class GateOf>
  void pack_rows(const Scalar* from, Index first_row, Index count, GateOf gate_of) {
    constexpr Index few = 4;
    const Index columns = Traits::gates * units;
    for (Index start = 0; start < count; start += few) {
      const Index rows = (std::min)(few, count - start);
      // The processor does not foresee the jump to the next few rows.
      const Index ahead = start + 2 * few <= count ? few * columns : 0;
      for (Index panel = 0; panel < panels; ++panel) {
        for (int slot = 0; slot < Traits::slots; ++slot) {
          const int gate = gate_of(slot);
          if (gate < 0) continue;
          const Scalar* weights = from + start * columns + gate * units + panel * width;
          auto [to, step] = place(panel, first_row + start, slot);
          for (Index row = 0; row < rows; ++row, weights += columns, to += step) {
            prefetch<CacheLevel::first>(weights + ahead);
            if (used(panel) == width) {
              Pack<Scalar>::load(weights).store(to);
            } else {
              std::copy_n(weights, used(panel), to);
            }
          }
        }
      }
    }
  }

  /// Where a row of a slot of a panel lies, and the distance to the slot's next row.
  [[nodiscard]] std::pair<Scalar*, Index> place(Index panel, Index row, int slot) noexcept {
    const auto [first, step] = from_lane(panel, slot * panel_width(panel));
    const Index at = first - std::as_const(forward).data() + row * step;
    return {forward.data() + at, step};
  }

  void pack_bias(const Scalar* bias, Index panel) {
    Scalar* const to = forward.data() + panel * panel_size();
    const Index count = used(panel);
    std::fill_n(to, row_size(panel), denormal_bias<Scalar>);
    if (!bias) return;
    const auto add = [&](Index lane, const Scalar* from) {
      for (Index unit = 0; unit < count; ++unit) to[lane + unit] += from[unit];
    };
    for_each_kernel_slot(panel, [&](Index lane, Index column) { add(lane, bias + column); });
    if constexpr (Traits::biases == 2) {
      for_each_recurrent_slot(panel, [&](Index lane, Index column) {
        add(lane, bias + Traits::gates * units + column);
      });
    }
  }
};

/// Calls f(width), with the width as a constant, where the last panel is narrower than the others.
template <class Scalar, class Gates, class F>
STRATA_ALWAYS_INLINE void with_narrow_width(const GatePacked<Scalar, Gates>& packed, F f) {
  using Packed = GatePacked<Scalar, Gates>;
  constexpr int half = Pack<Scalar>::width / 2;
  constexpr int quarter = Pack<Scalar>::width / 4;
  if constexpr (Packed::width_for(quarter) == quarter) {
    if (packed.last_width == quarter) return f(std::integral_constant<int, quarter>{});
  }
  if constexpr (Packed::width_for(half) == half) f(std::integral_constant<int, half>{});
}

/// Calls f(panel, width) for every panel, with its width as a constant. Whole panels come in
/// `order`, a narrow one is always last. With Together = 2, whole panels come in pairs, as one
/// panel of twice the width that begins with number `panel`, and three panels at once where a fixed
/// number of units fills exactly three. `Units` is Dynamic or the fixed number of units.
template <Index Units, int Together = 1, class Scalar, class Gates, class F>
STRATA_ALWAYS_INLINE void visit_panels(const GatePacked<Scalar, Gates>& packed, WeightOrder order,
                                       F f) {
  using Packed = GatePacked<Scalar, Gates>;
  constexpr int width = Pack<Scalar>::width;
  const Index panels = Packed::panels_for(Units == Dynamic ? packed.units : Units);
  const Index last_width = Units == Dynamic ? packed.last_width : Packed::last_width_for(Units);
  const Index whole = last_width < width ? panels - 1 : panels;
  const Index pairs = Together == 2 ? whole / 2 : 0;
  const Index groups = whole - pairs;
  if constexpr (Together == 2 && Packed::fills_three(Units)) {
    f(0, std::integral_constant<int, 3 * width>{});
  } else {
    for (Index i = 0; i < groups; ++i) {
      const Index group = order == WeightOrder::descending ? groups - 1 - i : i;
      if constexpr (Together == 2) {
        if (group < pairs) {
          f(2 * group, std::integral_constant<int, 2 * width>{});
          continue;
        }
      }
      f(group + pairs, std::integral_constant<int, width>{});
    }
  }
  if constexpr (Units == Dynamic) {
    if (whole < panels) with_narrow_width(packed, [&](auto narrow) { f(whole, narrow); });
  } else if constexpr (Packed::last_width_for(Units) < width) {
    f(whole, std::integral_constant<int, Packed::last_width_for(Units)>{});
  }
}

/// The order in which a step of a batch reads the panels: it turns from step to step.
[[nodiscard]] constexpr WeightOrder order_of_step(Index step) noexcept {
  return step % 2 == 1 ? WeightOrder::descending : WeightOrder::ascending;
}

template <class Scalar, class Gates, class F>
STRATA_ALWAYS_INLINE void for_each_panel(const GatePacked<Scalar, Gates>& packed, F f) {
  visit_panels<Dynamic>(packed, WeightOrder::ascending, f);
}

}  // namespace strata::detail::inline STRATA_TARGET
