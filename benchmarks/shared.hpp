#pragma once

// What the benchmark programs have in common: the model they measure, its data, and the machine's
// peak.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>

#include <strata/strata.hpp>

namespace bench {

using strata::Index;

/// Two LSTM layers and Dense 1; only the last step's output goes to Dense.
struct Case {
  Index batch;
  Index steps;
  Index features;
  Index units;

  /// Operations of one prediction; a multiplication and an addition each count.
  [[nodiscard]] double predict_flop() const {
    return 8.0 * static_cast<double>(units * (features + units + 2 * units) * batch * steps);
  }
  /// Operations that a training step needs: forward, and twice as many backward, without the
  /// derivative by the model's input, which nobody asks for.
  [[nodiscard]] double train_flop() const {
    return 3 * predict_flop() - 8.0 * static_cast<double>(units * features * batch * steps);
  }
};

/// A number in [-1, 1) that any language computes alike: number i of series `seed`.
inline float noise(std::uint32_t seed, std::uint32_t i) {
  std::uint32_t h = seed * 0x9e3779b9u + i;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  h ^= h >> 16;
  return static_cast<float>(static_cast<double>(h) / 2147483648.0 - 1.0);
}

inline strata::Tensor<float> noise_tensor(const strata::Shape& shape, std::uint32_t seed) {
  strata::Tensor<float> x(shape);
  for (std::uint32_t i = 0; float& value : x.values()) value = noise(seed, i++);
  return x;
}

/// Weights within `scale`, the same for each number and place of a parameter.
template <class Model>
void set_noise_weights(Model& model, float scale) {
  for (std::uint32_t seed = 100; auto& parameter : model.parameters()) {
    for (std::uint32_t i = 0; float& value : parameter.values) value = scale * noise(seed, i++);
    ++seed;
  }
}

inline auto stacked_model(const Case& c) {
  strata::Sequential model{strata::LSTM{c.units, strata::return_sequences}, strata::LSTM{c.units},
                           strata::Dense{1}};
  model.build(strata::Input{c.steps, c.features});
  set_noise_weights(model, 1.0f / std::sqrt(static_cast<float>(c.units)));
  return model;
}

/// Seconds of processor time of this process: with one thread what a clock says on a machine that
/// does nothing else, and not disturbed by being put aside for others.
inline double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What the multiply-add units do at most, in flop/s: the best of short runs that use nothing but
/// registers, 16 sums that do not wait for each other.
inline double peak_flops(double seconds) {
  using P = strata::detail::Pack<float>;
  constexpr int sums = P::width >= 16 ? 16 : 12;
  constexpr int rounds = 200000;
  volatile float start = 1e-3f;
  double best = std::numeric_limits<double>::infinity();
  for (const double end = now() + seconds; now() < end;) {
    P sum[sums];
    const P factor = P::broadcast(1.0f - start);
    const P term = P::broadcast(start);
    strata::detail::unroll<sums>([&](auto i) { sum[i] = P::broadcast(start + float(i)); });
    const double begin = now();
    for (int round = 0; round < rounds; ++round) {
      strata::detail::unroll<sums>([&](auto i) __attribute__((always_inline)) {
        sum[i] = multiply_add(sum[i], factor, term);
      });
    }
    best = std::min(best, now() - begin);
    P total = sum[0];
    strata::detail::unroll<sums - 1>([&](auto i) { total = total + sum[i + 1]; });
    float lanes[P::width];
    total.store(lanes);
    start = lanes[0] > 1e30f ? 2e-3f : 1e-3f;
  }
  return 2.0 * sums * P::width * rounds / best;
}

}  // namespace bench
