#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// Which steps of a batch of sequences count: a flag for each step of each sequence. A step that
/// does not count is padding: recurrent layers carry their state over it, losses and metrics leave
/// it out.
class Mask {
 public:
  /// Nothing is known: every step counts.
  Mask() = default;

  /// All T steps of B sequences count. Throws ShapeError on sizes below 1 and on a product of them
  /// that cannot be counted, MemoryError when there is no memory for it.
  Mask(Index batch, Index steps) : batch_(batch), steps_(steps) {
    if (batch < 1 || steps < 1) {
      messages::fail<ShapeError>({"a mask has the shape (B, T), found ", Shape{batch, steps}});
    }
    sizes::assign(flags_, sizes::count({batch, steps}), std::uint8_t{1});
  }

  /// Flags of shape (B, T); those that are not zero count. Throws ShapeError on another rank.
  template <class Scalar>
  explicit Mask(const Tensor<Scalar>& flags) {
    if (flags.rank() != 2) {
      messages::fail<ShapeError>({"a mask has the shape (B, T), found ", flags.shape()});
    }
    *this = Mask(flags.batch(), flags.features());
    std::transform(flags.values().begin(), flags.values().end(), flags_.begin(),
                   [](Scalar flag) { return flag != Scalar(0) ? 1 : 0; });
  }

  /// The first lengths[b] steps of sequence b count, of T. Throws ValueError unless every length is
  /// from 0 to T.
  [[nodiscard]] static Mask from_lengths(std::span<const Index> lengths, Index steps) {
    Mask mask(static_cast<Index>(lengths.size()), steps);
    for (Index b = 0; b < mask.batch(); ++b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      if (length < 0 || length > steps) {
        messages::fail<ValueError>(
            {"the length of sequence ", b, " must be from 0 to ", steps, " steps, found ", length});
      }
      for (Index t = length; t < steps; ++t) mask.set(b, t, false);
    }
    return mask;
  }

  [[nodiscard]] bool empty() const noexcept { return flags_.empty(); }
  [[nodiscard]] Index batch() const noexcept { return batch_; }
  [[nodiscard]] Index steps() const noexcept { return steps_; }

  [[nodiscard]] bool operator()(Index b, Index t) const noexcept {
    return flags_[static_cast<std::size_t>(b * steps_ + t)] != 0;
  }
  void set(Index b, Index t, bool counts) noexcept {
    flags_[static_cast<std::size_t>(b * steps_ + t)] = counts ? 1 : 0;
  }

  /// The number of steps that count.
  [[nodiscard]] Index count() const noexcept {
    return static_cast<Index>(std::count(flags_.begin(), flags_.end(), std::uint8_t{1}));
  }

  /// The mask of these sequences and steps. Of an empty mask, an empty one. Throws ShapeError when
  /// they leave the mask, or are none.
  [[nodiscard]] Mask part(Index first, Index count, Index first_step, Index step_count) const {
    if (empty()) return {};
    sizes::check_range<ShapeError>("sequences", first, count, "a mask", batch_);
    sizes::check_range<ShapeError>("steps", first_step, step_count, "a mask", steps_);
    Mask mask(count, step_count);
    for (Index b = 0; b < count; ++b) {
      for (Index t = 0; t < step_count; ++t) mask.set(b, t, (*this)(first + b, first_step + t));
    }
    return mask;
  }
  [[nodiscard]] Mask rows(Index first, Index count) const { return part(first, count, 0, steps_); }

  [[nodiscard]] bool operator==(const Mask&) const = default;

 private:
  Index batch_ = 0;
  Index steps_ = 0;
  std::vector<std::uint8_t> flags_;
};

}  // namespace strata
