// Graves, Mohamed & Hinton 2013, "Speech recognition with deep recurrent neural networks" (ICASSP):
// the phones of spoken sentences, by a transducer. A bidirectional encoder of three levels reads
// the speech, a prediction network reads the phones so far, and an output network joins them. It is
// trained once from fresh weights, and once from an encoder that CTC has trained and a prediction
// network that has learned which phone follows.
//
//   phones_by_transducer [--data festvox_ru.txt] [--net PRETRANS-3L-48H] [--seed 1]
//
// On screen: the error rate of phones on the test part, as a table beside the paper's figures for
// TIMIT. The networks that CTC alone trains are in phones_by_ctc.cpp.
// test arguments: --quick

#include <strata/strata.hpp>

#include "../common/options.hpp"
#include "../common/table.hpp"
#include "corpus.hpp"
#include "nets.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

using namespace strata;
using namespace papers;

namespace {

constexpr Index units = 48;
constexpr Index joint = 48;  // units of the output network's hidden layer
constexpr Index weights = 173'956;
const std::string fresh = "TRANS-3L-48H";
const std::string pretrained = "PRETRANS-3L-48H";

using Model = Transducer<Sequential<>, Sequential<>, Sequential<>>;

/// A network that reads labels as vectors of one 1 and zeros elsewhere.
Sequential<> label_network(Index classes, const Dense<>& last) {
  Sequential<> model;
  model.add(Input{Dynamic, classes});
  model.add(ExtendedLSTM{units, return_sequences});
  model.add(last);
  return model;
}

Model transducer_model(const Corpus& corpus, std::uint64_t seed) {
  Sequential<> encoder, output;
  add_levels(encoder, deep_net);
  encoder.add(Dense{joint});
  output.add(Input{joint});
  output.add(Activate{Activation::tanh});
  output.add(Dense{corpus.classes()});
  Model model{std::move(encoder), label_network(corpus.classes(), Dense{joint}), std::move(output)};
  model.encoder.initialize(seed);
  model.prediction.initialize(seed + 1000);
  model.output.initialize(seed + 2000);
  const Index found = model.encoder.parameter_count() + model.prediction.parameter_count() +
                      model.output.parameter_count();
  check_weights("the transducer", found, weights);
  return model;
}

/// Labels (B, L) as a network reads them that predicts each from those before: behind a first 0,
/// (B, L, classes), with the labels as targets (B, L, 1).
struct NextLabels {
  Tensor<float> x, y;
  Mask mask;

  NextLabels(const Tensor<float>& labels, Index classes)
      : x({labels.shape()[0], labels.shape()[1], classes}),
        y({labels.shape()[0], labels.shape()[1], 1}),
        mask(labels.shape()[0], labels.shape()[1]) {
    for (Index b = 0; b < labels.shape()[0]; ++b) {
      for (Index i = 0; i < labels.shape()[1]; ++i) {
        x(b, i, i == 0 ? 0 : static_cast<Index>(labels(b, i - 1))) = 1;
        y(b, i, 0) = labels(b, i);
        mask.set(b, i, labels(b, i) > 0);
      }
    }
  }
};

/// Copies the weights of all layers but the last.
void copy_levels(Sequential<>& from, Sequential<>& to) {
  const auto source = from.parameters();
  const auto target = to.parameters();
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i].name.starts_with("dense")) continue;
    std::copy(source[i].values.begin(), source[i].values.end(), target[i].values.begin());
  }
}

/// Returns the number of epochs.
int pretrain(Model& model, const Corpus& corpus, const Options& options) {
  Sequential<> ctc = ctc_model(deep_net, corpus, options.seed());
  const Trained trained = train_ctc(ctc, deep_net, corpus, options);
  copy_levels(ctc, model.encoder);

  const Index classes = corpus.classes();
  Sequential<> language = label_network(classes, Dense{classes, Activation::softmax});
  language.initialize(options.seed());
  language.compile(Adam{.learning_rate = learning_rate}, SparseCategoricalCrossentropy{});
  const NextLabels train(corpus.train.labels, classes);
  const NextLabels validation(corpus.validation.labels, classes);
  const History history = language.fit(train.x, train.y,
                                       {.epochs = options.epochs(options.quick() ? 4 : 40),
                                        .batch_size = batch_size,
                                        .seed = options.seed(),
                                        .mask = train.mask,
                                        .validation_data = std::pair{validation.x, validation.y},
                                        .validation_mask = validation.mask,
                                        .callbacks = {EarlyStopping{.patience = 3}},
                                        .verbose = 0});
  const auto& losses = history["val_loss"];
  std::printf("the next phone: %.3f nats on the validation part\n",
              *std::min_element(losses.begin(), losses.end()));
  copy_levels(language, model.prediction);
  return trained.epochs + static_cast<int>(history.epochs());
}

