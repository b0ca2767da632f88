// Graves 2013, "Generating sequences with recurrent neural networks" (arXiv:1308.0850), sections 4
// and 5: LSTMs that predict the next movement of a pen as a mixture of 20 Gaussians, three layers
// with skip connections against one of as many weights, and a network that writes a given text,
// which its first layer reads through a moving window.
//
// The paper's lines of handwriting are not free to share; here the pen draws the characters of
// Omniglot. Drawers 1 to 16 are for training, 17 and 18 for validation, 19 and 20 for the test. The
// text of a drawing is two characters: its alphabet, and its number in the alphabet.
//
//   handwriting --data strokes_background_small1 [--net 3x100] [--epochs 40] [--out folder]
//
// On screen: the negative log likelihood of a point, in nats, beside that of a linear model. In
// drawn_<net>.svg: drawings from the network. The net "synthesis" draws characters that it is told,
// as they come, biased towards the likely (section 5.4), and goes on with drawings that others
// began (primed, section 5.5).
// test arguments: --quick

#include <strata/strata.hpp>

#include "../common/drawing.hpp"
#include "../common/options.hpp"
#include "../common/table.hpp"
#include "strokes.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace strata;
using namespace papers;

namespace {

constexpr PenDensity pen{.components = 20};
constexpr Index text_length = 2;

struct Data {
  std::vector<Drawing> drawings;
  Script script;
  std::vector<DrawingBatch> train, validation, test;

