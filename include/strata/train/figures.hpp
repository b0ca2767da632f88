#pragma once

#include <string>

#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Which way a figure gets better. Automatic is what the figure says itself: losses are to shrink,
/// accuracies to grow; a metric says it by a member, `static constexpr Mode mode = Mode::max`.
enum class Mode { automatic, min, max };

/// A figure that a training tells at the end of each epoch. Of one whose mode is automatic nobody
/// knows which way it gets better.
struct Figure {
  std::string name;
  Mode mode = Mode::automatic;
};

}  // namespace strata::inline STRATA_TARGET
