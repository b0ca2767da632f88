// Trainings on several processes, each of which prints a line with a number for all bits of its
// result. Arguments:
//
//   cases <threads>                all cases; with a further argument without strata::mpi, by a
//                                  process of its own
//   error <which>                  the error that all processes get
//   full_disk <checkpoint>         a training whose disk is full for some epochs
//   long <checkpoint> <epochs>     a training that goes on from its file

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/checkpoint.hpp>
#include <strata/mpi.hpp>
#include <strata/strata.hpp>

#include "support/small_files.hpp"

using namespace strata;
using detail::Digest;

namespace {

struct Data {
  Tensor<float> x;  // (B, T, 3)
  Tensor<float> y;  // (B, 1)
};

Data data(Index samples, Index steps) {
  Data data{Tensor<float>({samples, steps, 3}), Tensor<float>({samples, 1})};
  Random random(1);
  for (float& value : data.x.values()) value = static_cast<float>(random.normal());
  for (Index b = 0; b < samples; ++b)
    data.y(b, 0) = data.x(b, 2, 1) + 0.5f * data.x(b, steps - 1, 0);
  return data;
}

/// The same samples by number, whose sequences are padded to the longest of a batch of eight
/// numbers.
struct Source {
  const Data& all;
  /// How often each sample was asked for.
  mutable std::map<Index, int> asked = {};

  [[nodiscard]] Index size() const { return all.x.batch(); }
  void fill(std::span<const Index> numbers, Batch<float>& batch) const {
    const auto count = static_cast<Index>(numbers.size());
    batch.x.resize({count, all.x.steps(), all.x.features()});
    batch.y.resize({count, 1});
    batch.mask = Mask(count, all.x.steps());
    std::vector<float> weights;
    for (Index i = 0; i < count; ++i) {
      const Index number = numbers[static_cast<std::size_t>(i)];
      ++asked[number];
      batch.x.sequence(i) = all.x.sequence(number);
      batch.y(i, 0) = all.y(number, 0);
      for (Index t = 3 + number % 5; t < all.x.steps(); ++t) batch.mask.set(i, t, number % 3 == 0);
      weights.push_back(number % 4 == 0 ? 2.0f : 1.0f);
    }
    batch.sample_weight = weights;
  }
};

/// Changes the rate and the weights, and stops, as callbacks may.
struct Meddler {
  void on_batch_end(TrainingRun& run, Index batch, const Logs&) {
    if (batch == 1) run.set_learning_rate(0.9 * run.learning_rate());
  }
  void on_epoch_end(TrainingRun& run, int epoch, Logs& logs) {
    logs.set("rate_so_far", run.learning_rate());
    if (epoch != 1) return;
    auto weights = run.weights();
    for (double& weight : weights) weight *= 0.99;
    run.set_weights(weights);
  }
  void on_rest(TrainingRun& run, const Progress& progress) {
    if (progress.epoch == 2 && progress.batches_done == 2) run.stop();
  }
};

/// fit, evaluate and predict, on all processes or alone.
struct Way {
  bool alone;
  int threads;
  int processes;
  bool divides_moments = false;

