#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/model/batch.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// How windows are cut out of a series.
struct WindowOptions {
  /// The steps of a window, which a model reads. At least 1.
  Index length = 1;
  /// The steps behind a window, which a model forecasts. At least 1.
  Index horizon = 1;
  /// The steps from the begin of a window to the begin of the next. At least 1.
  Index stride = 1;
  /// The features that are forecast, in this order. Empty: all features.
  std::vector<Index> targets = {};
  /// The steps of the series that are used, from `begin` up to, and without, `end`, such as the
  /// part to train on. `end` = 0: up to the last step.
  Index begin = 0;
  Index end = 0;
};

/// The windows of one or more series (B, T, F) as samples: x (., length, F), and y (., horizon
/// targets), the steps that follow the window, step by step. A source of samples, which copies
/// nothing but the windows of the batch in use; the series must outlive it.
template <class Scalar>
class SeriesWindows {
 public:
  /// Throws ShapeError on a series without steps and where no window fits, ValueError on options
  /// out of range.
  SeriesWindows(const Tensor<Scalar>& series, WindowOptions options)
      : data_(series.data()), shape_(series.shape()), options_(std::move(options)) {
    check();
    if (options_.targets.empty()) {
      options_.targets.resize(static_cast<std::size_t>(shape_[2]));
      std::iota(options_.targets.begin(), options_.targets.end(), Index{0});
    }
    const Index room = options_.end - options_.begin - options_.length - options_.horizon;
    if (room < 0) {
      messages::fail<ShapeError>({"windows: a window of ", options_.length, " steps and ",
                                  options_.horizon, " steps behind it do not fit into ",
                                  options_.end - options_.begin, " steps"});
    }
    per_series_ = room / options_.stride + 1;
  }

  /// The number of windows.
  [[nodiscard]] Index size() const noexcept { return shape_[0] * per_series_; }

  void fill(std::span<const Index> numbers, Batch<Scalar>& batch) const {
    const auto count = static_cast<Index>(numbers.size());
    batch.x.resize({count, options_.length, shape_[2]});
    Scalar* x = batch.x.data();
    for (const Index number : numbers) {
      x = std::copy_n(step(number, 0), options_.length * shape_[2], x);
    }
    write_targets(numbers, batch.y);
  }

  /// The targets of all windows, (., horizon targets), to compare forecasts with.
  [[nodiscard]] Tensor<Scalar> targets() const {
    std::vector<Index> numbers(static_cast<std::size_t>(size()));
    std::iota(numbers.begin(), numbers.end(), Index{0});
    Tensor<Scalar> y;
    write_targets(numbers, y);
    return y;
  }

  /// The step of the series at which a window begins, within its series.
  [[nodiscard]] Index first_step(Index number) const noexcept {
    return options_.begin + number % per_series_ * options_.stride;
  }

 private:
  void check() {
    if (shape_.rank() != 3 || shape_.size() == 0) {
      messages::fail<ShapeError>({"windows: expects series (B, T, F), found ", shape_});
    }
    if (options_.end == 0) options_.end = shape_[1];
    const auto at_least_1 = [](const char* name, Index value) {
      if (value >= 1) return;
      messages::fail<ValueError>({"windows: ", name, " must be at least 1, found ", value});
    };
    at_least_1("length", options_.length);
    at_least_1("horizon", options_.horizon);
    at_least_1("stride", options_.stride);
    if (options_.begin < 0 || options_.end > shape_[1] || options_.begin >= options_.end) {
      messages::fail<ValueError>({"windows: the steps from ", options_.begin, " to ", options_.end,
                                  " are not a part of ", shape_[1], " steps"});
    }
    if (options_.length > shape_[1] || options_.horizon > shape_[1]) {
      messages::fail<ShapeError>({"windows: a window of ", options_.length, " steps and ",
                                  options_.horizon, " steps behind it do not fit into ", shape_[1],
                                  " steps"});
    }
    for (const Index target : options_.targets) {
      if (target >= 0 && target < shape_[2]) continue;
      messages::fail<ValueError>(
          {"windows: the target ", target, " is none of ", shape_[2], " features"});
    }
  }

  /// Step t behind the begin of a window.
  [[nodiscard]] const Scalar* step(Index number, Index t) const noexcept {
    return data_ + (number / per_series_ * shape_[1] + first_step(number) + t) * shape_[2];
  }

  void write_targets(std::span<const Index> numbers, Tensor<Scalar>& y) const {
    const auto each = static_cast<Index>(options_.targets.size());
    y.resize({static_cast<Index>(numbers.size()), options_.horizon * each});
    Scalar* to = y.data();
    for (const Index number : numbers) {
      for (Index t = 0; t < options_.horizon; ++t) {
        const Scalar* const from = step(number, options_.length + t);
        for (const Index target : options_.targets) *to++ = from[target];
      }
    }
  }

  const Scalar* data_;
  Shape shape_;
  WindowOptions options_;
  Index per_series_ = 0;
};

/// The windows of series (B, T, F), as samples to train on and to score.
///
///   auto source = windows(series, {.length = 96, .horizon = 24});
///   model.fit(source, {.epochs = 10});
template <class Scalar>
[[nodiscard]] SeriesWindows<Scalar> windows(const Tensor<Scalar>& series, WindowOptions options) {
  return SeriesWindows<Scalar>(series, std::move(options));
}
/// The series is a temporary, and would be gone before its windows: give it a name first.
template <class Scalar>
SeriesWindows<Scalar> windows(const Tensor<Scalar>&& series, WindowOptions options) = delete;

}  // namespace strata::inline STRATA_RUNTIME
