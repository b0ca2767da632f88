#pragma once

#include <cstdint>
#include <limits>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/pair_sums.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The weights of a gated cell as 16-bit integers, for steps of one sequence: those of the
/// recurrent kernel, and those of the kernel too where no input is larger than 1. They lie in the
/// panels of GatePacked, each row with the weights of two inputs, in pairs.
///
/// A weight w of a slot of a unit is the integer w / scale. The scale is as small as the largest
/// weight allows, and so large that the sum of all products, with inputs of up to 16383, fits 32
/// bits.
template <class Gates>
struct Int16Weights {
  using Full = GatePacked<float, Gates>;
  static constexpr Index width = Full::width;
  static constexpr Index wide = Full::wide;
  /// With more inputs, the sums of the roundings alone could be too large.
  static constexpr Index most_inputs = 65536;

  /// Rows of pairs with x, and with h; 0 of x where its products are taken in float.
  Index x_pairs = 0;
  Index h_pairs = 0;
  /// Panel after panel, x_pairs + h_pairs rows of one pair for each slot of the panel's units.
  Buffer<std::int32_t> rows;
  /// Panel after panel, what a sum is multiplied by: scale / 16383 for each slot of the units.
  Buffer<float> factors;

  [[nodiscard]] bool is_empty() const noexcept { return h_pairs == 0; }

  [[nodiscard]] const std::int32_t* panel_rows(Index panel) const noexcept {
    return rows.data() + panel * (x_pairs + h_pairs) * wide;
  }
  [[nodiscard]] const float* panel_factors(Index panel) const noexcept {
    return factors.data() + panel * wide;
  }

  /// The integers of x and h of one sequence, in pairs.
  [[nodiscard]] Index row_integers() const noexcept { return 2 * (x_pairs + h_pairs); }

  /// Rounds x, where its products are not taken in float, and h to row_integers() integers, for
  /// which, and a register more, `to` has room. Returns 0, or not-a-number where a number is not
  /// finite.
  [[nodiscard]] float round_row(Index inputs, const float* x, Index outputs, const float* h,
                                std::int16_t* to) const noexcept {
    const float unusual = x_pairs > 0 ? to_int16(inputs, x, to) : 0;
    return unusual + to_int16(outputs, h, to + 2 * x_pairs);
  }

  void clear() noexcept { x_pairs = h_pairs = 0; }

  /// Takes the weights from packed ones.
  void pack(const Full& from, bool with_x) {
    x_pairs = with_x ? pair_count(from.inputs) : 0;
    h_pairs = pair_count(from.outputs);
    rows.resize((x_pairs + h_pairs) * from.row_sizes());
    factors.resize(from.row_sizes());
    for (Index panel = 0; panel < from.panels; ++panel) {
      for (Index lane = 0; lane < from.row_size(panel); lane += width)
        pack_register(from, panel, lane);
    }
  }

 private:
  using P = Pack<float>;

  /// The weights of a register of slots, which begins with slot `lane` of a panel.
  void pack_register(const Full& from, Index panel, Index lane) {
    const Index first = x_pairs > 0 ? 0 : from.inputs;
    const Index depth = from.depth();
    const auto [row_0, step] = from.from_lane(panel, lane);
    const auto weights = [start = row_0, step = step](Index row) {
      return P::load(start + row * step);
    };
    P largest = P::broadcast(0), sum = P::broadcast(0);
    for (Index row = first; row < depth; ++row) {
      largest = greater(largest, abs(weights(row)));
      sum = sum + abs(weights(row));
    }
    // What a sum may be, less what roundings add to it, and the error of the sum in float.
    const double most = (std::numeric_limits<std::int32_t>::max)() -
                        0.5 * int16_one * static_cast<double>(depth - first);
    const double by_sum = int16_one / most * (1 + 1e-6 * static_cast<double>(depth));
    // A weight that is not finite makes the scale, and so all sums of the unit, not-a-number.
    const P scale =
        greater(largest * P::broadcast(1.0f / (std::numeric_limits<std::int16_t>::max)()),
                sum * P::broadcast(static_cast<float>(by_sum))) +
        (sum - sum);
    (scale * P::broadcast(1 / int16_one)).store(factors.data() + panel * wide + lane);
    // Where all weights are zeros, any scale will do.
    const P zero = P::broadcast(0), one = P::broadcast(1);
    const P by = one / where_less(zero, scale, scale, one);

    const Index row_size = from.row_size(panel);
    std::int32_t* to = rows.data() + panel * (x_pairs + h_pairs) * wide + lane;
    const auto pack_part = [&](Index begin, Index end) {
      for (Index row = begin; row < end; row += 2, to += row_size) {
        const P next = row + 1 < end ? weights(row + 1) : zero;
        store_pairs(weights(row) * by, next * by, to);
      }
    };
    if (x_pairs > 0) pack_part(0, from.inputs);
    pack_part(from.inputs, depth);
  }

  /// Rounds two registers and writes them as pairs.
  static void store_pairs(P first, P second, std::int32_t* to) {
    std::int16_t low[width], high[width];
    store_int16(first, low);
    store_int16(second, high);
    for (Index i = 0; i < width; ++i) to[i] = pair_of(low[i], high[i]);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