  template <class Model, class... Arguments>
  History fit(Model& model, const Arguments&... arguments) const {
    model.set_threads(threads);
    return alone ? model.fit(arguments...)
                 : mpi::fit(model, arguments..., {.divide_moments = divides_moments});
  }
  template <class Model, class... Arguments>
  auto predict(Model& model, const Arguments&... arguments) const {
    return alone ? model.predict(arguments...) : mpi::predict(model, arguments...);
  }
  template <class Model, class... Arguments>
  auto evaluate(Model& model, const Arguments&... arguments) const {
    return alone ? model.evaluate(arguments...) : mpi::evaluate(model, arguments...);
  }
};

template <class Model>
Digest digest_of(const Model& model, const History& history) {
  Digest digest;
  digest.add(model.weights());
  for (const std::string& name : history.names()) {
    if (name != "learning_rate") digest.add(name).add(history[name]);
  }
  return digest;
}

void print(int rank, const std::string& name, const Digest& digest) {
  std::printf("%s %d %016llx\n", name.c_str(), rank,
              static_cast<unsigned long long>(digest.value()));
}

void run_cases(int rank, const Way& way) {
  const Data all = data(300, 12);
  for (const Index batch_size : {16, 24, 64, 150, 300}) {
    Sequential model{LSTM{20, return_sequences, {.dropout = 0.1}}, GRU{16}, Dense{1}};
    model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{}, {MeanAbsoluteError{}});
    const History history = way.fit(model, all.x, all.y,
                                    FitOptions<float>{.epochs = 3,
                                                      .batch_size = batch_size,
                                                      .validation_split = 0.2,
                                                      .callbacks = {CosineDecay{}, EarlyStopping{}},
                                                      .verbose = 0});
    Digest digest = digest_of(model, history);
    digest.add(way.predict(model, all.x)).add(way.evaluate(model, all.x, all.y).loss);
    print(rank, "plain_" + std::to_string(batch_size), digest);
  }
  {
    // The gradients of these layers travel by themselves, and not with others.
    Sequential model{LSTM{72, return_sequences}, GRU{72, return_sequences}, LSTM{64}, Dense{1}};
    model.compile(Adam{}, MeanSquaredError{});
    const History history = way.fit(
        model, all.x, all.y, FitOptions<float>{.epochs = 1, .batch_size = 100, .verbose = 0});
    print(rank, "wide", digest_of(model, history));
  }
  {
    // Losses of steps and of sequences, without metrics: outputs are not handed to the others.
    Tensor<float> classes({300, 12}), labels({300, 4});
    Mask mask(300, 12);
    SampleWeights<float> weights = std::vector<float>(300, 0.5f);
    for (Index b = 0; b < 300; ++b) {
      for (Index t = 0; t < 12; ++t) {
        classes(b, t) = static_cast<float>((b + t) % 5);
        mask.set(b, t, t < 5 + b % 8);
      }
      for (Index i = 0; i < 4; ++i)
        labels(b, i) = i < 1 + b % 2 ? static_cast<float>(1 + (b + i) % 4) : 0;
    }
    Sequential model{LSTM{10, return_sequences}, Dense{5}};
    model.compile(Adam{}, SparseCategoricalCrossentropy{.from_logits = true});
    const FitOptions<float> options{
        .epochs = 2, .batch_size = 100, .mask = mask, .sample_weight = weights, .verbose = 0};
    Digest digest = digest_of(model, way.fit(model, all.x, classes, options));
    digest.add(way.evaluate(model, all.x, classes, EvaluateOptions<float>{.mask = mask}).loss);
    model.compile(Adam{}, CTC{});
    digest.add(digest_of(model, way.fit(model, all.x, labels, options)).value());
    print(rank, "steps", digest);
  }
  {
    const Source source{all};
    Sequential<> model;
    model.add(Input{Dynamic, 3});
    model.add(Bidirectional{LSTM{9, return_sequences}});
    model.add(ExtendedLSTM{8, return_sequences});
    model.add(LSTM{7});
    model.add(Dense{1});
    model.compile(SGD{.learning_rate = 0.05, .momentum = 0.9, .clip = {.global_norm = 1}}, Huber{},
                  {MeanAbsoluteError{}});
    const History history = way.fit(model, source,
                                    FitOptions<float>{.epochs = 3,
                                                      .batch_size = 100,
                                                      .validation_split = 0.1,
                                                      .weight_noise = 0.01,
                                                      .gradient_noise = {.eta = 0.01},
                                                      .read_ahead = 2,
                                                      .verbose = 0});
    Digest digest = digest_of(model, history);
    digest.add(way.predict(model, source)).add(way.evaluate(model, source).loss);
    print(rank, "source", digest);
  }
  {
    // A process asks for the samples of its own shards alone.
    const Source source{all};
    Sequential model{LSTM{8}, Dense{1}};
    model.compile(SGD{}, MeanSquaredError{});
    const History history = way.fit(
        model, source, FitOptions<float>{.batch_size = 100, .shuffle = false, .verbose = 0});
    const auto asked = static_cast<Index>(source.asked.size());
    if (!way.alone && asked * way.processes > 2 * source.size()) {
      std::printf("rank %d has asked for %d samples\n", rank, static_cast<int>(asked));
    }
    print(rank, "own_samples", digest_of(model, history));
  }
  {
    Sequential model{LSTM{20, return_sequences}, LSTM{8}, Dense{1}};
    model.compile(RMSprop{}, MeanSquaredError{});
    const History history = way.fit(model, all.x, all.y,
                                    FitOptions<float>{.epochs = 2,
                                                      .batch_size = 100,
                                                      .shuffle = false,
                                                      .stateful = true,
                                                      .truncate = 5,
                                                      .verbose = 0});
    Digest digest = digest_of(model, history);
    State<float> state;
    digest.add(way.evaluate(model, all.x, all.y, EvaluateOptions<float>{.state = &state}).loss);
    print(rank, "stateful", digest.add(state));
  }
  {
    Sequential model{Masking{0.0},
                     LSTM{20, return_sequences},
                     BatchNormalization{},
                     LSTM{8, return_sequences},
                     TimeDistributed{Dense{1}},
                     LastStep{}};
    model.compile(AdamW{}, MeanSquaredError{});
    const History history = way.fit(model, all.x, all.y,
                                    FitOptions<float>{.epochs = 2, .batch_size = 64, .verbose = 0});
    print(rank, "batch_normalization", digest_of(model, history).add(way.predict(model, all.x)));
  }
  {
    Sequential model{LSTM{12, return_sequences}, Dropout{0.2}, LSTM{8}, Dense{1}};
    model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{});
    const History history = way.fit(
        model, all.x, all.y,
        FitOptions<float>{.epochs = 5, .batch_size = 50, .callbacks = {Meddler{}}, .verbose = 0});
    print(rank, "callbacks", digest_of(model, history));
  }
  {
    Tensor<double> x({200, 6, 2}), y({200, 3});
    Random random(2);
    for (double& value : x.values()) value = random.normal();
    for (Index b = 0; b < 200; ++b) y(b, b % 3) = 1;
    Sequential<double> model;
    model.add(Input{6, 2});
    model.add(LSTM{10});
    model.add(Dense{3, Activation::softmax});
    model.compile(Nadam{}, CategoricalCrossentropy{}, {Accuracy{}, AUC{}});
    model.set_trainable("recurrent_kernel", false);
    const History history =
        way.fit(model, x, y,
                FitOptions<double>{
                    .epochs = 2, .batch_size = 90, .class_weight = {{1, 2.0}}, .verbose = 0});
    print(rank, "double", digest_of(model, history).add(way.predict(model, x)));
  }
}

