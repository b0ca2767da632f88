#include "streams.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

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

template <class Model>
std::vector<double> measure_stream(const Model& model, double seconds) {
  strata::Stream stream{model};
  const auto x = noise_tensor({1, 4096}, 3);
  volatile float sink = 0;
  std::vector<double> times = measure(seconds, Clock::processor, [&] {
    for (const float value : x.values()) sink = stream(value);
  });
  (void)sink;
  for (double& time : times) time /= static_cast<double>(x.size());
  return times;
}

/// Measures the one of Units that is `units`; nothing when it is none of them.
template <Index Layers, Index... Units>
std::vector<double> measure_one_of(std::integer_sequence<Index, Units...>, Index units,
                                   double seconds) {
  std::vector<double> times;
  const auto try_one = [&]<Index U>(std::integral_constant<Index, U>) {
    if (U != units) return;
    const auto model = std::make_unique<typename Fixed<Layers, U>::Model>();
    set_noise_weights(*model, U);
    times = measure_stream(*model, seconds);
  };
  (try_one(std::integral_constant<Index, Units>{}), ...);
  return times;
}

}  // namespace

std::vector<double> measure_fixed_stream(Index layers, Index units, double seconds) {
  using One = std::integer_sequence<Index, 8, 16, 20, 24, 32, 40, 64, 96, 128>;
  using Two = std::integer_sequence<Index, 16, 32, 64>;
  std::vector<double> times = layers == 1   ? measure_one_of<1>(One{}, units, seconds)
                              : layers == 2 ? measure_one_of<2>(Two{}, units, seconds)
                                            : std::vector<double>{};
  if (times.empty())
    throw std::invalid_argument("no stream of these layers and units was compiled");
  return times;
}

std::vector<double> measure_dynamic_stream(Index layers, Index units, double seconds) {
  Sequential<> model;
  model.add(strata::Input{strata::Dynamic, 1});
  for (Index layer = 0; layer < layers; ++layer) model.add(LSTM{units, return_sequences});
  model.add(Dense{1});
  set_noise_weights(model, units);
  return measure_stream(model, seconds);
}

}  // namespace bench
