#pragma once

#include <algorithm>
#include <span>

#include <strata/kernels/simd.hpp>
#include <strata/kernels/wide_pack.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/lstm_gates.hpp>

#include "../shared.hpp"

namespace bench {

/// A stream of LSTM layers and Dense 1 that can do nothing else: sizes in the type, units that fill
/// whole registers, no options, no state to read or to set. The time that a library needs beyond it
/// is the price of its options.
template <Index Inputs, Index Units, int Together>
class PrototypeLayer {
 public:
  /// In Keras' order: kernel (F, 4U), recurrent kernel (U, 4U), bias (4U).
  PrototypeLayer(std::span<const float> kernel, std::span<const float> recurrent_kernel,
                 std::span<const float> bias) {
    for (Index panel = 0; panel < panels; ++panel) {
      for (Index k = 0; k < depth; ++k) {
        const std::span<const float> from = k == 0 ? bias
                                            : k <= Inputs
                                                ? kernel.subspan(size(k - 1))
                                                : recurrent_kernel.subspan(size(k - 1 - Inputs));
        for (Index gate = 0; gate < 4; ++gate) {
          std::copy_n(from.data() + gate * Units + panel * width, width,
                      weights_ + (panel * depth + k) * row + gate * width);
        }
      }
    }
  }

  const float* step(const float* x, bool reverse) noexcept {
    const float* const before = h_[now_];
    now_ = 1 - now_;
    for (Index panel = 0; panel < panels; panel += Together) {
      step_panels(reverse ? panels - Together - panel : panel, x, before, h_[now_]);
    }
    return h_[now_];
  }

 private:
  using P = strata::detail::Pack<float>;
  using Gates = strata::detail::Pack<float, Together * P::width>;
  static constexpr Index width = P::width;
  static constexpr Index panels = Units / width;
  static constexpr Index depth = 1 + Inputs + Units;
  static constexpr Index row = 4 * width;
  static constexpr int chains = Together == 1 ? 2 : 1;
  static_assert(Units % (Together * width) == 0);

  static std::size_t size(Index k) { return static_cast<std::size_t>(k * 4 * Units); }

  STRATA_ALWAYS_INLINE void step_panels(Index panel, const float* x, const float* h, float* to) {
    using strata::detail::unroll;
    P sum[chains][Together][4];
    const auto weights = [&](Index k, int p, int gate) __attribute__((always_inline)) {
      return P::load(weights_ + ((panel + p) * depth + k) * row + gate * width);
    };
    const auto each = [](auto f) __attribute__((always_inline)) {
      unroll<Together>([&](auto p) __attribute__((always_inline)) {
        unroll<4>([&](auto gate) __attribute__((always_inline)) { f(p, gate); });
      });
    };
    each([&](auto p, auto gate) __attribute__((always_inline)) {
      sum[0][p][gate] = weights(0, p, gate);
      if constexpr (chains == 2) sum[1][p][gate] = P::broadcast(0);
    });
    const auto add = [&](auto chain, Index k, float number) __attribute__((always_inline)) {
      const P value = P::broadcast(number);
      each([&](auto p, auto gate) __attribute__((always_inline)) {
        sum[chain][p][gate] = multiply_add(weights(k, p, gate), value, sum[chain][p][gate]);
      });
    };
    const auto add_all = [&](const float* values, Index count, Index k)
        __attribute__((always_inline)) {
      Index i = 0;
      for (; i + chains <= count; i += chains) {
        unroll<chains>([&](auto chain) __attribute__((always_inline)) {
          add(chain, k + i + chain, values[i + chain]);
        });
      }
      if (i < count) add(std::integral_constant<int, 0>{}, k + i, values[i]);
    };
    add_all(x, Inputs, 1);
    add_all(h, Units, 1 + Inputs);

    strata::GateStep<Gates, 4, 1, 0> step;
    unroll<4>([&](auto gate) __attribute__((always_inline)) {
      if constexpr (Together == 2) {
        step.z[gate] = {sum[0][0][gate], sum[0][1][gate]};
      } else {
        step.z[gate] = sum[0][0][gate] + sum[1][0][gate];
      }
    });
    step.memory[0] = Gates::load(memory_ + panel * width);
    const strata::detail::LSTMEquations<strata::detail::StandardActivations> equations;
    equations.predict(step).store(to + panel * width);
    step.memory[0].store(memory_ + panel * width);
  }

  alignas(64) float weights_[static_cast<std::size_t>(panels * depth * row)];
  alignas(64) float h_[2][static_cast<std::size_t>(Units)] = {};
  alignas(64) float memory_[static_cast<std::size_t>(Units)] = {};
  int now_ = 0;
};

/// One LSTM layer of one input, or two, and Dense 1, with the weights of a model.
template <Index Layers, Index Units, int Together>
class Prototype {
 public:
  template <class Model>
  explicit Prototype(const Model& model)
      : first_(weights(model, 0), weights(model, 1), weights(model, 2)),
        second_(weights(model, 3 * (Layers - 1)), weights(model, 3 * (Layers - 1) + 1),
                weights(model, 3 * (Layers - 1) + 2)) {
    std::ranges::copy(weights(model, 3 * Layers), dense_);
    bias_ = weights(model, 3 * Layers + 1)[0];
  }

  float operator()(float x) noexcept {
    using P = strata::detail::Pack<float>;
    reverse_ = !reverse_;
    const float* h = first_.step(&x, reverse_);
    if constexpr (Layers == 2) h = second_.step(h, reverse_);
    P total = P::broadcast(0);
    for (Index i = 0; i < Units; i += P::width) {
      total = multiply_add(P::load(dense_ + i), P::load(h + i), total);
    }
    return bias_ + sum(total);
  }

 private:
  template <class Model>
  static std::span<const float> weights(const Model& model, Index which) {
    return model.parameters()[static_cast<std::size_t>(which)].values;
  }

  PrototypeLayer<1, Units, Together> first_;
  PrototypeLayer<Layers == 2 ? Units : 1, Units, Together> second_;
  alignas(64) float dense_[static_cast<std::size_t>(Units)];
  float bias_;
  bool reverse_ = false;
};

}  // namespace bench
