#pragma once

#include <optional>
#include <string>
#include <vector>

#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/figures.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The best value so far of the figure that a callback monitors.
class Best {
 public:
  /// Begins to monitor a figure. Throws ValueError, naming the callback, when the training has no
  /// figure named `monitor`, and when neither `mode` nor the figure says which way the figure gets
  /// better.
  void monitor(const std::string& callback, const std::string& monitor, Mode mode,
               const TrainingRun& run);

  /// Whether a value is better, by more than min_delta, than the best value so far. A better value
  /// becomes the best value. A value that is not a number is never better.
  bool improves(double now, double min_delta);

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }

  void visit_state(StateVisitor& visit) { visit("best", value_); }

 private:
  [[noreturn]] static void refuse_unknown(const std::string& callback, const std::string& monitor,
                                          const std::vector<Figure>& figures);

  std::optional<double> value_;
  bool grows_ = false;
};

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/monitor_definitions.hpp>
#endif
