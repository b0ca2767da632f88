// Graves 2013, "Generating sequences with recurrent neural networks" (arXiv 1308.0850), sections 2
// and 3: LSTM stacks with skip connections read an XML dump of Wikipedia byte by byte and predict
// the next one. Each layer reads the byte, one-hot, and the output of the layer below; the softmax
// reads all layers. The last 4 % of the file are the test, as in the paper, and 2 % before them the
// validation part.
//
//   next_byte --data enwiki.xml [--net 3x128] [--epochs 2]
//
// The data are pages of a Wikipedia dump, which the Python package gensim has among its test files:
//
//   pip download --no-deps gensim==4.4.0
//   unzip -j gensim-4.4.0-*.whl "*/enwiki-latest-pages-articles1.*"
//   bunzip2 -c enwiki-latest-pages-articles1.* > enwiki.xml
//
// On screen: the bits that a byte of the test part costs, with the weights as they were trained
// (static), and where the model goes on learning from what it has read (dynamic evaluation); byte
// n-grams of order 6 (Witten-Bell) need 2.260. Then text that each net writes.
// test arguments: --quick

#include <strata/strata.hpp>

#include "../common/character_training.hpp"
#include "../common/characters.hpp"
#include "../common/one_hot.hpp"
#include "../common/options.hpp"
#include "../common/table.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace strata;
using namespace papers;

namespace {

struct Net {
  std::string name;
  int layers;
  Index units;
  Index weights;  // for the 201 bytes that the dump has
};

const std::vector<Net> nets = {{"1x315", 1, 315, 714'936},
                               {"2x174", 2, 174, 714'645},
                               {"3x128", 3, 128, 715'337},
                               {"5x87", 5, 87, 711'600}};

template <std::size_t layers>
auto stack(Index units) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    return SkipConnections{((void)i, LSTM{units, return_sequences})...};
  }
  (std::make_index_sequence<layers>());
}

Sequential<> model_of(const Net& net, Index bytes) {
  Sequential<> model;
  model.add(OneHot{bytes});
  if (net.layers == 1) model.add(stack<1>(net.units));
  if (net.layers == 2) model.add(stack<2>(net.units));
  if (net.layers == 3) model.add(stack<3>(net.units));
  if (net.layers == 5) model.add(stack<5>(net.units));
  model.add(Dense{bytes, Activation::softmax});
  model.build(Input{Dynamic});
  return model;
}

void check_weights_of_all() {
  constexpr Index bytes = 201;
  for (const Net& net : nets) {
    check_weights(net.name, model_of(net, bytes).parameter_count(), net.weights);
  }
}

/// Bits per byte of a model that learns each window of the text after it has been scored.
double dynamic_bits(const Sequential<>& model, std::span<const Index> text, double rate) {
  const Samples samples = windows(text, 1, static_cast<Index>(text.size()) - 1);
  const auto dynamic =
      dynamic_evaluation(model, SGD{.learning_rate = rate, .clip = {.global_norm = 1}},
                         SparseCategoricalCrossentropy{}, samples.x, samples.y, {.window = 100});
  return bits(dynamic.figures.loss);
}

/// The learning rate of dynamic evaluation that is best on the validation part.
double best_rate(const Sequential<>& model, std::span<const Index> validation) {
  double best = 0, least = bits_per_character(model, validation);
  for (const double rate : {0.03, 0.1, 0.3}) {
    const double found = dynamic_bits(model, validation, rate);
    if (found < least) best = rate, least = found;
  }
  return best;
}

void write(const Sequential<>& model, const Net& net, const Alphabet& alphabet,
           std::uint64_t seed) {
  Stream stream{model};
  Random random(seed);
  const auto ids = generate(stream, alphabet.ids("\n"), 1000, {}, random);
  std::printf("\n%s writes:\n%s\n\n", net.name.c_str(), alphabet.text(ids).c_str());
  std::fflush(stdout);
}

int run(const Options& options) {
  check_weights_of_all();
  const std::string text = text_of(options, __FILE__, 300'000);
  const Alphabet alphabet(text);
  const std::vector<Index> ids = alphabet.ids(text);
  const Parts parts(ids, 0.02, 0.04);
  std::printf("%zu bytes of %td kinds; %zu for training\n", ids.size(), alphabet.size(),
              parts.train.size());

  Table table("bits per byte");
  bool learned = true;
  for (Net net : nets) {
    if (!options.wants(net.name)) continue;
    if (options.quick()) net.units = 16;
    Sequential<> model = model_of(net, alphabet.size());
    const double begin = processor_seconds();
    const int epochs = train(model, parts,
                             {.net = net.name,
                              .epochs = options.epochs(options.quick() ? 1 : 2),
                              .learning_rate = 1e-2,
                              .window = options.quick() ? 16 : 32,
                              .seed = options.seed()});
    const double trained = processor_seconds();
    Row row{.net = net.name + " static",
            .weights = model.parameter_count(),
            .ours = bits_per_character(model, parts.test),
            .epochs = epochs,
            .seconds = trained - begin};
    std::printf("%s: %.3f bits per byte of the test part\n", net.name.c_str(), row.ours);
    std::fflush(stdout);
    table.add(row);
    const double fixed = row.ours;
    const double scored = processor_seconds();
    row.net = net.name + " dynamic";
    const double rate = best_rate(model, parts.validation);
    row.ours = dynamic_bits(model, parts.test, rate);
    row.seconds = processor_seconds() - scored;
    std::printf("%s: %.3f with dynamic evaluation at a learning rate of %g\n", net.name.c_str(),
                row.ours, rate);
    table.add(row);
    write(model, net, alphabet, options.seed());
    // The frequencies of the bytes alone give 4.3 bits in the small text.
    learned = learned && (!options.quick() || (fixed < 4 && row.ours < fixed));
  }
  table.print();
  if (!learned) std::printf("A net has not learned what it must.\n");
  return learned ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> names;
  for (const Net& net : nets) names.push_back(net.name);
  const Usage usage{
      .name = "next_byte",
      .about =
          "Graves 2013, sections 2 and 3: bytes of Wikipedia, predicted and written by LSTM "
          "stacks with skip connections.",
      .data =
          "an unpacked file of text. That of the table is a piece of Wikipedia (CC BY-SA 3.0) "
          "in the Python package gensim 4.4.0: pip download --no-deps gensim==4.4.0 && unzip "
          "-j gensim-4.4.0-*.whl \"*/enwiki-latest-pages-articles1.*\" && bunzip2 -c "
          "enwiki-latest-pages-articles1.* > enwiki.xml",
      .nets = names};
  return run_program(count, words, usage, run);
}
