// The parts of a training step, a prediction and a stream, each by itself, whole models, and the
// limits of the machine. Google Benchmark's
// options apply, e.g. --benchmark_filter=tile or --benchmark_min_time=0.1.

#include <benchmark/benchmark.h>

#include <vector>

#include "limits.hpp"

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

void read_bandwidth(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0)) << 10;
  double best = 0;
  for (auto _ : state) best = std::max(best, bench::read_bandwidth(bytes, 0.01));
  state.counters["B/s"] = best;
}
BENCHMARK(read_bandwidth)
    ->ArgName("KB")
    ->Arg(24)
    ->Arg(512)
    ->Arg(8192)
    ->Iterations(10)
    ->Unit(benchmark::kMillisecond);

void gate_chain(benchmark::State& state) {
  double best = 1;
  for (auto _ : state) best = std::min(best, bench::chain_seconds(0.01));
  state.counters["seconds"] = best;
}
BENCHMARK(gate_chain)->Iterations(10)->Unit(benchmark::kMillisecond);

/// One tile: columns, depth.
void tile(benchmark::State& state) {
  constexpr int most = tile_columns;
  constexpr int vectors = strata::detail::tile_vectors<float>;
  constexpr Index wide = vectors * strata::detail::Pack<float>::width;
  const int columns = static_cast<int>(state.range(0));
  const Index depth = state.range(1);
  Buffer<float> memory((depth + most) * wide + most * depth);
  memory.fill(1e-3f);
  float* const sums = memory.data() + depth * wide;
  const float* values[most];
  float* out[most];
  for (int n = 0; n < columns; ++n) {
    out[n] = sums + n * wide;
    values[n] = sums + most * wide + n * depth;
  }
  const TileSegment<float> in{.depth = depth, .step = 1, .columns = values};
  const auto product = tile_for<float, vectors>(columns);
  const float* from[most];
  std::copy_n(out, columns, from);
  for (auto _ : state) {
    product(&in, 1, 0, {memory.data(), wide}, from, out);
    benchmark::ClobberMemory();
  }
  report_flop(state, 2.0 * static_cast<double>(columns * depth * wide));
}
BENCHMARK(tile)->ArgNames({"columns", "depth"})->ArgsProduct({{1, 2, 3, 5, 6}, {32, 128, 512}});

/// One LSTM layer with all that it reads and writes.
struct Layer {
  explicit Layer(const benchmark::State& state)
      : batch(state.range(0)),
        steps(state.range(1)),
        inputs(state.range(2)),
        units(state.range(3)),
        x(bench::noise_tensor({batch, steps, inputs}, 4)),
        dy(bench::noise_tensor({batch, steps, units}, 5)),
        layer(units, strata::return_sequences),
        gradients(static_cast<std::size_t>((inputs + units + 1) * 4 * units)) {
    layer.build(inputs);
    layer.initialize(strata::Random(1));
    layer.pack(packed, true);
    train();
  }

  void predict() { layer.forward(packed, x, y, pass); }
  void train() { layer.forward(packed, x, tape, y, pass); }
  void back(Tensor<float>* dx_or_null) {
    layer.backward(packed, x, y, dy, tape, gradients, dx_or_null, pass);
  }

  /// Of a product of all steps' gates with `columns` values each.
  [[nodiscard]] double flop(Index columns) const {
    return 8.0 * static_cast<double>(units * columns * batch * steps);
  }

  using LSTM = strata::LSTM<float, strata::Dynamic, strata::Dynamic, true>;
  Index batch, steps, inputs, units;
  Tensor<float> x, y, dy, dx;
  LSTM layer;
  LSTM::Packed packed;
  LSTM::Tape tape;
  strata::Pass<float> pass;
  std::vector<float> gradients;
};

void pack(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) layer.layer.pack(layer.packed, true);
  const Index weights = 4 * layer.units * (layer.inputs + layer.units + 1);
  state.SetBytesProcessed(state.iterations() * weights * static_cast<Index>(sizeof(float)));
}

void lstm_predict(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) layer.predict();
  report_flop(state, layer.flop(layer.inputs + layer.units));
}

void lstm_train(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) layer.train();
  report_flop(state, layer.flop(layer.inputs + layer.units));
}

/// All of backward: dh and dz through time, the gradients, and dx. Each call works on the numbers
/// that the call before left, which do not matter.
void lstm_backward(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    state.PauseTiming();
    layer.train();
    state.ResumeTiming();
    layer.back(&layer.dx);
  }
  report_flop(state, 2 * layer.flop(layer.inputs + layer.units));
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"B", "T", "F", "U"})->Unit(benchmark::kMicrosecond);
  benchmark->Args({32, 50, 50, 50})->Args({32, 100, 128, 128})->Args({64, 50, 256, 256});
}
BENCHMARK(pack)->Apply(shapes);
BENCHMARK(lstm_predict)->Apply(shapes);
BENCHMARK(lstm_train)->Apply(shapes);
BENCHMARK(lstm_backward)->Apply(shapes);

bench::Case whole_case(const benchmark::State& state) {
  return {state.range(0), state.range(1), state.range(2), state.range(3)};
}

/// Two layers and Dense, forward, backward and Adam.
void train_step(benchmark::State& state) {
  const bench::Case c = whole_case(state);
  auto model = bench::stacked_model(c);
  strata::Trainer trainer(model, strata::Adam{}, strata::MeanSquaredError{});
  const auto x = bench::noise_tensor({c.batch, c.steps, c.features}, 1);
  const auto y = bench::noise_tensor({c.batch, 1}, 2);
  for (auto _ : state) benchmark::DoNotOptimize(trainer.step(x, y));
  report_flop(state, c.train_flop());
}
BENCHMARK(train_step)
    ->ArgNames({"B", "T", "F", "U"})
    ->Args({32, 50, 1, 50})
    ->Args({32, 100, 32, 128})
    ->Args({64, 50, 128, 256})
    ->Args({32, 50, 512, 512})
    ->Unit(benchmark::kMillisecond);

/// Two layers and Dense.
void predict(benchmark::State& state) {
  const bench::Case c = whole_case(state);
  const auto model = bench::stacked_model(c);
  const auto x = bench::noise_tensor({c.batch, c.steps, c.features}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(model.predict(x, {.batch_size = c.batch}));
  report_flop(state, c.predict_flop());
}
BENCHMARK(predict)
    ->ArgNames({"B", "T", "F", "U"})
    ->ArgsProduct({{1, 24, 32, 128}, {100}, {64}, {128}})
    ->ArgsProduct({{1}, {100}, {64}, {16, 32, 64, 256}})
    ->Args({32, 100, 128, 256})
    ->Args({32, 100, 512, 512})
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
