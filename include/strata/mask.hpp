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

/// Which steps of a batch of sequences count: (B, T) flags. A step that does not count is padding:
/// recurrent layers carry their state over it, losses and metrics leave it out.
class Mask {
 public:
  /// An empty mask, which stands for one of any size in which every step counts.
  Mask() = default;

  /// A mask of B sequences of T steps, which all count. Throws ShapeError when B or T is below 1 or
  /// B T is more than memory has addresses for, MemoryError when there is no memory for the flags.
  Mask(Index batch, Index steps) : batch_(batch), steps_(steps) {
    if (batch < 1 || steps < 1) {
      messages::fail<ShapeError>({"a mask has the shape (B, T), found ", Shape{batch, steps}});
    }
    sizes::assign(flags_, sizes::count({batch, steps}), std::uint8_t{1});
  }

  /// Step t of sequence b counts where flags(b, t) is not zero. `flags` has the shape (B, T);
  /// throws ShapeError on another rank.
  template <class Scalar>
  explicit Mask(const Tensor<Scalar>& flags) {
    if (flags.rank() != 2) {
      messages::fail<ShapeError>({"a mask has the shape (B, T), found ", flags.shape()});
    }
    *this = Mask(flags.batch(), flags.features());
    std::transform(flags.values().begin(), flags.values().end(), flags_.begin(),
                   [](Scalar flag) { return flag != Scalar(0) ? 1 : 0; });
  }

  /// A mask of T = `steps` steps, of which the first lengths[b] count in sequence b. Throws
  /// ValueError unless every length is from 0 to T, ShapeError when there are no sequences or no
  /// steps.
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

  /// Whether step t of sequence b counts.
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

  /// The mask of `count` sequences from `first` on and `step_count` of their steps from
  /// `first_step` on; of an empty mask, an empty one. Throws ShapeError when the part leaves the
  /// mask or has no sequence or no step.
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
  /// The mask of `count` sequences from `first` on, with all their steps; throws as part does.
  [[nodiscard]] Mask rows(Index first, Index count) const { return part(first, count, 0, steps_); }

  /// Replaces the flags of rows.batch() sequences from `first` on. Throws ShapeError unless they
  /// are among the B and have T steps.
  void set_rows(Index first, const Mask& rows) {
    sizes::check_range<ShapeError>("sequences", first, rows.batch(), "a mask", batch_);
    if (rows.steps() != steps_) {
      messages::fail<ShapeError>({"a mask of ", steps_, " steps, found ", rows.steps()});
    }
    std::copy(rows.flags_.begin(), rows.flags_.end(), flags_.begin() + first * steps_);
  }

  /// The flags, (B, T) in C order: 1 for a step that counts, else 0.
  [[nodiscard]] std::span<std::uint8_t> flags() noexcept { return flags_; }

  [[nodiscard]] bool operator==(const Mask&) const = default;

 private:
  Index batch_ = 0;
  Index steps_ = 0;
  std::vector<std::uint8_t> flags_;
};

}  // namespace strata
