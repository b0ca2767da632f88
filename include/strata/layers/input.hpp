#pragma once

#include <strata/shape.hpp>

namespace strata {

/// The shape of one sample, so that a model knows its sizes before it sees data.
class Input {
 public:
  /// Samples of F features: data (B, F).
  explicit Input(Index features) : features_(features) {}

  /// Sequences of T steps of F features: data (B, T, F). Steps may be Dynamic: any number.
  Input(Index steps, Index features) : rank_(3), steps_(steps), features_(features) {}

  /// The shape of a batch, of which the number of samples is Dynamic.
  [[nodiscard]] Shape shape() const {
    return rank_ == 3 ? Shape{Dynamic, steps_, features_} : Shape{Dynamic, features_};
  }
  [[nodiscard]] Index features() const noexcept { return features_; }

 private:
  Index rank_ = 2;
  Index steps_ = Dynamic;
  Index features_ = Dynamic;
};

}  // namespace strata
