#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include <strata/base/half.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/half.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The weights of a gated cell as 16-bit floats, for steps of one sequence. They lie in the panels
/// of GatePacked, row after row.
template <class Gates>
struct HalfWeights {
  using Full = GatePacked<float, Gates>;
  static constexpr Index width = Full::width;
  static constexpr Index wide = Full::wide;

  /// F + R.
  Index depth = 0;
  /// Panel after panel, F rows of the kernel and R rows of the recurrent kernel.
  Buffer<std::uint16_t> rows;

  /// Whether 16-bit floats reach as far as these weights.
  [[nodiscard]] static bool can_hold(std::span<const float> weights) noexcept {
    for (const float weight : weights) {
      if (std::abs(weight) > largest_half) return false;
    }
    return true;
  }

  [[nodiscard]] bool is_empty() const noexcept { return depth == 0; }
  void clear() noexcept { depth = 0; }

  [[nodiscard]] const std::uint16_t* panel_rows(Index panel) const noexcept {
    return rows.data() + panel * depth * wide;
  }

  /// Takes the weights from packed ones.
  void pack(const Full& from) {
    depth = from.depth();
    rows.resize(depth * from.row_sizes());
    for (Index panel = 0; panel < from.panels; ++panel) {
      const Index row_size = from.row_size(panel);
      for (Index lane = 0; lane < row_size; lane += width) {
        const auto [weights, step] = from.from_lane(panel, lane);
        std::uint16_t* const to = rows.data() + panel * depth * wide + lane;
        for (Index row = 0; row < depth; ++row) {
          store_half(Pack<float>::load(weights + row * step), to + row * row_size);
        }
      }
    }
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
