#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <type_traits>

#include <strata/shape.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// A view of one sample of a tensor: the steps of a sequence, (T, F), or a row, (1, F). Access is
/// not checked for range in Release builds.
template <class Scalar>
class SequenceView {
 public:
  /// A view of nothing.
  SequenceView() = default;
  SequenceView(Scalar* data, Index steps, Index features) noexcept
      : data_(data), steps_(steps), features_(features) {}
  /// A view that can write serves as one that can read.
  operator SequenceView<const Scalar>() const noexcept requires(!std::is_const_v<Scalar>) {
    return {data_, steps_, features_};
  }

  [[nodiscard]] bool empty() const noexcept { return steps_ * features_ == 0; }
  /// T; 1 for a row.
  [[nodiscard]] Index steps() const noexcept { return steps_; }
  /// F
  [[nodiscard]] Index features() const noexcept { return features_; }

  [[nodiscard]] Scalar& operator()(Index t, Index f) const noexcept {
    eigen_assert(t >= 0 && t < steps_ && f >= 0 && f < features_);
    return data_[t * features_ + f];
  }
  /// The features of step t.
  [[nodiscard]] std::span<Scalar> step(Index t) const noexcept {
    eigen_assert(t >= 0 && t < steps_);
    return {data_ + t * features_, static_cast<std::size_t>(features_)};
  }
  /// All values, step by step.
  [[nodiscard]] std::span<Scalar> values() const noexcept {
    return {data_, static_cast<std::size_t>(steps_ * features_)};
  }
  [[nodiscard]] Scalar* data() const noexcept { return data_; }

 private:
  Scalar* data_ = nullptr;
  Index steps_ = 0;
  Index features_ = 0;
};

/// Sample b of a tensor.
template <class Scalar>
[[nodiscard]] SequenceView<const Scalar> sample_of(const Tensor<Scalar>& tensor, Index b) noexcept {
  return {tensor.data() + b * tensor.steps() * tensor.features(), tensor.steps(),
          tensor.features()};
}

}  // namespace strata
