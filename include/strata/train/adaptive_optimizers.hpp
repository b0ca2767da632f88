#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <strata/base/settings.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/optimizers.hpp>

// More of Keras' optimizers, with Keras' formulas and defaults, in the manner of optimizers.hpp.

namespace strata::inline STRATA_RUNTIME {

/// Divides gradients by the root of the sum of all their squares: Duchi et al. 2011. Steps shrink
/// for weights that have moved much.
///
///   model.compile(Adagrad{.learning_rate = 0.1}, MeanSquaredError{});
struct Adagrad {
  static constexpr const char* name = "Adagrad";
  static constexpr bool elementwise = true;
  /// At least 0. Keras' default; larger rates, such as 0.1, suit it better than other rules.
  double learning_rate = 0.001;
  /// The sum of squares before the first update, at least 0. Keras' default.
  double initial_accumulator_value = 0.1;
  /// Added below the root. Keras' default.
  double epsilon = 1e-7;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a negative initial value or epsilon.
  void check() const {
    detail::check_setting(name, "initial_accumulator_value", initial_accumulator_value,
                          initial_accumulator_value >= 0, "at least 0 and finite");
    detail::check_epsilon(name, epsilon);
  }

  [[nodiscard]] static std::size_t slots() { return 1; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const noexcept {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V first = detail::constant<V>(initial_accumulator_value);
    const V least = detail::constant<V>(epsilon);
    detail::update_lanes(
        view.count,
        [&](V gradient, V& w, V& squares) {
          const V g = detail::with_finite_square<V, Scalar>(gradient);
          squares = squares + g * g;
          w = w - rate * g / sqrt(squares + first + least);
        },
        view.gradient, view.weights, view.slots[0]);
  }
};

/// Divides gradients by the root of their mean square, and multiplies them by that of the steps so
/// far: Zeiler 2012. The learning rate is a factor of a step that finds its own size.
///
///   model.compile(Adadelta{.learning_rate = 1}, MeanSquaredError{});
struct Adadelta {
  static constexpr const char* name = "Adadelta";
  static constexpr bool elementwise = true;
  /// At least 0. Keras' default; the paper has 1.
  double learning_rate = 0.001;
  /// The share of the mean squares that an update keeps, below 1. Keras' default.
  double rho = 0.95;
  /// Added below the roots. Keras' default.
  double epsilon = 1e-7;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a rho outside 0 to below 1 and a negative epsilon.
  void check() const {
    detail::check_decay_rate(name, "rho", rho);
    detail::check_epsilon(name, epsilon);
  }

  [[nodiscard]] static std::size_t slots() { return 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const noexcept {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V keep = detail::constant<V>(rho);
    const V rest = detail::constant<V>(1 - rho);
    const V least = detail::constant<V>(epsilon);
    detail::update_lanes(
        view.count,
        [&](V gradient, V& w, V& square, V& moved) {
          const V g = detail::with_finite_square<V, Scalar>(gradient);
          square = keep * square + rest * g * g;
          const V step = sqrt(moved + least) * g / sqrt(square + least);
          moved = keep * moved + rest * step * step;
          w = w - rate * step;
        },
        view.gradient, view.weights, view.slots[0], view.slots[1]);
  }
};

/// Adam with the largest gradient in place of the root of the mean square: Kingma & Ba 2014,
/// section 7.1.
///
///   model.compile(Adamax{.learning_rate = 2e-3}, MeanSquaredError{});
struct Adamax {
  static constexpr const char* name = "Adamax";
  static constexpr bool elementwise = true;
  /// At least 0, about the size of a weight's step. Keras' default; the paper has 0.002.
  double learning_rate = 0.001;
  /// The share of the mean gradient that an update keeps, below 1.
  double beta_1 = 0.9;
  /// The share of the largest gradient that an update keeps, below 1.
  double beta_2 = 0.999;
  /// Added to the largest gradient. Keras' default.
  double epsilon = 1e-7;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a beta outside 0 to below 1 and a negative epsilon.
  void check() const { detail::check_adam(name, beta_1, beta_2, epsilon); }

