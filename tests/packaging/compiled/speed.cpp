// Prints the least nanoseconds of a prediction and of a step of a stream. Built without any flag
// for the processor and linked with strata::compiled, and from headers alone with -march=native.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include <strata/strata.hpp>

using namespace strata;

namespace {

template <class F>
double least_nanoseconds(int runs, int calls, F call) {
  using Clock = std::chrono::steady_clock;
  double least = 1e18;
  for (int run = 0; run < runs; ++run) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) call();
    const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
    least = std::min(least, taken.count() / calls);
  }
  return least;
}

}  // namespace

int main() {
  Sequential model{Input{100, 64}, LSTM{128}, Dense{1}};
  const Tensor<float> x({32, 100, 64});
  const double predict = least_nanoseconds(10, 1, [&] { (void)model.predict(x); });
  Sequential small{Input{Dynamic, 1}, LSTM{32}, Dense{1}};
  Stream stream{small};
  const float zero = 0;
  const double step = least_nanoseconds(100, 1000, [&] { (void)stream.step(&zero); });
  std::printf("%.0f;%.1f\n", predict, step);
}