/// Computes with another instruction set than the other processes from here on.
void use_another_processor() {
#ifdef STRATA_COMPILED
  use_processor(Processor::baseline);
#else
  std::printf("skipped: only strata::compiled has several instruction sets\n");
#endif
}

void run_error(int rank, int size, const std::string& which) {
  if (which == "processor" && rank == 1) use_another_processor();
  Data all = data(200, 8);
  Sequential model{LSTM{12, return_sequences}, LSTM{8}, Dense{1}};
  model.initialize(which == "weights" && rank == 1 ? 2 : 1);
  model.compile(Adam{.learning_rate = which == "optimizer" && rank == 1 ? 2e-3 : 1e-3},
                MeanSquaredError{});
  FitOptions<float> options{.epochs = 2, .batch_size = 64, .verbose = 0};
  if (which == "options" && rank == size - 1) options.batch_size = 32;
  if (which == "samples" && rank == 1) all.x(3, 2, 1) += 1;
  struct Fails {
    Source source;
    bool fails;
    [[nodiscard]] Index size() const { return source.size(); }
    void fill(std::span<const Index> numbers, Batch<float>& batch) const {
      source.fill(numbers, batch);
      if (fails && numbers.front() >= 64) throw std::runtime_error("the disk is gone");
    }
  };
  options.shuffle = false;
  try {
    if (which == "source") {
      mpi::fit(model, Fails{Source{all}, rank == 1}, options);
    } else if (which == "not_finite") {
      struct Explodes {
        void on_batch_end(TrainingRun& run, Index batch, const Logs&) {
          if (batch == 1) run.set_learning_rate(1e30);
        }
      };
      options.callbacks = {Explodes{}};
      mpi::fit(model, all.x, all.y, options);
    } else if (which == "callback") {
      struct Throws {
        void on_epoch_end(TrainingRun&, int, Logs&) {
          throw FileError("the log cannot be written");
        }
      };
      options.callbacks = {Throws{}};
      mpi::fit(model, all.x, all.y, options);
    } else if (which == "options_of_predict") {
      (void)mpi::predict(model, all.x, PredictOptions<float>{.batch_size = rank == 1 ? 16 : 32});
    } else {
      mpi::fit(model, all.x, all.y, options);
    }
    std::printf("rank %d: no error\n", rank);
  } catch (const std::exception& error) {
    std::printf("error %s\n", error.what());
  }
  // The processes can go on, unless they must not compute together.
  if (which == "processor") return;
  model.initialize(1);
  model.compile(Adam{}, MeanSquaredError{});
  const Data good = data(100, 8);
  mpi::fit(model, good.x, good.y, FitOptions<float>{.batch_size = 64, .verbose = 0});
  print(rank, "afterwards", Digest().add(model.weights()));
}

