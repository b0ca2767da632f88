// Times the cases of processor_speed.sh: what a program that is built for any x86-64 and linked
// with strata::compiled does, or the same program from headers alone.
//
//   processor_speed <seconds for each case>     prints a line "<case> <least nanoseconds>" for each
//   processor_speed versions                    says what it was built with

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <strata/processor.hpp>

#include "shared.hpp"

namespace {

using strata::Index;

/// The least time of a call, in nanoseconds.
template <class F>
void time_case(const std::string& name, double seconds, double calls, F&& call) {
  const std::vector<double> times = bench::measure(seconds, bench::Clock::processor, call);
  const double least = *std::min_element(times.begin(), times.end());
  std::printf("%s %.2f\n", name.c_str(), 1e9 * least / calls);
}

/// "<what>-<batch>x<steps>x<features>x<units>".
std::string name_of(const char* what, const bench::Case& c) {
  std::string name = what;
  char before = '-';
  for (const Index size : {c.batch, c.steps, c.features, c.units}) {
    name += before + std::to_string(size);
    before = 'x';
  }
  return name;
}

void predict(const bench::Case& c, double seconds) {
  const auto model = bench::stacked_model(c);
  const auto x = bench::noise_tensor({c.batch, c.steps, c.features}, 1);
  time_case(name_of("predict", c), seconds, 1, [&] { (void)model.predict(x); });
}

/// One epoch of four batches.
void train(const bench::Case& c, double seconds) {
  auto model = bench::stacked_model(c);
  const auto x = bench::noise_tensor({4 * c.batch, c.steps, c.features}, 1);
  const auto y = bench::noise_tensor({4 * c.batch, 1}, 2);
  model.compile(strata::Adam{}, strata::MeanSquaredError{});
  time_case(name_of("fit", c), seconds, 1,
            [&] { (void)model.fit(x, y, {.epochs = 1, .batch_size = c.batch, .verbose = 0}); });
}

/// Steps of one LSTM with one input and Dense 1, sizes chosen at run time.
void stream(Index units, double seconds) {
  const auto model = bench::stacked_model({1, 256, 1, units, 1});
  strata::Stream stream{model};
  const auto x = bench::noise_tensor({1, 256}, 3);
  time_case("stream-" + std::to_string(units), seconds, 256, [&] {
    volatile float sink = 0;
    for (const float value : x.values()) sink = stream.step({&value, 1})[0];
    (void)sink;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::strcmp(argv[1], "versions") == 0) {
#ifdef STRATA_COMPILED
    std::printf("%s; code for %s\n", bench::versions().c_str(), name(strata::processor()));
#else
    std::printf("%s\n", bench::versions().c_str());
#endif
    return 0;
  }
  const double seconds = std::atof(argv[1]);
  predict({32, 100, 64, 128}, seconds);
  predict({1, 100, 64, 16}, seconds);
  predict({1, 100, 64, 64}, seconds);
  predict({1, 100, 64, 128}, seconds);
  train({32, 50, 1, 50}, seconds);
  train({32, 100, 32, 128}, seconds);
  for (const Index units : {16, 32, 64, 128}) stream(units, seconds);
}
