#pragma once

#include <algorithm>

#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/support/dropout_mask.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Keeps the state of a sequence over a step: the whole state at a masked step, single numbers of
/// it with zoneout. The state is h, `outputs` numbers, and the memories, `memories` times `units`
/// (padded) numbers.
template <class Scalar>
class Carry {
 public:
  struct Rates {
    double output = 0;
    double memory = 0;
  };

  /// Without `random` zoneout takes the mean of the old and the new number, as in prediction.
  Carry(const Scan<Scalar>& scan, const Mask* mask, Rates rates, const Random* random)
      : scan_(scan), mask_(mask), rates_(rates), random_(random) {}

  [[nodiscard]] bool is_active() const noexcept {
    return mask_ || rates_.output > 0 || rates_.memory > 0;
  }
  /// Whether a step of a sequence counts.
  [[nodiscard]] bool counts(Index step, Index b) const noexcept {
    return !mask_ || (*mask_)(b, scan_.x_step(step));
  }

  /// After the cell's step: puts the kept numbers of the old state back.
  void apply(Index step) const {
    if (!is_active()) return;
    const auto h_before = scan_.h_carried(step);
    const auto h = scan_.h_rows(step);
    const auto memory_before = scan_.memory_rows(step);
    const auto memory = scan_.memory_rows(step + 1);
    for (Index b = 0; b < scan_.batch; ++b) {
      const bool masked = !counts(step, b);
      blend(h_before ? h_before(b) : nullptr, h(b), scan_.outputs, masked, rates_.output,
            position(step, b));
      blend(memory_before(b), memory(b), scan_.memory_size, masked, rates_.memory,
            position(step, b) + scan_.outputs);
    }
  }

  /// Before the cell's step back: moves the derivatives by kept numbers from d to `kept`.
  void split(Index step, Rows<Scalar> dh, Rows<Scalar> dmemory, Rows<Scalar> kept) const {
    for (Index b = 0; b < scan_.batch; ++b) {
      const bool masked = !counts(step, b);
      divide(dh(b), kept(b), scan_.outputs, masked, rates_.output, position(step, b));
      divide(dmemory(b), kept(b) + scan_.outputs, scan_.memory_size, masked, rates_.memory,
             position(step, b) + scan_.outputs);
    }
  }

  /// After the cell's step back: adds `kept` to the derivatives by the state before the step.
  void join(Rows<Scalar> dh, Rows<Scalar> dmemory, Rows<Scalar> kept) const {
    for (Index b = 0; b < scan_.batch; ++b) {
      for (Index i = 0; i < scan_.outputs; ++i) dh(b)[i] += kept(b)[i];
      for (Index i = 0; i < scan_.memory_size; ++i) dmemory(b)[i] += kept(b)[scan_.outputs + i];
    }
  }

 private:
  [[nodiscard]] Index position(Index step, Index b) const noexcept {
    return (step * scan_.batch + b) * (scan_.outputs + scan_.memory_size);
  }

  /// The share of a number that is kept.
  [[nodiscard]] Scalar share(double rate, Index at) const {
    if (!random_) return static_cast<Scalar>(rate);
    return Random::to_unit(random_->at(static_cast<std::uint64_t>(at))) < rate ? 1 : 0;
  }

  void blend(const Scalar* before, Scalar* now, Index size, bool masked, double rate,
             Index at) const {
    if (masked) {
      if (before)
        std::copy_n(before, size, now);
      else
        std::fill_n(now, size, Scalar(0));
    } else if (rate > 0) {
      for (Index i = 0; i < size; ++i) {
        const Scalar kept = share(rate, at + i);
        now[i] = kept * (before ? before[i] : Scalar(0)) + (1 - kept) * now[i];
      }
    }
  }

  void divide(Scalar* d, Scalar* kept, Index size, bool masked, double rate, Index at) const {
    for (Index i = 0; i < size; ++i) {
      const Scalar part = masked ? Scalar(1) : rate > 0 ? share(rate, at + i) : Scalar(0);
      kept[i] = part * d[i];
      d[i] -= kept[i];
    }
  }

  const Scan<Scalar>& scan_;
  const Mask* mask_;
  Rates rates_;
  const Random* random_;
};

}  // namespace strata::detail::inline STRATA_TARGET
