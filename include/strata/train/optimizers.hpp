#pragma once

#include <cmath>

#include <strata/train/optimizer.hpp>

// Keras' optimizers, with Keras' formulas and defaults. w: weights, g: gradient.

namespace strata {

/// Stochastic gradient descent, with momentum as in Polyak 1964 or Nesterov 1983.
struct SGD {
  static constexpr const char* name = "SGD";
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return momentum > 0 ? 1 : 0; }

  template <class Map>
  void update(Map w, Map g, std::span<Map> slots, std::int64_t) const {
    using Scalar = typename Map::Scalar;
    const auto rate = static_cast<Scalar>(learning_rate);
    if (slots.empty()) {
      w -= rate * g;
      return;
    }
    const auto keep = static_cast<Scalar>(momentum);
    Map& m = slots[0];
    m = keep * m - rate * g;
    if (nesterov)
      w += keep * m - rate * g;
    else
      w += m;
  }
};

/// Tieleman & Hinton 2012; centered as in Graves 2013 (generating sequences, eqs. 38 to 45).
struct RMSprop {
  static constexpr const char* name = "RMSprop";
  double learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const {
    return std::size_t{1} + (centered ? 1 : 0) + (momentum > 0 ? 1 : 0);
  }

  template <class Map>
  void update(Map w, Map g, std::span<Map> slots, std::int64_t) const {
    using Scalar = typename Map::Scalar;
    const auto rate = static_cast<Scalar>(learning_rate);
    const auto keep = static_cast<Scalar>(rho);
    const auto rest = static_cast<Scalar>(1 - rho);
    const auto small = static_cast<Scalar>(epsilon);
    Map& square = slots[0];
    square = keep * square + rest * g.square();
    if (centered) slots[1] = keep * slots[1] + rest * g;
    const auto apply = [&](const auto& step) {
      if (momentum > 0) {
        Map& m = slots.back();
        m = static_cast<Scalar>(momentum) * m + step;
        w -= m;
      } else {
        w -= step;
      }
    };
    if (centered)
      apply(rate * g / (square - slots[1].square() + small).sqrt());
    else
      apply(rate * g / (square + small).sqrt());
  }
};

/// Kingma & Ba 2014, algorithm 1 in the order of its section 2; amsgrad as in Reddi et al. 2018.
struct Adam {
  static constexpr const char* name = "Adam";
  double learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Map>
  void update(Map w, Map g, std::span<Map> slots, std::int64_t iteration) const {
    using Scalar = typename Map::Scalar;
    const auto t = static_cast<double>(iteration);
    const auto rate = static_cast<Scalar>(learning_rate * std::sqrt(1 - std::pow(beta_2, t)) /
                                          (1 - std::pow(beta_1, t)));
    const auto small = static_cast<Scalar>(epsilon);
    Map& m = slots[0];
    Map& v = slots[1];
    m += static_cast<Scalar>(1 - beta_1) * (g - m);
    v += static_cast<Scalar>(1 - beta_2) * (g.square() - v);
    if (amsgrad) {
      slots[2] = slots[2].max(v);
      w -= rate * m / (slots[2].sqrt() + small);
    } else {
      w -= rate * m / (v.sqrt() + small);
    }
  }
};

/// Adam with decoupled weight decay: Loshchilov & Hutter 2019.
struct AdamW {
  static constexpr const char* name = "AdamW";
  double learning_rate = 0.001;
  double weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  Clip clip{};

  [[nodiscard]] std::size_t slots() const { return amsgrad ? 3 : 2; }

  template <class Map>
  void update(Map w, Map g, std::span<Map> slots, std::int64_t iteration) const {
    w -= static_cast<typename Map::Scalar>(learning_rate * weight_decay) * w;
    Adam{learning_rate, beta_1, beta_2, epsilon, amsgrad, clip}.update(w, g, slots, iteration);
  }
};

}  // namespace strata
