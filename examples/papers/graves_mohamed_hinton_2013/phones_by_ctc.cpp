// Graves, Mohamed & Hinton 2013, "Speech recognition with deep recurrent neural networks" (ICASSP):
// the phones of spoken sentences, by stacks of bidirectional LSTM layers that CTC trains. Nobody
// tells the network when a phone is said. The paper's networks are made here at a twenty-fifth of
// their size: three levels against one wide level, one direction and tanh units of as many weights,
// and one, two and five levels. The sentences are Russian, 80 for training, 10 for validation and
// 10 for the test.
//
//   phones_by_ctc [--data festvox_ru.txt] [--net CTC-3L-48H] [--seed 1] [--out folder]
//
// On screen: the error rate of phones on the test part, as a table in the paper's order; its
// figures are those of TIMIT. In phones_by_ctc.svg: the probability of each phone over a sentence
// of the test part, by the network of three levels.
// test arguments: --quick

#include <strata/strata.hpp>

#include "../common/drawing.hpp"
#include "../common/options.hpp"
#include "../common/table.hpp"
#include "corpus.hpp"
#include "nets.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace strata;
using namespace papers;

namespace {

const std::vector<Net> nets = {
    {"CTC-3L-97H-TANH", Cell::tanh, true, 3, 97, 149'432, 0.376},
    {"CTC-1L-48H", Cell::lstm, true, 1, 48, 37'972, 0.239},
    {"CTC-1L-114H", Cell::lstm, true, 1, 114, 150'304, 0.230},
    {"CTC-2L-48H", Cell::lstm, true, 2, 48, 93'940, 0.210},
    {"CTC-3L-81H-UNI", Cell::lstm, false, 3, 81, 148'849, 0.196},
    deep_net,
    {"CTC-5L-48H", Cell::lstm, true, 5, 48, 261'844, 0.184},
};

/// The probabilities of the classes at a step, from their logits.
std::vector<double> softmax(const Tensor<float>& logits, Index t) {
  std::vector<double> shares;
  double sum = 0;
  for (Index c = 0; c < logits.features(); ++c) {
    shares.push_back(std::exp(static_cast<double>(logits(0, t, c))));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

/// A chart for each second of the first sentence of the test part: the blank, and each phone whose
/// probability passes a half. The title tells the phones that were said, by their times.
void draw_sentence(const Sequential<>& model, const Corpus& corpus,
                   const std::filesystem::path& path) {
  constexpr Index steps_of_chart = 50;
  const Utterance& sentence = corpus.first_of_test;
  const Index steps = sentence.frames.shape()[0];
  const Tensor<float> logits =
      model.predict(corpus.test.x.rows(0, 1), {.mask = corpus.test.mask.rows(0, 1)});
  std::vector<Chart> charts;
  for (Index first = 0; first < steps; first += steps_of_chart) {
    const Index end = std::min(first + steps_of_chart, steps);
    std::vector<Line> lines;
    for (const std::string& phone : corpus.phones()) lines.push_back({phone, {}, {}});
    lines[0].dashed = true;
    for (Index t = first; t < end; ++t) {
      const std::vector<double> shares = softmax(logits, t);
      for (std::size_t c = 0; c < shares.size(); ++c) {
        lines[c].x.push_back(frame_seconds * static_cast<double>(t));
        lines[c].y.push_back(shares[c]);
      }
    }
    std::erase_if(lines, [](const Line& line) {
      return !line.dashed && *std::max_element(line.y.begin(), line.y.end()) < 0.5;
    });
    std::string title = "Said:";
    for (std::size_t i = 0; i < sentence.phones.size(); ++i) {
      const double middle = ((i > 0 ? sentence.ends[i - 1] : 0) + sentence.ends[i]) / 2;
      const auto step = static_cast<Index>(middle / frame_seconds);
      if (step >= first && step < end) title += ' ' + sentence.phones[i];
    }
    charts.push_back({title, "seconds", "probability", std::move(lines)});
  }
  draw_charts(path, charts);
}

int run(const Options& options) {
  const Corpus corpus = read_corpus(options, __FILE__);
  Table table("error rate of phones");
  bool all_learned = true;
  for (const Net& net : nets) {
    if (!options.wants(net.name)) continue;
    const double start = processor_seconds();
    Sequential<> model = ctc_model(net, corpus, options.seed());
    const Trained trained = train_ctc(model, net, corpus, options);
    const double seconds = processor_seconds() - start;
    all_learned = all_learned && trained.learned;

    const auto errors = [&](const Part& part, bool search) {
      const Tensor<float> logits = model.predict(part.x, {.mask = part.mask});
      return corpus.error_rate(
          search ? ctc_beam_search(logits, part.mask, {.width = options.quick() ? 4 : 100})
                 : ctc_greedy(logits, part.mask),
          part);
    };
    const double error = errors(corpus.test, true);
    std::printf("%s: error rate %.3f by beam search, %.3f greedy; validation part %.3f\n",
                net.name.c_str(), error, errors(corpus.test, false),
                errors(corpus.validation, true));
    table.add({net.name, net.weights, error, net.paper, trained.epochs, seconds});
    if (net.name == deep_net.name) {
      draw_sentence(model, corpus, options.out("phones_by_ctc.svg"));
    }
  }
  table.print();
  if (all_learned) return 0;
  std::printf("The loss of a net has not fallen.\n");
  return 1;
}

}  // namespace

int main(int count, char** words) {
  Usage usage{"phones_by_ctc",
              "Recognises the phones of spoken sentences by deep recurrent networks and CTC.",
              data_help,
              {}};
  for (const Net& net : nets) usage.nets.push_back(net.name);
  return run_program(count, words, usage, run);
}
