#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/monitor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

STRATA_INLINE void Best::monitor(const std::string& callback, const std::string& monitor, Mode mode,
                                 const TrainingRun& run) {
  const std::vector<Figure> figures = run.figures();
  const auto figure = std::find_if(figures.begin(), figures.end(),
                                   [&](const Figure& one) { return one.name == monitor; });
  if (figure == figures.end()) refuse_unknown(callback, monitor, figures);
  if (mode == Mode::automatic) mode = figure->mode;
  if (mode == Mode::automatic) {
    detail::raise<ValueError>(
        callback + ": whether " + monitor +
        " gets better by growing or by shrinking is not known; set .mode = "
        "Mode::max or .mode = Mode::min, or let the metric say it (static constexpr "
        "Mode mode)");
  }
  grows_ = mode == Mode::max;
  value_.reset();
}

STRATA_INLINE bool Best::improves(double now, double min_delta) {
  if (is_nan(now)) return false;
  const bool better = !value_ || (grows_ ? now - min_delta > *value_ : now + min_delta < *value_);
  if (better) value_ = now;
  return better;
}

STRATA_INLINE void Best::refuse_unknown(const std::string& callback, const std::string& monitor,
                                        const std::vector<Figure>& figures) {
  const auto of_validation = [](const std::string& name) { return name.starts_with("val_"); };
  std::string names;
  bool validates = false;
  for (const Figure& figure : figures) {
    names += " " + figure.name;
    validates = validates || of_validation(figure.name);
  }
  detail::raise<ValueError>(
      callback + ": there is no figure named " + monitor + "; there are:" + names +
      (of_validation(monitor) && !validates
           ? "; figures of validation need .validation_split or .validation_data"
           : "; a callback that adds a figure names it in figures() and comes "
             "before"));
}

}  // namespace strata::detail::inline STRATA_RUNTIME
