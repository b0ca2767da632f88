#include "streams.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>

#include "prototype.hpp"

namespace bench {

namespace {

using strata::Dense;
using strata::LSTM;
using strata::return_sequences;
using strata::Sequential;

template <Index Layers, Index Units>
struct Fixed;
template <Index Units>
struct Fixed<1, Units> {
  using Model = Sequential<LSTM<float, 1, Units, return_sequences>, Dense<float, Units, 1>>;
};
template <Index Units>
struct Fixed<2, Units> {
  using Model = Sequential<LSTM<float, 1, Units, return_sequences>,
                           LSTM<float, Units, Units, return_sequences>, Dense<float, Units, 1>>;
};

template <class Step>
std::vector<double> measure_steps(Step& step, double seconds) {
  const auto x = noise_tensor({1, 4096}, 3);
  volatile float sink = 0;
  std::vector<double> times = measure(seconds, Clock::processor, [&] {
    for (const float value : x.values()) sink = step(value);
  });
  (void)sink;
  for (double& time : times) time /= static_cast<double>(x.size());
  return times;
}

template <class Model>
std::vector<double> measure_stream(const Model& model, double seconds,
                                   strata::Precision precision = strata::Precision::full) {
  strata::Stream stream{model, precision};
  return measure_steps(stream, seconds);
}

/// Throws when the prototype does not compute the same as the stream of the model.
template <Index Layers, Index Units, int Together, class Model>
std::vector<double> measure_prototype_of(const Model& model, double seconds) {
  const auto prototype = std::make_unique<Prototype<Layers, Units, Together>>(model);
  strata::Stream stream{model};
  const auto noise = noise_tensor({1, 100}, 4);
  for (const float value : noise.values()) {
    if (!(std::abs((*prototype)(value)-stream(value)) < 1e-5f)) {
      throw std::runtime_error("the prototype computes something else than the stream");
    }
  }
  return measure_steps(*prototype, seconds);
}

/// f(layers, units) with constants, if there is such a stream; nothing otherwise.
template <class F>
std::vector<double> with_sizes(Index layers, Index units, F f) {
  std::vector<double> times;
  const auto try_one = [&](auto l, auto u) {
    if (l == layers && u == units) times = f(l, u);
  };
  const auto try_all = [&]<Index... Units>(auto l, std::integer_sequence<Index, Units...>) {
    (try_one(l, std::integral_constant<Index, Units>{}), ...);
  };
  try_all(std::integral_constant<Index, 1>{},
          std::integer_sequence<Index, 8, 16, 20, 24, 32, 40, 64, 96, 128>{});
  try_all(std::integral_constant<Index, 2>{}, std::integer_sequence<Index, 16, 32, 64>{});
  return times;
}

template <Index Layers, Index Units>
auto fixed_model() {
  auto model = std::make_unique<typename Fixed<Layers, Units>::Model>();
  set_noise_weights(*model, Units);
  return model;
}

Sequential<> dynamic_model(Index layers, Index units) {
  Sequential<> model;
  model.add(strata::Input{strata::Dynamic, 1});
  for (Index layer = 0; layer < layers; ++layer) model.add(LSTM{units, return_sequences});
  model.add(Dense{1});
  set_noise_weights(model, units);
  return model;
}

}  // namespace

std::vector<double> measure_fixed_stream(Index layers, Index units, double seconds) {
  std::vector<double> times = with_sizes(
      layers, units, [&](auto l, auto u) { return measure_stream(*fixed_model<l, u>(), seconds); });
  if (times.empty())
    throw std::invalid_argument("no stream of these layers and units was compiled");
  return times;
}

std::vector<double> measure_stream_batch(Index layers, Index units, Index streams, double seconds,
                                         strata::Precision precision) {
  strata::StreamBatch batch{dynamic_model(layers, units), precision};
  for (Index stream = 0; stream < streams; ++stream) (void)batch.join();
  const auto x = noise_tensor({1, streams}, 3);
  std::vector<float> y(static_cast<std::size_t>(streams));
  return measure(seconds, Clock::processor, [&] { batch.step(x.values(), y); });
}

std::vector<double> measure_prototype(Index layers, Index units, double seconds) {
  constexpr Index width = strata::detail::Pack<float>::width;
  return with_sizes(layers, units, [&](auto l, auto u) {
    std::vector<double> best;
    const auto model = fixed_model<l, u>();
    const auto least = [](const auto& times) { return *std::ranges::min_element(times); };
    if constexpr (u % width == 0) best = measure_prototype_of<l, u, 1>(*model, seconds / 2);
    if constexpr (u % (2 * width) == 0) {
      const auto pairs = measure_prototype_of<l, u, 2>(*model, seconds / 2);
      if (least(pairs) < least(best)) best = pairs;
    }
    return best;
  });
}

std::vector<double> measure_dynamic_stream(Index layers, Index units, double seconds,
                                           strata::Precision precision) {
  return measure_stream(dynamic_model(layers, units), seconds, precision);
}

std::vector<double> stream_outputs(Index layers, Index units, Index steps,
                                   strata::Precision precision) {
  strata::Stream stream{dynamic_model(layers, units), precision};
  const auto x = noise_tensor({1, steps}, 5);
  std::vector<double> outputs;
  for (const float value : x.values()) outputs.push_back(stream(value));
  return outputs;
}

}  // namespace bench
