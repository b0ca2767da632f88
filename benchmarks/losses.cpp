// Times the losses of sequences and distributions, value and gradient together, and the gradient of
// a network with a window over a text, for losses.py, which gives PyTorch the same numbers.
//
//   losses <seconds for each case>     prints a line "<case> <loss> <least microseconds>" for each
//   losses versions                    says what it was built with

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "shared.hpp"

namespace {

using namespace strata;

/// Numbers that both sides compute: 3 sin(0.37 i), by their place in memory.
Tensor<float> numbers(const Shape& shape) {
  Tensor<float> x(shape);
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<float>(3 * std::sin(0.37 * static_cast<double>(i)));
  }
  return x;
}

void time_loss(const std::string& name, const Loss<float>& loss, const Tensor<float>& prediction,
               const Tensor<float>& y, double seconds) {
  Tensor<float> gradient;
  double value = 0;
  const std::vector<double> times = bench::measure(seconds, bench::Clock::processor,
                                                   [&] { value = loss(prediction, y, &gradient); });
  std::printf("%s %.9g %.2f\n", name.c_str(), value,
              1e6 * *std::min_element(times.begin(), times.end()));
}

/// CTC of B sequences of T steps with L labels among C classes.
void time_ctc(Index batch, Index steps, Index labels, Index classes, double seconds) {
  Tensor<float> y({batch, labels});
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(1 + 7 * i % (classes - 1));
  std::string name = "ctc";
  for (const Index size : {batch, steps, labels, classes}) name += "-" + std::to_string(size);
  time_loss(name, CTC{}, numbers({batch, steps, classes}), y, seconds);
}

/// The density of a pen's movement, of B sequences of T steps and K components.
void time_pen(Index batch, Index steps, Index components, double seconds) {
  const PenDensity pen{.components = components};
  Tensor<float> prediction = numbers({batch, steps, pen.outputs()});
  for (float& value : prediction.values()) value /= 3;
  Tensor<float> y = numbers({batch, steps, 3});
  for (Index i = 0; i < y.size(); ++i) {
    if (i % 3 == 2) y.data()[i] = y.data()[i] > 0 ? 1 : 0;
  }
  std::string name = "pen";
  for (const Index size : {batch, steps, components}) name += "-" + std::to_string(size);
  time_loss(name, pen, prediction, y, seconds);
}

/// The gradient by all weights of the mean square of the outputs of three layers of U units, of
/// which the first moves a window of 10 Gaussians over a text of L characters among 57.
void time_window(Index batch, Index steps, Index units, Index length, double seconds) {
  constexpr Index characters = 57;
  const WindowLSTMOptions options{.characters = characters, .length = length, .peepholes = false};
  Sequential model{Input{Dynamic, 3},
                   WindowStack{WindowLSTM{units, return_sequences, options},
                               LSTM{units, return_sequences}, LSTM{units, return_sequences}}};
  Tensor<float> weights = numbers({1, model.parameter_count()});
  for (float& weight : weights.values()) weight /= 60;
  model.set_weights(std::vector<float>(weights.values().begin(), weights.values().end()));
  const Tensor<float> x = numbers({batch, steps, 3});
  std::vector<std::vector<Index>> texts(static_cast<std::size_t>(batch));
  for (std::size_t b = 0; b < texts.size(); ++b) {
    for (Index u = 0; u < length; ++u) {
      texts[b].push_back((7 * u + static_cast<Index>(b)) % characters);
    }
  }
  const State<float> begin = text_state(model, texts);
  const auto network = model.trainable_network();
  TrainableNetwork<float>::Tape tape;
  std::vector<float> gradient(static_cast<std::size_t>(model.parameter_count()));
  double loss = 0;
  const auto step = [&] {
    State<float> state = begin;
    const Tensor<float>& y = network.forward(x, tape, Random(), {.state = &state});
    tape.derivative.resize(y.shape());
    loss = 0;
    for (Index i = 0; i < y.size(); ++i) {
      loss += static_cast<double>(y.data()[i] * y.data()[i]);
      tape.derivative.data()[i] = 2 * y.data()[i] / static_cast<float>(y.size());
    }
    loss /= static_cast<double>(y.size());
    std::fill(gradient.begin(), gradient.end(), 0.f);
    network.backward(x, tape, gradient);
  };
  const std::vector<double> times = bench::measure(seconds, bench::Clock::processor, step);
  std::string name = "window";
  for (const Index size : {batch, steps, units, length}) name += "-" + std::to_string(size);
  std::printf("%s %.9g %.2f\n", name.c_str(), loss,
              1e6 * *std::min_element(times.begin(), times.end()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "versions") == 0) {
    std::printf("%s\n", bench::versions().c_str());
    return 0;
  }
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.3;
  time_ctc(8, 100, 20, 30, seconds);
  time_ctc(8, 400, 50, 50, seconds);
  time_ctc(1, 2000, 200, 50, seconds);
  time_pen(16, 50, 20, seconds);
  time_window(16, 100, 100, 40, seconds);
  time_window(16, 100, 400, 40, seconds);
}
