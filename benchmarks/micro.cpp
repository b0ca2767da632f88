// The parts of a training step, a prediction and a stream, each by itself. Google Benchmark's
// options apply, e.g. --benchmark_filter=tile or --benchmark_min_time=0.1.

#include <benchmark/benchmark.h>

#include <vector>

#include "shared.hpp"

namespace {

using strata::Index;
using strata::Tensor;
using namespace strata::detail;

void report_flop(benchmark::State& state, double flop) {
  state.counters["FLOP/s"] = benchmark::Counter(flop, benchmark::Counter::kIsIterationInvariantRate,
                                                benchmark::Counter::kIs1000);
}

void peak(benchmark::State& state) {
  double best = 0;
  for (auto _ : state) best = std::max(best, bench::peak_flops(0.01));
  state.counters["FLOP/s"] = best;
}
BENCHMARK(peak)->Iterations(20)->Unit(benchmark::kMillisecond);

/// One tile: columns, depth.
void tile(benchmark::State& state) {
  constexpr int most = tile_columns<float>;
  constexpr Index wide = LSTMPacked<float>::wide;
  const int columns = static_cast<int>(state.range(0));
  const Index depth = state.range(1);
  if (columns > most) {
    state.SkipWithError("more columns than this processor's registers take");
    return;
  }
  Buffer<float> memory((depth + most) * wide + most * depth);
  memory.fill(1e-3f);
  float* const sums = memory.data() + depth * wide;
  const float* in[most];
  float* out[most];
  for (int n = 0; n < columns; ++n) {
    out[n] = sums + n * wide;
    in[n] = sums + most * wide + n * depth;
  }
  const auto product = tile_for<float>(tile_vectors, columns);
  const float* from[most];
  std::copy_n(out, columns, from);
  for (auto _ : state) {
    product(depth, memory.data(), in, 1, from, out);
    benchmark::ClobberMemory();
  }
  report_flop(state, 2.0 * static_cast<double>(columns * depth * wide));
}
BENCHMARK(tile)->ArgNames({"columns", "depth"})->ArgsProduct({{1, 2, 3, 5, 6}, {32, 128, 512}});

/// One LSTM layer with all that its kernels read and write.
struct Layer {
  explicit Layer(const benchmark::State& state)
      : batch(state.range(0)),
        steps(state.range(1)),
        inputs(state.range(2)),
        units(state.range(3)),
        kernel(bench::noise_tensor({inputs, 4 * units}, 1)),
        recurrent(bench::noise_tensor({units, 4 * units}, 2)),
        bias(bench::noise_tensor({1, 4 * units}, 3)),
        x(bench::noise_tensor({batch, steps, inputs}, 4)),
        dy(bench::noise_tensor({batch, steps, units}, 5)),
        dx(x.shape()),
        h({batch, steps, units}),
        gradients(static_cast<std::size_t>((inputs + units + 1) * 4 * units)) {
    for (float& weight : kernel.values()) weight *= 0.1f;
    for (float& weight : recurrent.values()) weight *= 0.1f;
    pack();
    z.resize(packed.panels * batch * steps * packed.wide);
    c.resize(packed.panels * batch * steps * packed.width);
    strata::detail::lstm_forward<true>(StandardGates{}, packed, scan());
  }

  void pack() { packed.pack(inputs, units, kernel.data(), recurrent.data(), bias.data(), true); }

  [[nodiscard]] LSTMScan<float> scan() {
    return {.batch = batch,
            .steps = steps,
            .backwards = false,
            .x = std::as_const(x).data(),
            .h = h.data(),
            .slots = steps,
            .h_mask = nullptr,
            .z = z.data(),
            .c = c.data()};
  }

  [[nodiscard]] LSTMGradient<float> gradient() {
    float* const to_recurrent = gradients.data() + inputs * 4 * units;
    return {gradients.data(), to_recurrent, to_recurrent + units * 4 * units};
  }

