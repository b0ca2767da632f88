#pragma once

#include <cmath>

#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error_handler.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>
#include <strata/train/optimizer.hpp>

// Keras' optimizers, with Keras' formulas and defaults. Each formula is written for one weight w
// and its gradient g, and computed for a register of weights at a time.

namespace strata::detail::inline STRATA_RUNTIME {

/// The gradient, limited in size so that its square is finite. Rules that divide by the root of a
/// mean square need the limit to keep the numbers that they remember finite. The step stays right,
/// since it hardly depends on the size of the gradient.
template <class V, class Scalar>
[[nodiscard]] STRATA_ALWAYS_INLINE V with_finite_square(V gradient) {
  // Less than half of the root of Scalar's largest number.
  const V limit = constant<V>(sizeof(Scalar) == 4 ? 9e18 : 6.5e153);
  return greater(constant<V>(0) - limit, lesser(limit, gradient));
}

inline void check_decay_rate(const char* rule, const char* setting, double value) {
  check_setting(rule, setting, value, value >= 0 && value < 1, "at least 0 and below 1");
}
inline void check_momentum(const char* rule, double momentum) {
  check_setting(rule, "momentum", momentum, momentum >= 0 && momentum <= 1, "from 0 to 1");
}
inline void check_epsilon(const char* rule, double epsilon) {
  check_setting(rule, "epsilon", epsilon, epsilon >= 0, "at least 0 and finite");
}
inline void check_adam(const char* rule, double beta_1, double beta_2, double epsilon) {
  check_decay_rate(rule, "beta_1", beta_1);
  check_decay_rate(rule, "beta_2", beta_2);
  check_epsilon(rule, epsilon);
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Stochastic gradient descent: w := w - rate g; with momentum as in Polyak 1964 or Nesterov 1983.
///
///   model.compile(SGD{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}, Huber{});
struct SGD {
  static constexpr const char* name = "SGD";
  static constexpr bool elementwise = true;
  /// At least 0. 0.01, as in Keras, suits data of about 1.
  double learning_rate = 0.01;
  /// The share of the last step, from 0 to 1, that is added to the next step. 0: plain descent,
  /// which remembers nothing; 0.9 is usual.
  double momentum = 0;
  /// Whether the gradient is taken as if the momentum's step had been made already. Needs momentum.
  bool nesterov = false;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a momentum outside 0 to 1, and on Nesterov's without momentum.
  void check() const {
    detail::check_momentum(name, momentum);
    if (nesterov && momentum == 0) {
      detail::raise<ValueError>("SGD: nesterov needs a momentum above 0, but momentum is 0");
    }
  }

  [[nodiscard]] std::size_t slots() const { return momentum > 0 ? 1 : 0; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const noexcept {
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

/// Divides gradients by the root of their mean square: Tieleman & Hinton 2012; centered as in
/// Graves 2013 ("Generating sequences with recurrent neural networks", equations 38 to 45).
///
///   model.compile(RMSprop{.learning_rate = 1e-3, .centered = true}, MeanSquaredError{});
struct RMSprop {
  static constexpr const char* name = "RMSprop";
  static constexpr bool elementwise = true;
  /// At least 0, about the size of a weight's step whatever the gradient's size. Keras' default.
  double learning_rate = 0.001;
  /// The share of the mean square that an update keeps, below 1: 0.9 is a mean over ten updates.
  double rho = 0.9;
  /// The share of the last step, from 0 to 1, that is added to the next step. 0: none.
  double momentum = 0;
  /// Added below the root, so that gradients near 0 make no large steps. Keras' default.
  double epsilon = 1e-7;
  /// Whether to divide by the root of the variance in place of the mean square.
  bool centered = false;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a rho outside 0 to below 1, a momentum outside 0 to 1 and a negative
  /// epsilon.
  void check() const {
    detail::check_decay_rate(name, "rho", rho);
    detail::check_momentum(name, momentum);
    detail::check_epsilon(name, epsilon);
  }

  /// Three numbers: the mean square, the mean and the momentum, also where the settings leave one
  /// of them unused.
  [[nodiscard]] std::size_t slots() const { return 3; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const noexcept {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V keep = detail::constant<V>(rho);
    const V rest = detail::constant<V>(1 - rho);
    const V least = detail::constant<V>(epsilon);
    const V inertia = detail::constant<V>(momentum);
    detail::update_lanes(
        view.count,
        [&](V gradient, V& w, V& square, V& mean, V& m) {
          const V g = detail::with_finite_square<V, Scalar>(gradient);
          square = keep * square + rest * g * g;
          mean = keep * mean + rest * g;
          // Rounding takes the variance of gradients that are nearly equal below zero.
          const V variance =
              centered ? greater(square - mean * mean, detail::constant<V>(0)) : square;
          m = inertia * m + rate * g / sqrt(variance + least);
          w = w - m;
        },
        view.gradient, view.weights, view.slots[0], view.slots[1], view.slots[2]);
  }
};

/// Steps along the mean gradient divided by the root of the mean square: Kingma & Ba 2014,
/// algorithm 1 in the order of its section 2; amsgrad as in Reddi et al. 2018.
///
///   model.compile(Adam{.learning_rate = 1e-3, .clip = {.global_norm = 1}}, MeanSquaredError{});
struct Adam {
  static constexpr const char* name = "Adam";
  static constexpr bool elementwise = true;
  /// At least 0, about the size of a weight's step whatever the gradient's size. The paper's
  /// default.
  double learning_rate = 0.001;
  /// The share of the mean gradient that an update keeps, below 1: 0.9 is a mean over ten updates.
  double beta_1 = 0.9;
  /// The share of the mean square that an update keeps, below 1: 0.999 is a mean over a thousand
  /// updates.
  double beta_2 = 0.999;
  /// Added to the root, so that gradients near 0 make no large steps. Keras' default; the paper has
  /// 1e-8.
  double epsilon = 1e-7;
  /// Whether to divide by the largest mean square so far, so that steps never grow again.
  bool amsgrad = false;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a beta outside 0 to below 1 and a negative epsilon.
  void check() const { detail::check_adam(name, beta_1, beta_2, epsilon); }

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const noexcept {
    using V = detail::Pack<Scalar>;
    const auto t = static_cast<double>(iteration);
    const V rate = detail::constant<V>(learning_rate * std::sqrt(1 - std::pow(beta_2, t)) /
                                       (1 - std::pow(beta_1, t)));
    const V rest_1 = detail::constant<V>(1 - beta_1);
    const V rest_2 = detail::constant<V>(1 - beta_2);
    const V least = detail::constant<V>(epsilon);
    const auto moments = [&](V gradient, V& m, V& v) {
      const V g = detail::with_finite_square<V, Scalar>(gradient);
      m = m + rest_1 * (g - m);
      v = v + rest_2 * (g * g - v);
    };
    if (amsgrad) {
      detail::update_lanes(
          view.count,
          [&](V g, V& w, V& m, V& v, V& largest) {
            moments(g, m, v);
            largest = greater(largest, v);
            w = w - rate * m / (sqrt(largest) + least);
          },
          view.gradient, view.weights, view.slots[0], view.slots[1], view.slots[2]);
    } else {
      detail::update_lanes(
          view.count,
          [&](V g, V& w, V& m, V& v) {
            moments(g, m, v);
            w = w - rate * m / (sqrt(v) + least);
          },
          view.gradient, view.weights, view.slots[0], view.slots[1]);
    }
  }
};

/// Adam with decoupled weight decay: Loshchilov & Hutter 2019, algorithm 2.
///
///   model.compile(AdamW{.learning_rate = 1e-3, .weight_decay = 0.01}, MeanSquaredError{});
struct AdamW {
  static constexpr const char* name = "AdamW";
  static constexpr bool elementwise = true;
  /// At least 0, about the size of a weight's step, as in Adam; also a factor of the decay.
  double learning_rate = 0.001;
  /// The share of each weight that an update takes away is learning_rate * weight_decay. Keras'
  /// default.
  double weight_decay = 0.004;
  /// The share of the mean gradient that an update keeps, as in Adam.
  double beta_1 = 0.9;
  /// The share of the mean square that an update keeps, as in Adam.
  double beta_2 = 0.999;
  /// Added to the root, as in Adam. Keras' default; the paper has 1e-8.
  double epsilon = 1e-7;
  /// Whether to divide by the largest mean square so far, as in Adam.
  bool amsgrad = false;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on settings that Adam refuses, on a negative weight decay, and where
  /// learning rate times weight decay is 1 or more: a step would turn the signs of the weights.
  void check() const {
    detail::check_adam(name, beta_1, beta_2, epsilon);
    detail::check_setting(name, "weight_decay", weight_decay, weight_decay >= 0,
                          "at least 0 and finite");
    detail::check_setting(name, "learning_rate * weight_decay", learning_rate * weight_decay,
                          learning_rate * weight_decay < 1,
                          "below 1, so that a step makes weights smaller and does not turn their "
                          "signs");
  }

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const noexcept {
    using V = detail::Pack<Scalar>;
    const V decay = detail::constant<V>(learning_rate * weight_decay);
    detail::update_lanes(
        view.count, [&](V, V& w) { w = w - decay * w; }, view.gradient, view.weights);
    Adam{learning_rate, beta_1, beta_2, epsilon, amsgrad, clip}.update(view, iteration);
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<SGD> : HeldAs<HeldRule::sgd> {};
template <>
struct Held<RMSprop> : HeldAs<HeldRule::rmsprop> {};
template <>
struct Held<Adam> : HeldAs<HeldRule::adam> {};
template <>
struct Held<AdamW> : HeldAs<HeldRule::adam_w> {};

}  // namespace strata::detail
