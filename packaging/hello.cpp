// What each way of installing strata must be able to build and run: a stack of two LSTM layers
// learns to add up its inputs.

#include <cstdio>

#ifdef STRATA_SINGLE_HEADER
#include <strata_single.hpp>
#else
#include <strata/strata.hpp>
#endif

int main() {
  using namespace strata;
  Sequential model{LSTM{8, return_sequences}, LSTM{8}, Dense{1}};
  model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{});
  Tensor<float> x({64, 10, 1});
  Tensor<float> y({64, 1});
  for (Index b = 0; b < 64; ++b) {
    for (Index t = 0; t < 10; ++t) {
      x(b, t, 0) = static_cast<float>((7 * b + 3 * t) % 11) / 110.0f;
      y(b, 0) += x(b, t, 0);
    }
  }
  const History history = model.fit(x, y, {.epochs = 10});
  const auto& losses = history["loss"];
  std::printf("strata %s: loss %.4f after one epoch, %.4f after ten\n", version_string,
              losses.front(), losses.back());
  return losses.back() < losses.front() / 2 ? 0 : 1;
}
