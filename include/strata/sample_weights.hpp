#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// How much each sample of a batch, or each of its steps, weighs in the loss: one number for each
/// sample, (B), or one for each step, (B, T).
///
///   model.fit(x, y, {.sample_weight = {{1, 1, 0.5}}});
template <class Scalar>
class SampleWeights {
 public:
  /// No weights, which stands for weights of 1 for any number of samples.
  SampleWeights() = default;

  /// Weights of the samples, (B).
  SampleWeights(std::vector<Scalar> of_samples)
      : batch_(static_cast<Index>(of_samples.size())),
        steps_(of_samples.empty() ? 0 : 1),
        values_(std::move(of_samples)) {}

  /// Weights of the samples, (B, 1), or of the steps, (B, T) or (B, T, 1). Throws ShapeError on
  /// another shape.
  SampleWeights(const Tensor<Scalar>& weights) : batch_(weights.batch()) {
    if (weights.rank() == 3 && weights.features() != 1) {
      messages::fail<ShapeError>(
          {"sample weights have the shape (B,), (B, T) or (B, T, 1), found ", weights.shape()});
    }
    steps_ = batch_ == 0 ? 0 : weights.size() / batch_;
    values_.assign(weights.values().begin(), weights.values().end());
  }

  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] Index batch() const noexcept { return batch_; }
  /// T, or 1 for weights of samples.
  [[nodiscard]] Index steps() const noexcept { return steps_; }
  [[nodiscard]] const std::vector<Scalar>& values() const& noexcept { return values_; }
  const std::vector<Scalar>& values() const&& = delete;

  /// The weight of step t of sample b: that of the sample, where steps have none.
  [[nodiscard]] Scalar operator()(Index b, Index t) const noexcept {
    return values_[static_cast<std::size_t>(steps_ == 1 ? b : b * steps_ + t)];
  }

  /// The weights of `count` samples from `first` on; of an empty object, an empty one. Throws
  /// ShapeError where there are not so many samples.
  [[nodiscard]] SampleWeights rows(Index first, Index count) const {
    if (empty()) return {};
    sizes::check_range<ShapeError>("samples", first, count, "sample weights", batch_);
    SampleWeights part;
    part.batch_ = count;
    part.steps_ = steps_;
    const auto begin = values_.begin() + first * steps_;
    part.values_.assign(begin, begin + count * steps_);
    return part;
  }

  /// The weights of the samples of these numbers, in their order.
  [[nodiscard]] SampleWeights gathered(std::span<const Index> numbers) const {
    if (empty()) return {};
    SampleWeights part;
    part.batch_ = static_cast<Index>(numbers.size());
    part.steps_ = steps_;
    for (const Index number : numbers) {
      const auto begin = values_.begin() + number * steps_;
      part.values_.insert(part.values_.end(), begin, begin + steps_);
    }
    return part;
  }

  /// The weights of `count` steps from `first` on; weights of samples stay as they are.
  [[nodiscard]] SampleWeights window(Index first, Index count) const {
    if (steps_ <= 1) return *this;
    sizes::check_range<ShapeError>("steps", first, count, "sample weights", steps_);
    SampleWeights part;
    part.batch_ = batch_;
    part.steps_ = count;
    for (Index b = 0; b < batch_; ++b) {
      const auto begin = values_.begin() + b * steps_ + first;
      part.values_.insert(part.values_.end(), begin, begin + count);
    }
    return part;
  }

 private:
  Index batch_ = 0;
  Index steps_ = 0;
  std::vector<Scalar> values_;
};

/// The weights of classes by their numbers; a class that is not named weighs 1.
///
///   model.fit(x, y, {.class_weight = {{0, 1.0}, {1, 9.0}}});
using ClassWeights = std::map<Index, double>;

}  // namespace strata