/// Trains with a checkpoint after each epoch. In rank 0, files cannot grow in epochs 1 and 2.
void run_full_disk(int rank, const std::string& checkpoint) {
  struct Disk {
    std::optional<test::SmallFiles>* full;
    int* warnings;
    void on_epoch_end(TrainingRun&, int epoch, Logs&) const {
      if (epoch == 1) full->emplace(1);
      if (epoch == 3) full->reset();
    }
    void on_warning(TrainingRun&, const std::string& text) const {
      if (text.find("ModelCheckpoint: ") == 0) ++*warnings;
    }
  };
  const Data all = data(100, 8);
  const auto trained = [&](std::vector<Callback> callbacks) {
    Sequential model{LSTM{12, return_sequences}, LSTM{8}, Dense{1}};
    model.compile(Adam{}, MeanSquaredError{});
    const History history = mpi::fit(
        model, all.x, all.y,
        FitOptions<float>{
            .epochs = 5, .batch_size = 64, .callbacks = std::move(callbacks), .verbose = 0},
        {.divide_moments = true});
    return digest_of(model, history);
  };
  std::optional<test::SmallFiles> full;
  int warnings = 0;
  print(rank, "full", trained({Disk{&full, &warnings}, ModelCheckpoint{.path = checkpoint}}));
  print(rank, "with_room", trained({}));
  if (rank == 0) std::printf("warnings %d\n", warnings);
}

void run_long(int rank, const std::string& checkpoint, int epochs) {
  const Data all = data(1000, 20);
  Sequential model{LSTM{32, return_sequences}, LSTM{32}, Dense{1}};
  model.compile(Adam{}, MeanSquaredError{});
  const History history = mpi::fit(
      model, all.x, all.y,
      FitOptions<float>{
          .epochs = epochs,
          .batch_size = 128,
          .callbacks = {ModelCheckpoint{.path = checkpoint, .resume = true, .every_batches = 3}},
          .verbose = 0},
      {.divide_moments = true});
  print(rank, "long", digest_of(model, history));
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Session session(argc, argv);
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "cases") {
    const Way way{argc > 3, std::atoi(argv[2]), session.size()};
    run_cases(session.rank(), way);
    if (!way.alone) run_cases(session.rank(), {false, way.threads, way.processes, true});
  } else if (what == "error") {
    run_error(session.rank(), session.size(), argv[2]);
  } else if (what == "full_disk") {
    run_full_disk(session.rank(), argv[2]);
  } else if (what == "long") {
    run_long(session.rank(), argv[2], argc > 3 ? std::atoi(argv[3]) : 1);
  } else {
    std::fprintf(stderr, "see the first lines of training.cpp\n");
    return 2;
  }
}
