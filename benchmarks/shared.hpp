#pragma once

// What the benchmark programs have in common: the model they measure, its data, and the clock.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <sstream>
#include <string>
#include <vector>

#include <strata/strata.hpp>

namespace bench {

using strata::Index;

/// Of strata and of what this program was built with.
inline std::string versions() {
#ifdef __clang__
  const char* const compiler = "Clang";
  const int numbers[] = {__clang_major__, __clang_minor__, __clang_patchlevel__};
#else
  const char* const compiler = "GCC";
  const int numbers[] = {__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__};
#endif
  std::ostringstream out;
  out << "strata " << strata::version_string << "; " << compiler << ' ' << numbers[0] << '.'
      << numbers[1] << '.' << numbers[2] << "; Eigen " << EIGEN_WORLD_VERSION << '.'
      << EIGEN_MAJOR_VERSION << '.' << EIGEN_MINOR_VERSION << "; "
      << strata::detail::Pack<float>::width << " floats per register";
  return out.str();
}

/// LSTM layers and Dense 1; only the last step's output goes to Dense.
struct Case {
  Index batch;
  Index steps;
  Index features;
  Index units;
  Index layers = 2;

  /// Operations of one prediction; a multiplication and an addition each count.
  [[nodiscard]] double predict_flop() const {
    const Index columns = features + units + (layers - 1) * 2 * units;
    return 8.0 * static_cast<double>(units * columns * batch * steps);
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

/// Weights within 1 / sqrt(units), the same for each number and place of a parameter.
template <class Model>
void set_noise_weights(Model& model, Index units) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(units));
  for (std::uint32_t seed = 100; auto& parameter : model.parameters()) {
    for (std::uint32_t i = 0; float& value : parameter.values) value = scale * noise(seed, i++);
    ++seed;
  }
}

inline strata::Sequential<> stacked_model(const Case& c, bool recompute = false) {
  strata::Sequential<> model;
  model.add(strata::Input{c.steps, c.features});
  for (Index layer = 1; layer < c.layers; ++layer) {
    model.add(strata::LSTM{c.units, strata::return_sequences, {.recompute = recompute}});
  }
  model.add(strata::LSTM{c.units, {.recompute = recompute}});
  model.add(strata::Dense{1});
  set_noise_weights(model, c.units);
  return model;
}

enum class Clock {
  processor,  ///< Time that this process computed, in all its threads; leaves out waiting.
  wall,
};

/// Seconds.
inline double now(Clock clock) {
  if (clock == Clock::processor) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

/// Seconds of a call, measured for a while; short calls are taken together until the clock can
/// tell. The first two calls warm up and do not count.
template <class F>
std::vector<double> measure(double seconds, Clock clock, F&& call) {
  constexpr std::size_t fewest = 3;
  constexpr double shortest = 5e-4;
  call();
  double begin = now(clock);
  call();
  const double once = std::max(now(clock) - begin, 1e-7);
  const int together = static_cast<int>(std::ceil(shortest / once));
  std::vector<double> times;
  begin = now(clock);
  for (const double end = begin + seconds; begin < end || times.size() < fewest;) {
    for (int i = 0; i < together; ++i) call();
    const double after = now(clock);
    times.push_back((after - begin) / together);
    begin = after;
  }
  return times;
}

}  // namespace bench
