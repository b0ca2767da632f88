#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <strata/model/batch.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The validation data of a fit: a pair of samples x and targets y, or a source of samples. Empty:
/// none.
template <class Scalar>
class ValidationData {
 public:
  ValidationData() = default;
  ValidationData(Tensor<Scalar> x, Tensor<Scalar> y)
      : tensors_(std::pair{std::move(x), std::move(y)}) {}
  ValidationData(std::pair<Tensor<Scalar>, Tensor<Scalar>> x_and_y)
      : tensors_(std::move(x_and_y)) {}
  /// Keeps a copy of the source.
  template <class S>
    requires(!std::same_as<S, ValidationData> && SampleSource<S, Scalar>)
  ValidationData(S source) {
    struct Kept final : detail::AnySource<Scalar> {
      explicit Kept(S kept) : own(std::move(kept)), source(own) {}
      [[nodiscard]] Index size() const override { return source.size(); }
      void fill(std::span<const Index> numbers, Batch<Scalar>& batch) const override {
        source.fill(numbers, batch);
      }
      S own;
      detail::SourceOf<Scalar, S> source;
    };
    source_ = std::make_shared<Kept>(std::move(source));
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return tensors_.has_value() || source_ != nullptr;
  }
  /// x and y; null where there are none, or a source instead.
  [[nodiscard]] const std::pair<Tensor<Scalar>, Tensor<Scalar>>* tensors() const noexcept {
    return tensors_ ? &*tensors_ : nullptr;
  }
  /// The source; null where there is none.
  [[nodiscard]] const detail::AnySource<Scalar>* source() const noexcept { return source_.get(); }

 private:
  std::optional<std::pair<Tensor<Scalar>, Tensor<Scalar>>> tensors_;
  std::shared_ptr<const detail::AnySource<Scalar>> source_;
};

}  // namespace strata::inline STRATA_RUNTIME