  [[nodiscard]] static std::size_t slots() { return 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const noexcept {
    using V = detail::Pack<Scalar>;
    const V rate =
        detail::constant<V>(learning_rate / (1 - std::pow(beta_1, static_cast<double>(iteration))));
    const V rest = detail::constant<V>(1 - beta_1);
    const V keep = detail::constant<V>(beta_2);
    const V least = detail::constant<V>(epsilon);
    detail::update_lanes(
        view.count,
        [&](V g, V& w, V& m, V& largest) {
          m = m + rest * (g - m);
          largest = greater(keep * largest, abs(g));
          w = w - rate * m / (largest + least);
        },
        view.gradient, view.weights, view.slots[0], view.slots[1]);
  }
};

/// Adam with Nesterov's momentum: Dozat 2016.
///
///   model.compile(Nadam{.learning_rate = 1e-3}, MeanSquaredError{});
struct Nadam {
  static constexpr const char* name = "Nadam";
  static constexpr bool elementwise = true;
  /// At least 0, about the size of a weight's step. Keras' default.
  double learning_rate = 0.001;
  /// The share of the mean gradient that an update keeps after many updates, below 1.
  double beta_1 = 0.9;
  /// The share of the mean square that an update keeps, below 1.
  double beta_2 = 0.999;
  /// Added to the root. Keras' default.
  double epsilon = 1e-7;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a beta outside 0 to below 1 and a negative epsilon.
  void check() const { detail::check_adam(name, beta_1, beta_2, epsilon); }

  [[nodiscard]] static std::size_t slots() { return 2; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t iteration) const noexcept {
    using V = detail::Pack<Scalar>;
    // The momentum of update t, which grows from beta_1 / 2 to beta_1.
    const auto momentum = [this](double t) { return beta_1 * (1 - 0.5 * std::pow(0.96, t)); };
    const auto t = static_cast<double>(iteration);
    // The product of all momenta so far. From the 2000th update on its powers of 0.96 are below the
    // epsilon of double, and the product itself is some 0.9^2000.
    double product = 1;
    const std::int64_t counted = std::min<std::int64_t>(iteration, 2000);
    for (std::int64_t i = 1; i <= counted; ++i) product *= momentum(static_cast<double>(i));
    product *= std::pow(beta_1, static_cast<double>(iteration - counted));
    const double next = momentum(t + 1);
    const V by_mean = detail::constant<V>(next / (1 - product * next));
    const V by_gradient = detail::constant<V>((1 - momentum(t)) / (1 - product));
    const V by_square = detail::constant<V>(1 - std::pow(beta_2, t));
    const V rate = detail::constant<V>(learning_rate);
    const V rest_1 = detail::constant<V>(1 - beta_1);
    const V rest_2 = detail::constant<V>(1 - beta_2);
    const V least = detail::constant<V>(epsilon);
    detail::update_lanes(
        view.count,
        [&](V gradient, V& w, V& m, V& v) {
          const V g = detail::with_finite_square<V, Scalar>(gradient);
          m = m + rest_1 * (g - m);
          v = v + rest_2 * (g * g - v);
          w = w - rate * (by_mean * m + by_gradient * g) / (sqrt(v / by_square) + least);
        },
        view.gradient, view.weights, view.slots[0], view.slots[1]);
  }
};

/// Steps of one size along the sign of a mean gradient: Chen et al. 2023, "Symbolic discovery of
/// optimization algorithms", algorithm 2.
///
///   model.compile(Lion{.learning_rate = 1e-4}, MeanSquaredError{});
struct Lion {
  static constexpr const char* name = "Lion";
  static constexpr bool elementwise = true;
  /// At least 0: the size of each weight's step. Keras' default; a third to a tenth of Adam's rate
  /// is usual.
  double learning_rate = 0.001;
  /// The share of the mean gradient in the direction of a step, below 1.
  double beta_1 = 0.9;
  /// The share of the mean gradient that an update keeps, below 1.
  double beta_2 = 0.99;
  /// Limits of the gradient before the update; none.
  Clip clip{};

  /// Throws ValueError on a beta outside 0 to below 1.
  void check() const { detail::check_adam(name, beta_1, beta_2, 0); }

  [[nodiscard]] static std::size_t slots() { return 1; }

  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const noexcept {
    using V = detail::Pack<Scalar>;
    const V rate = detail::constant<V>(learning_rate);
    const V keep_1 = detail::constant<V>(beta_1), rest_1 = detail::constant<V>(1 - beta_1);
    const V keep_2 = detail::constant<V>(beta_2), rest_2 = detail::constant<V>(1 - beta_2);
    const V zero = detail::constant<V>(0);
    detail::update_lanes(
        view.count,
        [&](V g, V& w, V& m) {
          const V direction = m * keep_1 + g * rest_1;
          const V up = where_less(zero, direction, rate, zero);
          w = w - where_less(direction, zero, zero - rate, up);
          m = m * keep_2 + g * rest_2;
        },
        view.gradient, view.weights, view.slots[0]);
  }
};

}  // namespace strata::inline STRATA_RUNTIME