double greedy_error(const Model& model, const Corpus& corpus, const Part& part) {
  return corpus.error_rate(transducer_greedy(model, part.x, part.mask), part);
}

/// One of the two trainings of the paper: without noise on the weights, until the loss of the
/// validation part is lowest, or with noise, while the rate of learning falls along a cosine, until
/// its error rate is lowest. Afterwards the model is the one of the best epoch.
Trained train(Model& model, const std::string& name, const Corpus& corpus, const Options& options,
              int epochs, double deviation) {
  const bool noisy = deviation > 0;
  const int patience = noisy ? epochs : clean_patience;
  TransducerTrainer trainer{model,
                            Adam{.learning_rate = learning_rate, .clip = {.global_norm = 10}}};
  trainer.seed(options.seed());
  Model best = model;
  double best_figure = std::numeric_limits<double>::infinity();
  double first_loss = 0, loss = 0;
  int epoch = 0;
  for (int waited = 0; epoch < epochs && waited < patience; ++epoch) {
    const Random random = Random(options.seed()).fork(static_cast<std::uint64_t>(epoch));
    if (noisy) {
      const double share = (1 + std::cos(std::numbers::pi * epoch / epochs)) / 2;
      trainer.optimizer().set_learning_rate(learning_rate * share);
    }
    const auto batches = batches_by_length(corpus.train.lengths(), batch_size, random.at(0));
    loss = 0;
    for (const auto& rows : batches) {
      const Part batch = corpus.train.rows(rows);
      loss += trainer.step(batch.x, batch.labels, {.mask = batch.mask, .weight_noise = deviation}) /
              static_cast<double>(batches.size());
    }
    if (epoch == 0) first_loss = loss;

    const Part& validation = corpus.validation;
    const double error = greedy_error(model, corpus, validation);
    const double figure =
        noisy ? error : trainer.loss(validation.x, validation.labels, {.mask = validation.mask});
    ++waited;
    if (figure < best_figure) {
      best_figure = figure;
      best = model;
      waited = 0;
    }
    if ((epoch + 1) % 10 == 0) {
      std::printf("%s, epoch %3d: loss %7.2f, validation errors %.3f\n", name.c_str(), epoch + 1,
                  loss, error);
      std::fflush(stdout);
    }
  }
  model = best;
  return {epoch, loss < 0.9 * first_loss};
}

int run(const Options& options) {
  const Corpus corpus = read_corpus(options, __FILE__);
  Table table("error rate of phones");
  bool all_learned = true;
  for (const auto& [name, paper] : {std::pair{fresh, 0.183}, std::pair{pretrained, 0.177}}) {
    if (!options.wants(name)) continue;
    const double start = processor_seconds();
    Model model = transducer_model(corpus, options.seed());
    int epochs = name == pretrained ? pretrain(model, corpus, options) : 0;
    const Trained clean =
        train(model, name, corpus, options, options.epochs(options.quick() ? 4 : clean_epochs), 0);
    const Trained noisy = train(model, name + " with noise", corpus, options,
                                options.epochs(options.quick() ? 2 : noisy_epochs), weight_noise);
    epochs += clean.epochs + noisy.epochs;
    const double seconds = processor_seconds() - start;
    all_learned = all_learned && clean.learned;

    const Part& test = corpus.test;
    const double error = corpus.error_rate(
        transducer_beam_search(model, test.x, test.mask, {.width = options.quick() ? 2 : 8}), test);
    std::printf("%s: error rate %.3f by beam search, %.3f greedy\n", name.c_str(), error,
                greedy_error(model, corpus, test));
    table.add({name, weights, error, paper, epochs, seconds});
  }
  table.print();
  if (all_learned) return 0;
  std::printf("The loss of a net has not fallen.\n");
  return 1;
}

}  // namespace

int main(int count, char** words) {
  return run_program(count, words,
                     {"phones_by_transducer",
                      "Recognises the phones of spoken sentences by transducers.",
                      data_help,
                      {fresh, pretrained}},
                     run);
}
