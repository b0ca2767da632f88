#pragma once

namespace strata {

/// The order in which one step of one sequence reads a layer's weights. A stream turns it from step
/// to step, so that a step begins with the weights that the step before left in the cache. It
/// changes no result.
enum class WeightOrder { ascending, descending };

/// The other order.
[[nodiscard]] constexpr WeightOrder turned(WeightOrder order) noexcept {
  return order == WeightOrder::ascending ? WeightOrder::descending : WeightOrder::ascending;
}

}  // namespace strata
