// Hermans & Schrauwen 2013, "Training and analyzing deep recurrent neural networks" (NIPS 26): one
// wide recurrent layer against stacks of narrow layers with about as many weights, which predict
// the next character of a text. A stack is read out at its last layer ("1O") or at all layers
// ("AO"). The text is the King James Bible: 90 % for training, 5 % for validation, 5 % as the test.
//
//   characters_in_layers --data kjv.txt [--net lstm-3x96-AO] [--epochs 2] [--out folder]
//
// On screen: bits per character of the test part, as a table; an n-gram model of order 6
// (Witten-Bell) needs 1.927. Then the paper's measurement of time scales: one character of the text
// is replaced, and the distance of each layer's state from the state without the replacement is
// averaged over many places. It is drawn in time_scales_<net>.svg; the table says after how many
// characters a half and a tenth of the first distance is left.
// test arguments: --quick

#include <strata/strata.hpp>

#include "../common/character_training.hpp"
#include "../common/characters.hpp"
#include "../common/drawing.hpp"
#include "../common/one_hot.hpp"
#include "../common/options.hpp"
#include "../common/table.hpp"

#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace strata;
using namespace papers;

namespace {

struct Net {
  std::string name;
  bool has_memory;  // LSTM, otherwise tanh
  int layers;
  Index units;
  bool reads_all;
  Index weights;  // for the 73 characters of the text
};

const std::vector<Net> nets = {
    {"tanh-1x330", false, 1, 330, false, 157'483},
    {"tanh-2x210-1O", false, 2, 210, false, 163'453},
    {"tanh-2x210-AO", false, 2, 210, true, 178'783},
    {"tanh-5x128-1O", false, 5, 128, false, 166'857},
    {"tanh-5x128-AO", false, 5, 128, true, 204'233},
    {"lstm-1x193", true, 1, 193, false, 220'286},
    {"lstm-2x121-1O", true, 2, 121, false, 220'898},
    {"lstm-2x121-AO", true, 2, 121, true, 229'731},
    {"lstm-3x96-1O", true, 3, 96, false, 220'585},
    {"lstm-3x96-AO", true, 3, 96, true, 234'601},
    {"lstm-5x73-1O", true, 5, 73, false, 220'022},
    {"lstm-5x73-AO", true, 5, 73, true, 241'338},
};

template <std::size_t count, class Layer>
auto read_all(const Layer& layer) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return AllOutputs{((void)i, layer)...};
  }
  (std::make_index_sequence<count>());
}

template <class Layer>
void add_stack(Sequential<>& model, const Net& net, const Layer& layer) {
  if (!net.reads_all) {
    for (int i = 0; i < net.layers; ++i) model.add(layer);
  } else if (net.layers == 2) {
    model.add(read_all<2>(layer));
  } else if (net.layers == 3) {
    model.add(read_all<3>(layer));
  } else {
    model.add(read_all<5>(layer));
  }
}

Sequential<> model_of(const Net& net, Index characters) {
  Sequential<> model;
  model.add(OneHot{characters});
  if (net.has_memory) {
    add_stack(model, net, LSTM{net.units, return_sequences});
  } else {
    add_stack(model, net, SimpleRNN{net.units, return_sequences});
  }
  model.add(Dense{characters, Activation::softmax});
  model.build(Input{Dynamic});
  return model;
}

void check_weights_of_all() {
  constexpr Index characters = 73;
  for (const Net& net : nets) {
    check_weights(net.name, model_of(net, characters).parameter_count(), net.weights);
  }
}

/// How the distance of one layer's state from the unperturbed one shrinks: at each step, averaged
/// over many places of the text and divided by the distance at the first step.
struct TimeScale {
  std::string part;
  std::vector<double> distance;

  /// The number of steps, interpolated, after which the distance stays below `share`, as a word.
  [[nodiscard]] std::string steps_to(double share) const {
    std::size_t step = distance.size();
    while (step > 0 && distance[step - 1] < share) --step;
    if (step == distance.size()) return "> " + std::to_string(step - 1);
    const double above = std::log(distance[step - 1]), below = std::log(distance[step]);
    const double steps =
        static_cast<double>(step - 1) + (above - std::log(share)) / (above - below);
    char word[32];
    std::snprintf(word, sizeof word, "%.1f", steps);
    return word;
  }
};

std::vector<TimeScale> time_scales(const Sequential<>& model, std::span<const Index> ids,
                                   std::uint64_t seed) {
  constexpr Index places = 512, before = 100, steps = 100;
  Random random(seed);
  const auto draw = [&](std::size_t end) {
    return static_cast<std::size_t>(random.uniform() * static_cast<double>(end));
  };
  Tensor<float> context({places, before}), rest({places, steps});
  Tensor<float> typo({places, 1});
  for (Index place = 0; place < places; ++place) {
    const auto begin = draw(ids.size() - static_cast<std::size_t>(before + steps));
    const auto text = ids.subspan(begin);
    for (Index t = 0; t < before; ++t) {
      context(place, t) = static_cast<float>(text[static_cast<std::size_t>(t)]);
    }
    for (Index t = 0; t < steps; ++t) {
      rest(place, t) = static_cast<float>(text[static_cast<std::size_t>(before + t)]);
    }
    // The typo is another character of the text, as frequent as it is there.
    do {
      typo(place, 0) = static_cast<float>(ids[draw(ids.size())]);
    } while (typo(place, 0) == rest(place, 0));
  }

  std::vector<TimeScale> scales;
  const std::vector<NamedState> parts = state_parts(model);
  for (const NamedState& part : parts) scales.push_back({part.name, {}});
  State<float> state;
  (void)model.predict(context, {.batch_size = places, .state = &state});
  State<float> perturbed = state;
  for (Index t = 0; t < steps; ++t) {
    Tensor<float> x({places, 1});
    for (Index place = 0; place < places; ++place) x(place, 0) = rest(place, t);
    (void)model.predict(x, {.batch_size = places, .state = &state});
    (void)model.predict(t == 0 ? typo : x, {.batch_size = places, .state = &perturbed});
    for (std::size_t i = 0; i < parts.size(); ++i) {
      double sum = 0;
      for (Index place = 0; place < places; ++place) {
        const auto one = parts[i].of(state, place), other = parts[i].of(perturbed, place);
        double square = 0;
        for (std::size_t u = 0; u < one.size(); ++u) {
          square += std::pow(static_cast<double>(one[u]) - static_cast<double>(other[u]), 2);
        }
        sum += std::sqrt(square);
      }
      scales[i].distance.push_back(sum / static_cast<double>(places));
    }
  }
  for (TimeScale& scale : scales) {
    const double first = scale.distance.front();
    for (double& distance : scale.distance) distance /= first;
  }
  return scales;
}

/// The parts of the state whose names end with `ending`, layer by layer.
Chart chart_of(const std::string& title, const std::vector<TimeScale>& scales,
               const std::string& ending) {
  Chart chart{.title = title,
              .x_label = "characters after the replaced one",
              .y_label = "distance of the states, 1 at the replaced character",
              .lines = {},
              .logarithmic = true};
  for (const TimeScale& scale : scales) {
    if (!scale.part.ends_with(ending)) continue;
    Line line{.name = "layer " + std::to_string(chart.lines.size() + 1), .x = {}, .y = {}};
    for (const double distance : scale.distance) {
      line.x.push_back(static_cast<double>(line.x.size()));
      line.y.push_back(std::max(distance, 1e-6));
    }
    chart.lines.push_back(line);
  }
  return chart;
}

void show(const Net& net, const std::vector<TimeScale>& scales, const Options& options) {
  std::printf("\n%s: characters until a half and a tenth of the distance is left\n",
              net.name.c_str());
  for (const TimeScale& scale : scales) {
    std::printf("  %-16s %6s %6s\n", scale.part.c_str(), scale.steps_to(0.5).c_str(),
                scale.steps_to(0.1).c_str());
  }
  std::fflush(stdout);
  std::vector<Chart> charts{chart_of(net.name + ", outputs h", scales, ".h")};
  if (net.has_memory) charts.push_back(chart_of(net.name + ", memories c", scales, ".c"));
  draw_charts(options.out("time_scales_" + net.name + ".svg"), charts);
}

int run(const Options& options) {
  check_weights_of_all();
  const std::string text = text_of(options, __FILE__, 60'000);
  const Alphabet alphabet(text);
  const std::vector<Index> ids = alphabet.ids(text);
  const Parts parts(ids, 0.05, 0.05);
  std::printf("%zu characters of %td kinds; %zu for training\n", ids.size(), alphabet.size(),
              parts.train.size());

  Table table("bits per character");
  for (Net net : nets) {
    if (!options.wants(net.name)) continue;
    if (options.quick()) net.units = 16;
    Sequential<> model = model_of(net, alphabet.size());
    const double begin = processor_seconds();
    const int epochs = train(model, parts,
                             {.net = net.name,
                              .epochs = options.epochs(2),
                              .learning_rate = net.has_memory ? 1.2e-2 : 4e-3,
                              .window = options.quick() ? 16 : 32,
                              .seed = options.seed()});
    const double seconds = processor_seconds() - begin;
    table.add({.net = net.name,
               .weights = model.parameter_count(),
               .ours = bits_per_character(model, parts.test),
               .epochs = epochs,
               .seconds = seconds});
    std::printf("%s: %.3f bits per character of the test part\n", net.name.c_str(),
                table.rows().back().ours);
    show(net, time_scales(model, parts.test, options.seed()), options);
  }
  table.print();
  if (!options.quick()) return 0;
  // A guess without any knowledge costs 5.9 bits, one by the characters' frequencies 4.4.
  for (const Row& row : table.rows()) {
    if (row.ours > 4.5) {
      std::printf("%s has learned nothing of the text\n", row.net.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> names;
  for (const Net& net : nets) names.push_back(net.name);
  const Usage usage{
      .name = "characters_in_layers",
      .about =
          "Hermans & Schrauwen 2013: characters of a text, predicted by one wide layer or by "
          "stacks of narrow ones; the time scales of their layers.",
      .data =
          "a text file. The King James Bible of the paper's table is written by the Debian "
          "package bible-kjv: bible \"Gen1:1-Rev22:21\" < /dev/null > kjv.txt",
      .nets = names};
  return run_program(count, words, usage, run);
}
