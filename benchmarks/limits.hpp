#pragma once

// What one core can do at most, measured: multiply-adds, reading from a level of cache, and how
// long a step of an LSTM takes that has nothing to multiply.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "shared.hpp"

namespace bench {

/// The least time of runs of `work`, for a while.
template <class F>
double least_seconds(double seconds, F&& work) {
  double best = std::numeric_limits<double>::infinity();
  for (const double end = now(Clock::processor) + seconds; now(Clock::processor) < end;) {
    const double begin = now(Clock::processor);
    work();
    best = std::min(best, now(Clock::processor) - begin);
  }
  return best;
}

/// The peak of the multiply-add units, in flop/s: nothing but registers, and as many sums as
/// there are registers for, which do not wait for each other.
inline double peak_flops(double seconds) {
  using P = strata::detail::Pack<float>;
  constexpr int sums = P::width >= 16 ? 16 : 12;
  constexpr int rounds = 200000;
  volatile float start = 1e-3f;
  const double took = least_seconds(seconds, [&] {
    P sum[sums];
    const P factor = P::broadcast(1.0f - start);
    const P term = P::broadcast(start);
    strata::detail::unroll<sums>([&](auto i) { sum[i] = P::broadcast(start + float(i)); });
    for (int round = 0; round < rounds; ++round) {
      strata::detail::unroll<sums>([&](auto i) __attribute__((always_inline)) {
        sum[i] = multiply_add(sum[i], factor, term);
      });
    }
    P total = sum[0];
    strata::detail::unroll<sums - 1>([&](auto i) { total = total + sum[i + 1]; });
    float lanes[P::width];
    total.store(lanes);
    start = lanes[0] > 1e30f ? 2e-3f : 1e-3f;
  });
  return 2.0 * sums * P::width * rounds / took;
}

/// Bytes per second that one core reads, of `bytes` that it reads again and again: from the level
/// of cache that holds them.
inline double read_bandwidth(std::size_t bytes, double seconds) {
  using P = strata::detail::Pack<float>;
  constexpr int sums = 8;
  constexpr std::size_t block = sums * P::width;
  const std::size_t blocks = std::max<std::size_t>(1, bytes / (block * sizeof(float)));
  const std::size_t repeats = std::max<std::size_t>(1, (std::size_t{16} << 20) / bytes);
  // Registers that lie across two lines of cache would halve the figure.
  constexpr std::size_t line = 64;
  std::vector<float> memory(blocks * block + line / sizeof(float), 1e-3f);
  void* start = memory.data();
  std::size_t space = memory.size() * sizeof(float);
  const auto* data =
      static_cast<const float*>(std::align(line, blocks * block * sizeof(float), start, space));
  volatile float sink = 0;
  const double took = least_seconds(seconds, [&] {
    P sum[sums];
    strata::detail::unroll<sums>([&](auto i) { sum[i] = P::broadcast(0.0f); });
    for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
      const float* from = data;
      for (std::size_t b = 0; b < blocks; ++b, from += block) {
        strata::detail::unroll<sums>([&](auto i) __attribute__((always_inline)) {
          sum[i] = sum[i] + P::load(from + i * P::width);
        });
      }
    }
    P total = sum[0];
    strata::detail::unroll<sums - 1>([&](auto i) { total = total + sum[i + 1]; });
    float lanes[P::width];
    total.store(lanes);
    sink = lanes[0];
  });
  (void)sink;
  return static_cast<double>(repeats * blocks * block * sizeof(float)) / took;
}

/// Seconds from one h to the next when each operation waits for the one before: h is read, weighted
/// once, made a gate, goes into c, and through tanh and the output gate to memory. No step of any
/// layer is shorter.
inline double chain_seconds(double seconds) {
  using P = strata::detail::Pack<float>;
  constexpr int steps = 20000;
  volatile float start = 0.5f;
  float h[P::width];
  P::broadcast(start).store(h);
  const double took = least_seconds(seconds, [&] {
    const P weight = P::broadcast(start);
    P c = P::broadcast(start);
    for (int step = 0; step < steps; ++step) {
      volatile const float* const from = h;
      const P gate = tanh(multiply_add(P::broadcast(*from), weight, weight));
      c = multiply_add(gate, weight, c * weight);
      (gate * tanh(c)).store(h);
    }
  });
  start = h[0];
  return took / steps;
}

}  // namespace bench
