// Each kind of cell, and each way through its kernels, once, for the sanitizer of pointers: an
// offset to a null pointer, or one that leaves the memory. The cells are without memories, biases,
// masks or states by turns.
#include <cstdio>
#include <string>
#include <vector>

#include <strata/strata.hpp>

namespace {

using namespace strata;

Tensor<float> numbers(const Shape& shape) {
  Tensor<float> x(shape);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = 0.01f * static_cast<float>(i % 37) - 0.2f;
  return x;
}

/// Prediction, with a mask and a state too, of one sequence and of many; a stream and many streams;
/// a step of training.
void run(Sequential<>& model) {
  for (const Index batch : {1, 2, 25}) {
    const Tensor<float> x = numbers({batch, 3, 3});
    (void)model.predict(x);
    Mask mask(batch, 3);
    mask.set(0, 1, false);
    State<float> state;
    (void)model.predict(x, {.mask = mask, .state = &state});
    model.compile(Adam{}, MeanSquaredError{});
    const Tensor<float> y = numbers(model.output_shape(x.shape()));
    (void)model.train_on_batch(x, y, {.mask = mask, .state = &state});
  }
  Stream stream{model};
  StreamBatch streams{model};
  for (int i = 0; i < 3; ++i) (void)streams.join();
  const std::vector<float> x(3, 0.1f);
  for (int step = 0; step < 2; ++step) {
    (void)stream.step(x);
    streams.step();
  }
}

template <class Layer>
void run_layer(const char* name, const Layer& layer) {
  std::puts(name);
  Sequential<> model;
  model.add(Input{Dynamic, 3});
  model.add(layer);
  model.add(Dense{1});
  run(model);
}

/// Units below a register, of one, of more than one panel, and with a rest.
template <class Make>
void run_sizes(const char* name, Make make) {
  for (const Index units : {1, 3, 8, 12, 16, 24, 30, 46}) run_layer(name, make(units));
}

}  // namespace

int main() {
  run_sizes("GRU", [](Index units) { return GRU{units}; });
  run_sizes("SimpleRNN", [](Index units) { return SimpleRNN{units, return_sequences}; });
  run_sizes("LSTM", [](Index units) { return LSTM{units}; });
  run_layer("LSTM without bias", LSTM{12, return_sequences, {.use_bias = false}});
  run_layer("LSTM with dropout", LSTM{12, {.dropout = 0.2, .recurrent_dropout = 0.2}});
  run_layer("GRU, reset before", ResetBeforeGRU{12});
  std::puts("threads");
  Sequential<> model;
  model.add(Input{Dynamic, 3});
  model.add(GRU{16});
  model.set_threads(2);
  (void)model.predict(numbers({50, 3, 3}));
}
