#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/error.hpp>
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
               const TrainingRun& run) {
    const std::vector<Figure> figures = run.figures();
    const auto figure = std::find_if(figures.begin(), figures.end(),
                                     [&](const Figure& one) { return one.name == monitor; });
    if (figure == figures.end()) refuse_unknown(callback, monitor, figures);
    if (mode == Mode::automatic) mode = figure->mode;
    if (mode == Mode::automatic) {
      throw ValueError(callback + ": whether " + monitor +
                       " gets better by growing or by shrinking is not known; set .mode = "
                       "Mode::max or .mode = Mode::min, or let the metric say it (static constexpr "
                       "Mode mode)");
    }
    grows_ = mode == Mode::max;
    value_.reset();
  }

  /// Whether a value is better, by more than min_delta, than the best value so far. A better value
  /// becomes the best value. A value that is not a number is never better.
  bool improves(double now, double min_delta) {
    if (is_nan(now)) return false;
    const bool better = !value_ || (grows_ ? now - min_delta > *value_ : now + min_delta < *value_);
    if (better) value_ = now;
    return better;
  }

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }

  void visit_state(StateVisitor& visit) { visit("best", value_); }

 private:
  [[noreturn]] static void refuse_unknown(const std::string& callback, const std::string& monitor,
                                          const std::vector<Figure>& figures) {
    const auto of_validation = [](const std::string& name) { return name.starts_with("val_"); };
    std::string names;
    bool validates = false;
    for (const Figure& figure : figures) {
      names += " " + figure.name;
      validates = validates || of_validation(figure.name);
    }
    throw ValueError(callback + ": there is no figure named " + monitor + "; there are:" + names +
                     (of_validation(monitor) && !validates
                          ? "; figures of validation need .validation_split or .validation_data"
                          : "; a callback that adds a figure names it in figures() and comes "
                            "before"));
  }

  std::optional<double> value_;
  bool grows_ = false;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
