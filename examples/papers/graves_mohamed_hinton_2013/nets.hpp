#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "../common/options.hpp"
#include "../common/table.hpp"
#include "corpus.hpp"

/// The networks of the paper, and how CTC trains them.
namespace papers {

enum class Cell { lstm, tanh };

struct Net {
  std::string name;
  Cell cell;
  bool both_directions;
  int levels;
  Index units;  ///< of each direction
  Index weights;
  double paper;  ///< the error rate of the paper's network of this form
};

inline const Net deep_net = {"CTC-3L-48H", Cell::lstm, true, 3, 48, 149'908, 0.186};

/// Adds the levels of a net. LSTM cells have peepholes, as in the paper. Noise on the inputs and
/// dropout between levels, which the paper has not, make up for the few sentences.
inline void add_levels(strata::Sequential<>& model, const Net& net) {
  using namespace strata;
  model.add(Input{Dynamic, 3 * detail::coefficients});
  model.add(GaussianNoise{0.5});
  for (int level = 0; level < net.levels; ++level) {
    if (level > 0) model.add(Dropout{0.2});
    if (net.cell == Cell::tanh) {
      model.add(Bidirectional{SimpleRNN{net.units, return_sequences}});
    } else if (net.both_directions) {
      model.add(Bidirectional{ExtendedLSTM{net.units, return_sequences}});
    } else {
      model.add(ExtendedLSTM{net.units, return_sequences});
    }
  }
  model.add(Dropout{0.2});
}

inline strata::Sequential<> ctc_model(const Net& net, const Corpus& corpus, std::uint64_t seed) {
  strata::Sequential<> model;
  add_levels(model, net);
  model.add(strata::Dense{corpus.classes()});
  model.initialize(seed);
  check_weights(net.name, model.parameter_count(), net.weights);
  return model;
}

/// Prints what every tenth epoch has reached.
struct Report {
  std::string net;

  void on_epoch_end(strata::TrainingRun&, int epoch, const strata::Logs& logs) const {
    if ((epoch + 1) % 10 != 0) return;
    std::printf("%s, epoch %3d: loss %7.2f, validation %7.2f, label errors %.3f\n", net.c_str(),
                epoch + 1, logs["loss"], logs["val_loss"], logs["val_label_error_rate"]);
    std::fflush(stdout);
  }
};

struct Trained {
  int epochs;
  bool learned;  ///< whether the loss of the training part has fallen
};

// Of all trainings: first without noise on the weights, then with it.
inline constexpr Index batch_size = 8;
inline constexpr double learning_rate = 5e-3;
inline constexpr int clean_epochs = 60;
inline constexpr int clean_patience = 5;
inline constexpr int noisy_epochs = 120;
inline constexpr double weight_noise = 0.075;

/// The two trainings of the paper: without noise until the likelihood of the validation part is
/// highest, and from there with noise on the weights, while the rate of learning falls along a
/// cosine, until its label error rate is lowest.
inline Trained train_ctc(strata::Sequential<>& model, const Net& net, const Corpus& corpus,
                         const Options& options) {
  using namespace strata;
  const Part& validation = corpus.validation;
  FitOptions<float> fit{.batch_size = batch_size,
                        .seed = options.seed(),
                        .mask = corpus.train.mask,
                        .validation_data = std::pair{validation.x, validation.labels},
                        .validation_mask = validation.mask,
                        .verbose = 0};
  const auto compile = [&] {
    model.compile(Adam{.learning_rate = learning_rate, .clip = {.global_norm = 10}}, CTC{},
                  {LabelErrorRate{}});
  };

  compile();
  fit.epochs = options.epochs(options.quick() ? 8 : clean_epochs);
  fit.callbacks = {Report{net.name}, EarlyStopping{.patience = clean_patience}};
  const History clean = model.fit(corpus.train.x, corpus.train.labels, fit);

  compile();
  fit.epochs = options.epochs(options.quick() ? 2 : noisy_epochs);
  fit.weight_noise = weight_noise;
  fit.callbacks = {Report{net.name + " with noise"}, CosineDecay{},
                   EarlyStopping{.monitor = "val_label_error_rate", .patience = fit.epochs}};
  const History noisy = model.fit(corpus.train.x, corpus.train.labels, fit);

  const std::vector<double>& losses = clean["loss"];
  return {static_cast<int>(clean.epochs() + noisy.epochs()),
          *std::min_element(losses.begin(), losses.end()) < 0.9 * losses.front()};
}

}  // namespace papers
