#pragma once

#include <string>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Which way a figure gets better. Automatic: the figure itself says it; losses get better as they
/// shrink, accuracies as they grow, and a metric of a user's says it by a member, `static constexpr
/// Mode mode = Mode::max`.
enum class Mode { automatic, min, max };

/// A figure that is in the logs at the end of each epoch, such as a loss or a metric. Mode
/// automatic means that nobody knows which way it gets better.
struct Figure {
  std::string name;
  Mode mode = Mode::automatic;
};

}  // namespace strata::inline STRATA_RUNTIME
