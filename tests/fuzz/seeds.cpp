// Writes the seeds of the fuzzers, small files of every kind: fuzz_seeds <folder tests/fuzz/corpus>

#include <filesystem>
#include <string>

#include <strata/io/checkpoint.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

using namespace strata;

namespace {

Tensor<float> noise(const Shape& shape) {
  Tensor<float> x(shape);
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  return x;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = std::filesystem::path(arguments[1]) / "safetensors";
  std::filesystem::create_directories(folder);

  Sequential plain{Input{Dynamic, 2}, LSTM{3, return_sequences}, Dense{1}};
  save(folder / "model", plain, {.self_test = noise({1, 3, 2})});
  save_weights(folder / "weights", plain);
  save_weights(folder / "weights_half", plain, {.precision = Precision::half});
  save_weights(folder / "weights_int16", plain, {.precision = Precision::int16});

  Sequential nested{Input{3, 2},
                    Residual{Bidirectional{LSTM{2, return_sequences}, Merge::sum}},
                    SkipConnections{GRU<float, Dynamic, Dynamic, true>{2}, Dense{1}},
                    TimeDistributed{BatchNormalization{}},
                    ExtendedLSTM{2, return_sequences, {.projection = 1}},
                    DeepTransitionRNN{2, {.transitions = {2}}}};
  save(folder / "nested", nested, {.self_test = noise({1, 3, 2})});

  Sequential ids{Input{Dynamic}, Embedding{4, 2}, SimpleRNN{2},       RepeatVector{2},
                 Flatten{},      Reshape{2, 2},   AttentionPooling{2}};
  save(folder / "ids", ids, {.self_test = Tensor<float>({1, 2})});

  Sequential<double> wide;
  wide.add(Input{Dynamic, 1});
  wide.add(LayerNormLSTM{1});
  wide.add(Dense{1});
  save(folder / "wide", wide);

  Sequential small{Input{Dynamic, 1}, Dense{1}};
  small.compile(SGD{.momentum = 0.9}, MeanSquaredError{});
  small.fit(Tensor<float>({4, 2, 1}), Tensor<float>({4, 2, 1}),
            {.callbacks = {EarlyStopping{.monitor = "loss"},
                           ModelCheckpoint{.path = (folder / "checkpoint").string()}},
             .verbose = 0});
}
