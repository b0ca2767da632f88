#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/pair_sums.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// In the place of Int16Weights for scalars other than float.
struct NoInt16Weights {
  [[nodiscard]] bool is_empty() const noexcept { return true; }
};

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
  using Traits = GateTraits<Gates>;
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

  void clear() noexcept { x_pairs = h_pairs = 0; }

  /// Takes the weights from packed ones.
  void pack(const Full& from, bool with_x) {
    x_pairs = with_x ? pairs(from.inputs) : 0;
    h_pairs = pairs(from.outputs);
    rows.resize((x_pairs + h_pairs) * from.row_sizes());
    factors.resize(from.row_sizes());
    std::fill_n(rows.data(), rows.size(), 0);
    for (Index panel = 0; panel < from.panels; ++panel) {
      for (Index lane = 0; lane < from.row_size(panel); ++lane) pack_lane(from, panel, lane);
    }
  }

 private:
  [[nodiscard]] static Index pairs(Index inputs) noexcept { return (inputs + 1) / 2; }

  /// The weights of one slot of one unit.
  void pack_lane(const Full& from, Index panel, Index lane) {
    const Index first = x_pairs > 0 ? 0 : from.inputs;
    const auto weight = [&](Index row) { return double(from.weight(panel, row, lane)); };
    double largest = 0, sum = 0;
    for (Index row = first; row < from.depth(); ++row) {
      const double size = std::abs(weight(row));
      largest = std::max(largest, size);
      sum += size;
    }
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    const double rounding = 0.5 * int16_one * static_cast<double>(from.depth() - first);
    const double scale = std::max(largest / std::numeric_limits<std::int16_t>::max(),
                                  sum * int16_one / (most - rounding));
    factors.data()[panel * wide + lane] = static_cast<float>(scale / int16_one);
    if (scale <= 0) return;
    std::int32_t* const to = rows.data() + panel * (x_pairs + h_pairs) * wide + lane;
    const Index row_size = from.row_size(panel);
    const auto integer = [&](Index row, Index end) {
      return row < end ? static_cast<std::int16_t>(std::nearbyint(weight(row) / scale))
                       : std::int16_t{0};
    };
    const auto pack_part = [&](Index first_pair, Index count, Index begin, Index end) {
      for (Index pair = 0; pair < count; ++pair) {
        const Index row = begin + 2 * pair;
        to[(first_pair + pair) * row_size] = pair_of(integer(row, end), integer(row + 1, end));
      }
    };
    pack_part(0, x_pairs, 0, from.inputs);
    pack_part(x_pairs, h_pairs, from.inputs, from.depth());
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
