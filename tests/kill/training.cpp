// A training that keeps itself in a file and goes on from it: training <file> <weights>. When it
// ends, it writes the weights. kill.py kills it.

#include <cstdio>
#include <string>

#include <strata/io/checkpoint.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

using namespace strata;

namespace {

/// Says how far the training is, for the script.
struct Say {
  void on_rest(TrainingRun&, const Progress& progress) const {
    std::printf("%d %td\n", progress.epoch, progress.batches_done);
    std::fflush(stdout);
  }
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  Tensor<float> x({400, 20, 3});
  Tensor<float> y({400, 1});
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  for (Index b = 0; b < 400; ++b) y(b, 0) = x(b, 3, 0) * x(b, 15, 1);

  Sequential<> model;
  model.add(BatchNormalization{});
  model.add(LSTM{24, return_sequences, {.dropout = 0.1, .recurrent_dropout = 0.1}});
  model.add(Dropout{0.1});
  model.add(LSTM{16});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 3e-3}, MeanSquaredError{}, {MeanAbsoluteError{}});
  model.fit(
      x, y,
      {.epochs = 12,
       .batch_size = 16,
       .validation_split = 0.2,
       .weight_noise = 0.001,
       .callbacks = {EarlyStopping{.patience = 8}, ReduceLROnPlateau{.factor = 0.5, .patience = 2},
                     Say{},
                     ModelCheckpoint{.path = arguments[1], .resume = true, .every_batches = 3}},
       .verbose = 0});
  save_weights(arguments[2], model);
}
