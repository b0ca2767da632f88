#pragma once

#include <algorithm>

#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// K Gaussians over the L places of a text (Graves 2013, Generating sequences with recurrent neural
/// networks, equations 46 to 51). Each place u = 1 ... L holds a vector c_u of V numbers.
///
///   phi(u) = sum over k of alpha_k exp(-beta_k (kappa_k - u)^2), w = sum over u of phi(u) c_u,
///   alpha, beta = exp of their products with h, kappa' = kappa + exp(its product with h).
///
/// A record holds what backward needs of one step: alpha, beta and the advance of kappa, K numbers
/// each, then phi of all places, padded to whole registers.
template <class Scalar>
class GaussianWindow {
  using P = Pack<Scalar>;

 public:
  GaussianWindow() = default;
  GaussianWindow(Index gaussians, Index length, Index characters)
      : gaussians_(gaussians), length_(length), characters_(characters) {}

  [[nodiscard]] Index parameters() const noexcept { return 3 * gaussians_; }
  [[nodiscard]] Index record_size() const noexcept {
    return parameters() + padded<Scalar>(length_);
  }
  [[nodiscard]] Index text_size() const noexcept { return length_ * characters_; }

  /// Takes the logarithms of alpha, beta and the advance from the front of the record and puts
  /// the record in their place. Writes kappa after the step, which may lie over kappa before it,
  /// and w. `text`: (L, V), or null for zeros.
  void move(Scalar* record, const Scalar* kappa_before, Scalar* kappa, const Scalar* text,
            Scalar* w) const noexcept {
    transform(
        parameters(), record, [](P v) { return exp(v); }, static_cast<const Scalar*>(record));
    for (Index k = 0; k < gaussians_; ++k) kappa[k] = kappa_before[k] + advance(record)[k];
    std::fill_n(w, characters_, Scalar(0));
    if (!text) return;
    Scalar* const phi = record + parameters();
    for (Index first = 0; first < length_; first += P::width) {
      P sum = P::broadcast(0);
      for (Index k = 0; k < gaussians_; ++k) {
        const P distance = P::broadcast(kappa[k]) - places(first);
        sum = multiply_add(P::broadcast(alpha(record)[k]), bell(beta(record)[k], distance), sum);
      }
      sum.store(phi + first);
    }
    for (Index u = 0; u < length_; ++u) {
      if (phi[u] != 0) add_scaled(characters_, phi[u], text + u * characters_, w);
    }
  }

  /// The step back, with kappa before the step. Replaces alpha, beta and the advance in the record
  /// by the derivatives by their logarithms, and phi by the derivatives by it. `dkappa` are the
  /// derivatives by kappa after the step, to which the parts of phi are added; the sums are the
  /// derivatives by kappa before the step. Adds the derivatives by the text to `dtext`, unless it
  /// is null.
  void move_back(Scalar* record, const Scalar* kappa_before, const Scalar* text, const Scalar* dw,
                 Scalar* dkappa, Scalar* dtext) const noexcept {
    if (!text) {
      std::fill_n(record, 2 * gaussians_, Scalar(0));
      for (Index k = 0; k < gaussians_; ++k) advance(record)[k] *= dkappa[k];
      return;
    }
    Scalar* const dphi = record + parameters();
    for (Index u = 0; u < length_; ++u) {
      // A place outside of all Gaussians has no part in w.
      if (dphi[u] == 0) continue;
      if (dtext) add_scaled(characters_, dphi[u], dw, dtext + u * characters_);
      dphi[u] = dot(characters_, dw, text + u * characters_);
    }
    std::fill(dphi + length_, dphi + padded<Scalar>(length_), Scalar(0));
    for (Index k = 0; k < gaussians_; ++k) {
      const P kappa = P::broadcast(kappa_before[k] + advance(record)[k]);
      P mass = P::broadcast(0);
      P first_moment = mass;
      P second_moment = mass;
      for (Index first = 0; first < length_; first += P::width) {
        const P distance = kappa - places(first);
        const P part = bell(beta(record)[k], distance) * P::load(dphi + first);
        mass = mass + part;
        first_moment = multiply_add(part, distance, first_moment);
        second_moment = multiply_add(part * distance, distance, second_moment);
      }
      Scalar& a = alpha(record)[k];
      Scalar& b = beta(record)[k];
      dkappa[k] -= 2 * a * b * sum(first_moment);
      b *= -a * sum(second_moment);
      a *= sum(mass);
      advance(record)[k] *= dkappa[k];
    }
  }

 private:
  [[nodiscard]] Scalar* alpha(Scalar* record) const noexcept { return record; }
  [[nodiscard]] Scalar* beta(Scalar* record) const noexcept { return record + gaussians_; }
  [[nodiscard]] Scalar* advance(Scalar* record) const noexcept { return record + 2 * gaussians_; }

  /// The numbers u of the places from `first` + 1 on.
  [[nodiscard]] static STRATA_ALWAYS_INLINE P places(Index first) {
    Scalar lanes[P::width];
    for (Index lane = 0; lane < P::width; ++lane) {
      lanes[lane] = static_cast<Scalar>(first + lane + 1);
    }
    return P::load(lanes);
  }

  /// exp(-beta distance^2); 0 where it is below e^-60, which adds nothing to w and could become a
  /// denormal number.
  [[nodiscard]] static STRATA_ALWAYS_INLINE P bell(Scalar beta, P distance) {
    const P least = P::broadcast(-60);
    const P exponent = P::broadcast(-beta) * distance * distance;
    return where_less(exponent, least, P::broadcast(0), exp(greater(exponent, least)));
  }

  Index gaussians_ = 0;
  Index length_ = 0;
  Index characters_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
