#pragma once

#include <concepts>
#include <span>

#include <strata/mask.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/shards.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Samples by number, from 0 to size() - 1, that need not be in memory: read from files, computed,
/// or cut out of a long series.
///
///   struct Recordings {
///     Index size() const;
///     void fill(std::span<const Index> numbers, Batch<float>& batch) const;
///   };
///   model.fit(Recordings{...}, {.epochs = 3});
///
/// fill sets batch.x and batch.y to the samples of these numbers, in their order and, where the
/// samples have them, batch.mask and batch.sample_weight, which are empty before. The batch has the
/// memory of an earlier one, so that `batch.x.resize(shape)` costs nothing. A sample must be the
/// same at each call, and fill may be called by another thread than the training's, but never by
/// two at once. The number of steps may differ from batch to batch.
template <class S, class Scalar>
concept SampleSource = requires(const S& source, std::span<const Index> numbers,
                                Batch<Scalar>& batch) {
  { source.size() } -> std::convertible_to<Index>;
  source.fill(numbers, batch);
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// A source of samples without its type.
template <class Scalar>
class AnySource {
 public:
  AnySource() = default;
  AnySource(const AnySource&) = delete;
  AnySource& operator=(const AnySource&) = delete;
  virtual ~AnySource() = default;

  [[nodiscard]] virtual Index size() const = 0;
  virtual void fill(std::span<const Index> numbers, Batch<Scalar>& batch) const = 0;
  /// The same for samples in memory; of x the rows of `own` alone need be set, in a tensor of the
  /// whole batch's shape.
  virtual void fill(std::span<const Index> numbers, [[maybe_unused]] const Shard& own,
                    Batch<Scalar>& batch) const {
    fill(numbers, batch);
  }
  /// All samples, where they are in memory; else null.
  [[nodiscard]] virtual const Batch<Scalar>* all() const noexcept { return nullptr; }
};

/// A source of a user's, which must outlive this object.
template <class Scalar, class S>
class SourceOf final : public AnySource<Scalar> {
 public:
  using AnySource<Scalar>::fill;

  explicit SourceOf(const S& source) : source_(&source) {}

  [[nodiscard]] Index size() const override { return static_cast<Index>(source_->size()); }
  void fill(std::span<const Index> numbers, Batch<Scalar>& batch) const override {
    batch.mask = Mask();
    batch.sample_weight = {};
    batch.state = {};
    source_->fill(numbers, batch);
  }

 private:
  const S* source_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
