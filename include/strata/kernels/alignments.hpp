#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// log(e^a + e^b + e^c), lane by lane.
template <class P>
[[nodiscard]] STRATA_ALWAYS_INLINE P log_add(P a, P b, P c) {
  const P largest = greater(a, greater(b, c));
  const P sum = normal_exp(a - largest) + normal_exp(b - largest) + normal_exp(c - largest);
  return largest + log(sum);
}

/// All alignments of a label sequence with the steps of a sequence, in which each step has the
/// class of a label or blank: Graves et al. 2006, Connectionist Temporal Classification,
/// section 4.1, with logarithms in place of probabilities.
///
/// The labels l_1, ..., l_L with a blank before, between and after them are the S = 2 L + 1 places
/// of a path. A path stays at a place, goes to the next, or goes over a blank between two labels
/// that differ. It begins at one of the first two places and ends at one of the last two.
class Alignments {
 public:
  /// `log_probabilities`: log p of each class at each step, (T, C), which must outlive the object.
  /// Class 0 is the blank; labels are from 1 to C - 1. There is at least one step. Throws
  /// MemoryError when there is no memory for T (2 L + 1) numbers.
  Alignments(const double* log_probabilities, Index steps, Index classes,
             std::span<const Index> labels)
      : log_probabilities_(log_probabilities),
        steps_(steps),
        classes_(classes),
        places_(2 * static_cast<Index>(labels.size()) + 1),
        stride_(before + padded<double>(places_) + behind) {
    sizes::assign(class_of_, places_, Index{0});
    sizes::assign(over_, stride_, log_of_zero);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t place = 2 * i + 1;
      class_of_[place] = labels[i];
      if (i > 0 && labels[i] != labels[i - 1]) over_[std::size_t{before} + place] = 0;
    }
    sizes::assign(forward_, sizes::count({steps_, stride_}), log_of_zero);
    sizes::assign(emission_, stride_, log_of_zero);
    run_forward();
  }

  /// log p(labels | x), the sum over all alignments.
  [[nodiscard]] double log_likelihood() const {
    const double* const last = row(steps_ - 1) + before;
    const double end = last[places_ - 1];
    if (places_ == 1) return end;
    const double label = last[places_ - 2];
    const double largest = (std::max)(end, label);
    return largest + std::log1p(std::exp(std::min(end, label) - largest));
  }

  /// Calls f(t, shares) for each step, from the last to the first. shares[c], (C), is the share of
  /// the alignments, by their probability, that have class c at step t.
  template <class F>
  void for_each_share(F f) {
    const double likelihood = log_likelihood();
    std::vector<double> shares(static_cast<std::size_t>(classes_));
    std::vector<double> backward(static_cast<std::size_t>(stride_), log_of_zero);
    std::vector<double> ahead(static_cast<std::size_t>(stride_), log_of_zero);
    std::vector<double> path(static_cast<std::size_t>(stride_));
    double* const behind_step = backward.data() + before;
    behind_step[places_ - 1] = 0;
    if (places_ > 1) behind_step[places_ - 2] = 0;
    for (Index t = steps_ - 1; t >= 0; --t) {
      if (t + 1 < steps_) {
        emit(t + 1);
        for_each_pack([&](Index s) {
          (P::load(behind_step + s) + P::load(emission_.data() + before + s))
              .store(ahead.data() + before + s);
        });
        const double* const next = ahead.data() + before;
        const double* const over = over_.data() + before;
        for_each_pack([&](Index s) {
          const P sum = log_add(P::load(next + s), P::load(next + s + 1),
                                P::load(next + s + 2) + P::load(over + s + 2));
          at_least(log_of_zero, sum).store(behind_step + s);
        });
      }
      const double* const alpha = row(t) + before;
      const P total = P::broadcast(likelihood);
      for_each_pack([&](Index s) {
        normal_exp(P::load(alpha + s) + P::load(behind_step + s) - total).store(path.data() + s);
      });
      std::fill(shares.begin(), shares.end(), 0.0);
      for (Index s = 0; s < places_; ++s) {
        shares[static_cast<std::size_t>(class_of_[static_cast<std::size_t>(s)])] +=
            path[static_cast<std::size_t>(s)];
      }
      f(t, shares.data());
    }
  }

 private:
  using P = Pack<double>;
  // A row begins and ends with places that no path visits.
  static constexpr Index before = 2;
  static constexpr Index behind = 2 + register_width<double>;

  [[nodiscard]] double* row(Index t) { return forward_.data() + t * stride_; }
  [[nodiscard]] const double* row(Index t) const { return forward_.data() + t * stride_; }

  template <class F>
  void for_each_pack(F f) const {
    for (Index s = 0; s < places_; s += P::width) f(s);
  }

  /// Sets the emissions to log p of the class of each place at step t.
  void emit(Index t) {
    const double* const of_step = log_probabilities_ + t * classes_;
    for (Index s = 0; s < places_; ++s) {
      emission_[static_cast<std::size_t>(before + s)] =
          of_step[class_of_[static_cast<std::size_t>(s)]];
    }
  }

  void run_forward() {
    emit(0);
    double* const first = row(0) + before;
    const double* const emission = emission_.data() + before;
    const double* const over = over_.data() + before;
    first[0] = emission[0];
    if (places_ > 1) first[1] = emission[1];
    for (Index t = 1; t < steps_; ++t) {
      emit(t);
      const double* const last = row(t - 1) + before;
      double* const now = row(t) + before;
      for_each_pack([&](Index s) {
        const P sum = log_add(P::load(last + s), P::load(last + s - 1),
                              P::load(last + s - 2) + P::load(over + s));
        at_least(log_of_zero, sum + P::load(emission + s)).store(now + s);
      });
    }
  }

  const double* log_probabilities_;
  Index steps_;
  Index classes_;
  /// S
  Index places_;
  /// The numbers of a row of places.
  Index stride_;
  std::vector<Index> class_of_;
  /// For each place: 0 where a path may come from the label before the last blank, else log of 0.
  std::vector<double> over_;
  /// log of the probability of all paths up to a place at a step, with the class there, (T,
  /// stride).
  std::vector<double> forward_;
  std::vector<double> emission_;
};

}  // namespace strata::detail::inline STRATA_TARGET