  /// Of a product of all steps' gates with `columns` values each.
  [[nodiscard]] double flop(Index columns) const {
    return 8.0 * static_cast<double>(units * columns * batch * steps);
  }

  Index batch, steps, inputs, units;
  Tensor<float> kernel, recurrent, bias, x, dy, dx, h;
  std::vector<float> gradients;
  LSTMPacked<float> packed;
  Buffer<float> z, c;
  LSTMBackwardScratch<float> scratch;
};

void pack(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) layer.pack();
  const Index weights = 4 * layer.units * (layer.inputs + layer.units + 1);
  state.SetBytesProcessed(state.iterations() * weights * static_cast<Index>(sizeof(float)));
}

void lstm_forward(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    strata::detail::lstm_forward<false>(StandardGates{}, layer.packed, layer.scan());
  }
  report_flop(state, layer.flop(layer.inputs + layer.units));
}

void lstm_forward_training(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    strata::detail::lstm_forward<true>(StandardGates{}, layer.packed, layer.scan());
  }
  report_flop(state, layer.flop(layer.inputs + layer.units));
}

/// Through time: dh and dz. It works on what it left the time before; the numbers do not matter.
void lstm_backward(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    state.PauseTiming();
    strata::detail::lstm_forward<true>(StandardGates{}, layer.packed, layer.scan());
    state.ResumeTiming();
    strata::detail::lstm_backward(StandardGates{}, layer.packed, layer.scan(),
                                  std::as_const(layer.dy).data(), true, layer.scratch);
  }
  report_flop(state, layer.flop(layer.units));
}

void lstm_parameter_gradients(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    strata::detail::lstm_parameter_gradients(layer.packed, layer.scan(), layer.gradient(),
                                             layer.scratch);
  }
  report_flop(state, layer.flop(layer.inputs + layer.units));
}

void lstm_input_derivative(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    strata::detail::lstm_input_derivative(layer.packed, layer.scan(), layer.dx.data());
  }
  report_flop(state, layer.flop(layer.inputs));
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"B", "T", "F", "U"})->Unit(benchmark::kMicrosecond);
  benchmark->Args({32, 50, 50, 50})->Args({32, 100, 128, 128})->Args({64, 50, 256, 256});
}
BENCHMARK(pack)->Apply(shapes);
BENCHMARK(lstm_forward)->Apply(shapes);
BENCHMARK(lstm_forward_training)->Apply(shapes);
BENCHMARK(lstm_backward)->Apply(shapes);
BENCHMARK(lstm_parameter_gradients)->Apply(shapes);
BENCHMARK(lstm_input_derivative)->Apply(shapes);

/// Two layers and Dense over one sequence of 100 steps.
void predict_one_sequence(benchmark::State& state) {
  const bench::Case c{1, 100, 64, state.range(0)};
  const auto model = bench::stacked_model(c);
  const auto x = bench::noise_tensor({c.batch, c.steps, c.features}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(model.predict(x));
  report_flop(state, c.predict_flop());
}
BENCHMARK(predict_one_sequence)
    ->ArgName("U")
    ->RangeMultiplier(2)
    ->Range(16, 256)
    ->Unit(benchmark::kMicrosecond);

/// One layer and Dense, one sample after another.
void stream_step(benchmark::State& state) {
  strata::Sequential model{strata::LSTM{state.range(0), strata::return_sequences},
                           strata::Dense{1}};
  model.build(strata::Input{strata::Dynamic, 1});
  strata::Stream stream{model};
  const auto x = bench::noise_tensor({1, 1024}, 1);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream(x.values()[i++ % 1024]));
}
BENCHMARK(stream_step)->ArgName("U")->Arg(8)->Arg(16)->Arg(20)->Arg(32)->Arg(40)->Arg(64)->Arg(128);

}  // namespace

BENCHMARK_MAIN();
