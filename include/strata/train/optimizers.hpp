#pragma once

#include <cmath>

#include <strata/detail/simd.hpp>
#include <strata/target.hpp>
#include <strata/train/optimizer.hpp>

// Keras' optimizers, with Keras' formulas and defaults. Each formula is written for one weight w
// and its gradient g, and applied to a register of them at a time.

namespace strata::inline STRATA_TARGET {

/// Stochastic gradient descent, with momentum as in Polyak 1964 or Nesterov 1983.
struct SGD {
  static constexpr const char* name = "SGD";
  static constexpr bool elementwise = true;
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return momentum > 0 ? 1 : 0; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V keep = detail::constant<V>(momentum);
    if (view.slots.empty()) {
      detail::update_lanes(
          view.count, [&](V g, V& w) { w = w - rate * g; }, view.gradient, view.weights);
      return;
    }
    detail::update_lanes(
        view.count,
        [&](V g, V& w, V& m) {
          m = keep * m - rate * g;
          w = nesterov ? w + keep * m - rate * g : w + m;
        },
        view.gradient, view.weights, view.slots[0]);
  }
};

/// Tieleman & Hinton 2012; centered as in Graves 2013 (generating sequences, eqs. 38 to 45).
struct RMSprop {
  static constexpr const char* name = "RMSprop";
  static constexpr bool elementwise = true;
  double learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  Clip clip{};

  /// The mean square, the mean and the momentum, whether in use or not.
  [[nodiscard]] std::size_t slots() const { return 3; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V keep = detail::constant<V>(rho);
    const V rest = detail::constant<V>(1 - rho);
    const V small = detail::constant<V>(epsilon);
    const V inertia = detail::constant<V>(momentum);
    detail::update_lanes(
        view.count,
        [&](V g, V& w, V& square, V& mean, V& m) {
          square = keep * square + rest * g * g;
          mean = keep * mean + rest * g;
          const V variance = centered ? square - mean * mean : square;
          m = inertia * m + rate * g / sqrt(variance + small);
          w = w - m;
        },
        view.gradient, view.weights, view.slots[0], view.slots[1], view.slots[2]);
  }
};

/// Kingma & Ba 2014, algorithm 1 in the order of its section 2; amsgrad as in Reddi et al. 2018.
struct Adam {
  static constexpr const char* name = "Adam";
  static constexpr bool elementwise = true;
  double learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const {
    using V = detail::Pack<Scalar>;
    const auto t = static_cast<double>(iteration);
    const V rate = detail::constant<V>(learning_rate * std::sqrt(1 - std::pow(beta_2, t)) /
                                       (1 - std::pow(beta_1, t)));
    const V rest_1 = detail::constant<V>(1 - beta_1);
    const V rest_2 = detail::constant<V>(1 - beta_2);
    const V small = detail::constant<V>(epsilon);
    const auto moments = [&](V g, V& m, V& v) {
      m = m + rest_1 * (g - m);
      v = v + rest_2 * (g * g - v);
    };
    if (amsgrad) {
      detail::update_lanes(
          view.count,
          [&](V g, V& w, V& m, V& v, V& largest) {
            moments(g, m, v);
            largest = max(largest, v);
            w = w - rate * m / (sqrt(largest) + small);
          },
          view.gradient, view.weights, view.slots[0], view.slots[1], view.slots[2]);
    } else {
      detail::update_lanes(
          view.count,
          [&](V g, V& w, V& m, V& v) {
            moments(g, m, v);
            w = w - rate * m / (sqrt(v) + small);
          },
          view.gradient, view.weights, view.slots[0], view.slots[1]);
    }
  }
};

/// Adam with decoupled weight decay: Loshchilov & Hutter 2019.
struct AdamW {
  static constexpr const char* name = "AdamW";
  static constexpr bool elementwise = true;
  double learning_rate = 0.001;
  double weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const {
    using V = detail::Pack<Scalar>;
    const V decay = detail::constant<V>(learning_rate * weight_decay);
    detail::update_lanes(
        view.count, [&](V, V& w) { w = w - decay * w; }, view.gradient, view.weights);
    Adam{learning_rate, beta_1, beta_2, epsilon, amsgrad, clip}.update(view, iteration);
  }
};

}  // namespace strata::inline STRATA_TARGET
