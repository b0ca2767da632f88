#pragma once

#include <algorithm>
#include <span>

#include <strata/contracts/wrapper_layer.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Applies a layer that takes samples to each step of a sequence by itself: (B, T, F) to (B, T, U).
///
///   TimeDistributed{Dense{3}}
template <class L>
class TimeDistributed : public detail::WrapperLayer<TimeDistributed, L> {
  using Base = detail::WrapperLayer<TimeDistributed, L>;
  using Base::layer_;
  static_assert(L::accepts == Accepts::any && L::returns == Returns::same,
                "strata: TimeDistributed is for a layer that takes samples (B, F) and returns "
                "samples, such as Dense; a layer that takes sequences needs none");

 public:
  using typename Base::Scalar;
  static constexpr const char* name = "TimeDistributed";
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::same;
  static constexpr LayerTraits traits{.streams = L::traits.streams,
                                      .absorb = true,
                                      .mixes_sequences = detail::mixes_sequences_of<L>(),
                                      .skip = detail::inner_skips<L>,
                                      .list_state = true,
                                      .execution = true};

  using Base::Base;

  using Packed = detail::InnerPacked<L>;

  struct Tape {
    detail::InnerTape<L> layer;
    Tensor<Scalar> y;
    Mask mask;
  };

  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.bounded = strata::execution(layer_, asked).bounded};
  }

  void pack(Packed& packed, bool training) const { detail::inner(layer_).pack(packed, training); }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tensor<Scalar> samples;
    Mask mask;
    detail::inner(layer_).forward(packed, samples_of(x), samples, pass_of(pass, mask));
    join(x, samples, y);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    detail::inner(layer_).forward(packed, samples_of(x), tape.layer, tape.y,
                                  pass_of(pass, tape.mask));
    join(x, tape.y, y);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    auto dy_samples = Tensor<Scalar>::view(dy.data(), tape.y.shape());
    Tensor<Scalar> dx_samples;
    detail::inner(layer_).backward(packed, samples_of(x), tape.y, dy_samples, tape.layer, gradient,
                                   dx ? &dx_samples : nullptr, pass_of(pass, tape.mask));
    if (dx) join(x, dx_samples, *dx);
  }

 private:
  [[nodiscard]] static const Tensor<Scalar> samples_of(const Tensor<Scalar>& x) {
    return Tensor<Scalar>::view(x.data(), {x.batch() * x.steps(), x.features()});
  }

  /// The pass of the inner layer, for which every step is a sample: the mask (B, T) becomes a mask
  /// (B T, 1), which is stored in `mask`.
  [[nodiscard]] static Pass<Scalar> pass_of(const Pass<Scalar>& pass, Mask& mask) {
    if (!pass.mask) return {.random = pass.random};
    const Index steps = pass.mask->steps();
    mask = Mask(pass.mask->batch() * steps, 1);
    for (Index row = 0; row < mask.batch(); ++row) {
      mask.set(row, 0, (*pass.mask)(row / steps, row % steps));
    }
    return {.random = pass.random, .mask = &mask};
  }

  /// Copies samples (B T, U) to y (B, T, U); B and T are those of x.
  static void join(const Tensor<Scalar>& x, const Tensor<Scalar>& samples, Tensor<Scalar>& y) {
    y.resize({x.batch(), x.steps(), samples.features()});
    detail::copy(samples.values(), y.data());
  }
};

template <class L>
TimeDistributed(L) -> TimeDistributed<L>;

}  // namespace strata::inline STRATA_TARGET