  Data(std::vector<Drawing> all, Index batch_size) : drawings(std::move(all)), script(drawings) {
    standardise(drawings, 16);
    train = batches_of(drawings, script, 1, 16, batch_size);
    validation = batches_of(drawings, script, 17, 18, batch_size);
    test = batches_of(drawings, script, 19, 20, batch_size);
  }
};

using Peephole = ExtendedLSTM<float, true>;

auto one_layer() { return Sequential{Input{Dynamic, 3}, Peephole{229}, Dense{pen.outputs()}}; }
auto three_layers() {
  return Sequential{Input{Dynamic, 3}, SkipConnections{Peephole{100}, Peephole{100}, Peephole{100}},
                    Dense{pen.outputs()}};
}
auto synthesis(Index characters) {
  const WindowLSTM reader{
      100, return_sequences, {.characters = characters, .length = text_length, .gaussians = 5}};
  return Sequential{Input{Dynamic, 3}, WindowStack{reader, Peephole{100}, Peephole{100}},
                    Dense{pen.outputs()}};
}

template <class Model>
concept ReadsText = requires(const Model& model) {
  text_state(model, {});
  std::get<0>(model.layers()).layers();
  std::get<0>(std::get<0>(model.layers()).layers()).window_features();
};

/// The state in which a model begins a drawing.
template <class Model>
State<float> begin(const Model& model, const std::vector<std::vector<Index>>& texts) {
  if constexpr (ReadsText<Model>) return text_state(model, texts);
  return model.network().zero_state(static_cast<Index>(texts.size()));
}

/// The mean negative log likelihood of a point, in nats.
template <class Model>
double nats_per_point(const Model& model, const std::vector<DrawingBatch>& batches) {
  double nats = 0, points = 0;
  for (const DrawingBatch& batch : batches) {
    State<float> state = begin(model, batch.texts);
    const auto count = static_cast<double>(batch.mask.count());
    nats += count * model.evaluate(batch.x, batch.y, {.mask = batch.mask, .state = &state}).loss;
    points += count;
  }
  return nats / points;
}

/// Trains with a rate that falls to zero, and keeps the weights that are best for the validation
/// part. Returns the nats a point of the validation part before the training.
template <class Model>
double train(Model& model, const std::string& name, const Data& data, int epochs,
             std::uint64_t seed) {
  model.initialize(seed);
  model.compile(Adam{}, pen);
  const double first_rate = 2e-3;
  Trainer trainer{model, Adam{.learning_rate = first_rate, .clip = {.global_norm = 1}}, pen};
  std::vector<std::size_t> order(data.train.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  Random random(seed);
  std::vector<float> best_weights = model.weights();
  const double before = nats_per_point(model, data.validation);
  double best = before;
  std::size_t step = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
    double nats = 0, points = 0;
    for (const std::size_t i : order) {
      const DrawingBatch& batch = data.train[i];
      const double share = static_cast<double>(step++) /
                           (static_cast<double>(epochs) * static_cast<double>(order.size()));
      trainer.optimizer().set_learning_rate(first_rate * (1 - share));
      State<float> state = begin(model, batch.texts);
      const auto count = static_cast<double>(batch.mask.count());
      nats += count * trainer.step(batch.x, batch.y, {.mask = batch.mask, .state = &state});
      points += count;
    }
    const double validation = nats_per_point(model, data.validation);
    if (validation < best) {
      best = validation;
      best_weights = model.weights();
    }
    std::printf("%s, epoch %2d: %.3f nats a point, %.3f of the validation part\n", name.c_str(),
                epoch, nats / points, validation);
    std::fflush(stdout);
  }
  model.set_weights(best_weights);
  return before;
}

/// A linear model of a movement from the one before, with a covariance for movements behind the end
/// of a stroke and one for all others; the ends themselves at their mean rate.
double linear_model(const Data& data) {
  Eigen::Matrix3d squares = Eigen::Matrix3d::Zero();
  Eigen::Matrix<double, 3, 2> products = Eigen::Matrix<double, 3, 2>::Zero();
  double ends = 0, count = 0;
  const auto for_each = [](const std::vector<DrawingBatch>& batches, auto f) {
    for (const DrawingBatch& batch : batches) {
      for (Index b = 0; b < batch.x.batch(); ++b) {
        for (Index t = 0; t < batch.x.steps() && batch.mask(b, t); ++t) {
          f(Eigen::Vector3d(batch.x(b, t, 0), batch.x(b, t, 1), 1),
            Eigen::Vector2d(batch.y(b, t, 0), batch.y(b, t, 1)), batch.x(b, t, 2) > 0,
            batch.y(b, t, 2) > 0);
        }
      }
    }
  };
  for_each(data.train, [&](const auto& x, const auto& y, bool, bool ended) {
    squares += x * x.transpose();
    products += x * y.transpose();
    ends += ended;
    ++count;
  });
  const Eigen::Matrix<double, 2, 3> map = squares.ldlt().solve(products).transpose();
  Eigen::Matrix2d covariance[2] = {Eigen::Matrix2d::Zero(), Eigen::Matrix2d::Zero()};
  double counts[2] = {0, 0};
  for_each(data.train, [&](const auto& x, const auto& y, bool up, bool) {
    const Eigen::Vector2d rest = y - map * x;
    covariance[up] += rest * rest.transpose();
    ++counts[up];
  });
  for (int up = 0; up < 2; ++up) covariance[up] /= counts[up];
  const double rate = ends / count;
  double nats = 0, points = 0;
  for_each(data.test, [&](const auto& x, const auto& y, bool up, bool ended) {
    const Eigen::Vector2d rest = y - map * x;
    nats += std::log(2 * std::numbers::pi) + std::log(covariance[up].determinant()) / 2 +
            rest.dot(covariance[up].inverse() * rest) / 2 - std::log(ended ? rate : 1 - rate);
    ++points;
  });
  return nats / points;
}

/// Draws with a network: goes through the movements `primer`, then samples until there are `count`
/// movements.
template <class Model>
PenDrawing draw(const Model& model, const State<float>& state, std::vector<Movement> primer,
                std::size_t count, double bias, Random& random, const std::string& caption) {
  PenDrawing drawing{caption, {{{0, 0}}}};
  Stream stream{model};
  stream.set_state(state);
  Movement movement{0, 0, 1};
  Point at;
  for (std::size_t t = 0; t < count; ++t) {
    const auto y = stream.step(movement);
    if (t < primer.size()) {
      movement = primer[t];
    } else {
      const PenPoint next = pen.distribution(y, bias).sample(random);
      movement = {static_cast<float>(next.dx), static_cast<float>(next.dy), next.end ? 1.f : 0.f};
    }
    at = {at.x + movement[0], at.y + movement[1]};
    // The movement behind the end of a stroke is made with the pen up.
    drawing.strokes.back().push_back(at);
    if (movement[2] > 0 && t + 1 < count) drawing.strokes.emplace_back();
  }
  if (drawing.strokes.back().empty()) drawing.strokes.pop_back();
  return drawing;
}

template <class Model>
void draw_all(const Model& model, const std::string& name, const Data& data,
              const Options& options) {
  Random random(options.seed());
  std::vector<PenDrawing> drawings;
  std::vector<const Drawing*> test;
  for (const Drawing& drawing : data.drawings) {
    if (drawing.drawer == 19) test.push_back(&drawing);
  }
  const std::size_t count = 8;
  for (const auto& [label, bias, primed] :
       {std::tuple("sampled", 0.0, false), {"bias 1", 1.0, false}, {"primed", 1.0, true}}) {
    for (std::size_t i = 0; i < count; ++i) {
      const Drawing& model_drawing = *test[(2 * i + 1) * test.size() / (2 * count)];
      const std::size_t length = model_drawing.movements.size();
      std::vector<Movement> primer = model_drawing.movements;
      primer.resize(primed ? length / 3 : 0);
      std::string caption = label;
      if constexpr (ReadsText<Model>) {
        caption = model_drawing.alphabet + " " + std::to_string(model_drawing.character + 1);
      }
      drawings.push_back(draw(model, begin(model, {data.script.text(model_drawing)}), primer,
                              length, bias, random, caption));
    }
  }
  const auto path = options.out("drawn_" + name + ".svg");
  draw_pen(path, "Drawn by " + name + ": as it comes, with a bias of 1, and primed", drawings,
           count);
  std::printf("drawings: %s\n", path.string().c_str());
}

template <class Model>
void add_row(Table& table, Model model, const std::string& name, Index weights, const Data& data,
             const Options& options) {
  if (!options.wants(name)) return;
  if (!options.quick()) check_weights(name, model.parameter_count(), weights);
  const int epochs = options.epochs(options.quick() ? 2 : 40);
  const double start = processor_seconds();
  const double before = train(model, name, data, epochs, options.seed());
  const double after = nats_per_point(model, data.test);
  if (!(after < before)) throw std::runtime_error(name + " has not learned anything");
  table.add({.net = name,
             .weights = model.parameter_count(),
             .ours = after,
             .epochs = epochs,
             .seconds = processor_seconds() - start});
  draw_all(model, name, data, options);
}

int run(const Options& options) {
  const bool is_made = options.quick() && !options.has_data();
  if (is_made) std::printf("drawings of the program's own, which are not the paper's\n");
  const Data data(is_made ? made_drawings() : read_omniglot(options.data()), 32);
  std::printf("%d drawings, a text has two of %d characters\n",
              static_cast<int>(data.drawings.size()), static_cast<int>(data.script.size()));
  const double linear = linear_model(data);
  Table table("nats a point");
  table.add({.net = "linear", .ours = linear});
  add_row(table, one_layer(), "1x229", 241'945, data, options);
  add_row(table, three_layers(), "3x100", 242'121, data, options);
  add_row(table, synthesis(data.script.size()), "synthesis", 297'636, data, options);
  table.print();
  // The small run learns too little to be better than a linear model.
  const auto better = [&](const Row& row) { return row.ours <= linear; };
  return options.quick() || std::all_of(table.rows().begin(), table.rows().end(), better) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const Usage usage{.name = "handwriting",
                    .about = "Graves 2013: movements of a pen, predicted and written.",
                    .data =
                        "the unpacked python/strokes_background_small1.zip of "
                        "github.com/brendenlake/omniglot",
                    .nets = {"1x229", "3x100", "synthesis"}};
  return run_program(count, words, usage, run);
}
