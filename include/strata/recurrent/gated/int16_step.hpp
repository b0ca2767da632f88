#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include <strata/recurrent/gated/int16_weights.hpp>
#include <strata/recurrent/gated/step_kernel.hpp>
#include <strata/recurrent/gated/step_panel.hpp>
#include <strata/target.hpp>

// One step of one sequence with 16-bit weights: it reads half the bytes of the step in float, which
// is what a step of more than some 40 units waits for.

namespace strata::detail::inline STRATA_TARGET {

/// Numbers as 16-bit integers in pairs, filled up with a zero.
struct Int16Pairs {
  std::int16_t* values;

  /// Returns what to_int16 returns.
  float set(Index first_pair, Index count, const float* from) const noexcept {
    std::int16_t* const to = values + 2 * first_pair;
    if (count % 2 == 1) to[count] = 0;
    return to_int16(count, from, to);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE std::int32_t operator[](Index pair) const noexcept {
    if constexpr (std::endian::native == std::endian::little) {
      std::int32_t both;
      std::memcpy(&both, values + 2 * pair, sizeof both);
      return both;
    } else {
      return pair_of(values[2 * pair], values[2 * pair + 1]);
    }
  }
};

/// Adds the products of the rows from `first` on with as many pairs to the registers of the row of
/// a panel, or of the rows of two panels that begin with number `panel`.
template <int Width, class Gates, int Registers>
STRATA_ALWAYS_INLINE void add_int16_products(const Int16Weights<Gates>& weights, Index panel,
                                             Index first, const Int16Pairs& pairs, float unusual,
                                             Pack<float> (&sum)[Registers]) {
  constexpr int width = Pack<float>::width;
  constexpr int panels = std::max(Width / width, 1);
  constexpr int registers = Registers / panels;
  const Index count = weights.x_pairs + weights.h_pairs - first;
  const std::int32_t* rows[panels];
  for (int p = 0; p < panels; ++p) {
    rows[p] = weights.panel_rows(panel + p) + first * registers * width;
  }
  PairSums<> sums[Registers];
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
  for (Index pair = 0; pair < count; ++pair) {
    const std::int32_t values = pairs[pair];
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
      sums[i].add(rows[i / registers] + (pair * registers + i % registers) * width, values);
    });
  }
  const Pack<float> extra = Pack<float>::broadcast(unusual);
  unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
    const float* const factors =
        weights.panel_factors(panel + i / registers) + i % registers * width;
    sum[i] = multiply_add(sums[i].numbers(), Pack<float>::load(factors), sum[i] + extra);
  });
}

/// One step of one sequence, as gates_step.
///
/// Two panels at a time: the loads of both fill the wait for the caches.
template <class Gates, class Equations, class Emit>
[[gnu::noinline]] void gates_int16_step(const Equations& equations,
                                        const GatePacked<float, Gates>& packed,
                                        const Int16Weights<Gates>& weights, const float* x,
                                        const float* h, float* memory, WeightOrder order,
                                        Emit emit) noexcept {
  using Packed = GatePacked<float, Gates>;
  const Index pair_count = weights.x_pairs + weights.h_pairs;
  const Int16Pairs pairs{static_cast<std::int16_t*>(
      __builtin_alloca(static_cast<std::size_t>(2 * pair_count) * sizeof(std::int16_t)))};
  float unusual = pairs.set(weights.x_pairs, packed.outputs, h);
  if (weights.x_pairs > 0) unusual += pairs.set(0, packed.inputs, x);
  const Index panel_size = packed.panel_size();
  visit_panels<Dynamic, 2>(packed, order, [&](Index panel, auto width) STRATA_INLINE_LAMBDA {
    constexpr Index row = Packed::registers(std::min<int>(width, Packed::width)) * Packed::width;
    const float* const bias = packed.forward.data() + panel * panel_size;
    const float* const second = width > Packed::width ? bias + panel_size : bias;
    step_panel<width>(equations, packed,
                      {.inputs = weights.x_pairs > 0 ? 0 : packed.inputs,
                       .outputs = 0,
                       .units = packed.units,
                       .first_unit = panel * Packed::width,
                       .from = {bias, second, nullptr},
                       .weights = {bias + row, second + row, nullptr},
                       .depth = packed.depth(),
                       .x = x,
                       .h = h,
                       .memory = memory,
                       .memory_stride = packed.units},
                      emit, [&](auto& sum) STRATA_INLINE_LAMBDA {
                        add_int16_products<width>(weights, panel, 0, pairs, unusual, sum);
                      });
  });
}

/// One step of a batch of one sequence, as gates_recurrent_step.
template <class Gates, class Equations>
[[gnu::noinline]] void gates_recurrent_int16_step(const Equations& equations,
                                                  const GatePacked<float, Gates>& packed,
                                                  const Int16Weights<Gates>& weights,
                                                  const ScanStep<float>& at, float* z) {
  const Int16Pairs pairs{static_cast<std::int16_t*>(
      __builtin_alloca(static_cast<std::size_t>(2 * weights.h_pairs) * sizeof(std::int16_t)))};
  const bool has_h = static_cast<bool>(at.h_before);
  const float unusual = has_h ? pairs.set(0, packed.outputs, at.h_before(0)) : 0;
  gates_recurrent_step_by<2>(equations, packed, at, z, 0, [&](Index panel, auto width) {
    return [&, panel](auto& sum) STRATA_INLINE_LAMBDA {
      if (!has_h) return;
      add_int16_products<decltype(width)::value>(weights, panel, weights.x_pairs, pairs, unusual,
                                                 sum);
    };
  });
}

}  // namespace strata::detail::inline STRATA_TARGET
