#pragma once

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>

namespace strata {

/// The shape of one sample, so that a model knows its sizes before it sees data.
class Input {
 public:
  /// Samples of F features, data (B, F). Before an Embedding: T class numbers for each sequence,
  /// data (B, T), where T may be Dynamic. Throws ValueError on sizes below 1.
  explicit Input(Index features) : features_(features) { check(); }

  /// Sequences of T steps of F features, data (B, T, F). `steps` is Dynamic for sequences of any
  /// length. Throws ValueError on sizes below 1.
  Input(Index steps, Index features) : rank_(3), steps_(steps), features_(features) { check(); }

  /// The shape of a batch, with a Dynamic number of samples.
  [[nodiscard]] Shape shape() const {
    return rank_ == 3 ? Shape{Dynamic, steps_, features_} : Shape{Dynamic, features_};
  }
  [[nodiscard]] Index features() const noexcept { return features_; }

  [[nodiscard]] bool operator==(const Input&) const = default;

 private:
  void check() const {
    if (rank_ == 3 || features_ != Dynamic) sizes::check("Input", "features", features_);
    if (steps_ == Dynamic) return;
    if (steps_ < 1) {
      detail::fail<ValueError>({"Input: steps must be at least 1, or Dynamic, found ", steps_});
    }
    sizes::check("Input", "steps", steps_);
    (void)sizes::count({steps_, features_});
  }

  Index rank_ = 2;
  Index steps_ = Dynamic;
  Index features_ = Dynamic;
};

}  // namespace strata
