#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include <strata/contracts/held.hpp>
#include <strata/contracts/pooling_layer.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The mean of a sequence over its steps, without masked steps, as Keras' GlobalAveragePooling1D:
/// (B, T, F) to (B, F). The mean of a sequence whose steps are all masked is zeros. The layer needs
/// the whole sequence, so it cannot stream.
template <class Scalar = float>
class MeanOverSteps : public detail::PoolingLayer<MeanOverSteps, Scalar> {
  using Base = detail::PoolingLayer<MeanOverSteps, Scalar>;

 public:
  using typename Base::Packed, typename Base::Tape;

  static constexpr const char* name = "MeanOverSteps";

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize({x.batch(), x.features()});
    detail::fill(y.values(), Scalar(0));
    for (Index b = 0; b < x.batch(); ++b) {
      const Scalar share = share_of_step(x, b, pass);
      this->for_each_step(x, b, pass, [&](Index t) {
        detail::matrix_of(y).row(b) += share * detail::sequence_of(x, b).row(t);
      });
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>& pass) const {
    if (!dx) return;
    dx->resize(x.shape());
    detail::fill(dx->values(), Scalar(0));
    for (Index b = 0; b < x.batch(); ++b) {
      const Scalar share = share_of_step(x, b, pass);
      this->for_each_step(x, b, pass, [&](Index t) {
        detail::sequence_of(*dx, b).row(t) = share * detail::matrix_of(std::as_const(dy)).row(b);
      });
    }
  }

 private:
  /// 1 / the number of steps of sequence b that count; infinite where none does.
  [[nodiscard]] Scalar share_of_step(const Tensor<Scalar>& x, Index b,
                                     const Pass<Scalar>& pass) const {
    Index count = 0;
    this->for_each_step(x, b, pass, [&](Index) { ++count; });
    return Scalar(1) / static_cast<Scalar>(count);
  }
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<MeanOverSteps<Scalar>> : HeldAs<HeldKind::mean_over_steps> {};

}  // namespace strata::detail
