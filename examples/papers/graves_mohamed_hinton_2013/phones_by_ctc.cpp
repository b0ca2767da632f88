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

/// The probabilities of the classes at each step, from the logits of one sentence.
std::vector<std::vector<double>> softmax(const Tensor<float>& logits) {
  std::vector<std::vector<double>> steps;
  for (Index t = 0; t < logits.steps(); ++t) {
    std::vector<double>& shares = steps.emplace_back();
    double sum = 0;
    for (Index c = 0; c < logits.features(); ++c) {
      shares.push_back(std::exp(static_cast<double>(logits(0, t, c))));
      sum += shares.back();
    }
    for (double& share : shares) share /= sum;
  }
  return steps;
}

struct PhoneAt {
  std::size_t step;
  std::string phone;
};

/// The phones that were said, each at its middle.
std::vector<PhoneAt> said(const Utterance& sentence) {
  std::vector<PhoneAt> phones;
  double begin = 0;
  for (std::size_t i = 0; i < sentence.phones.size(); ++i) {
    const double middle = (begin + sentence.ends[i]) / 2;
    phones.push_back({static_cast<std::size_t>(middle / frame_seconds), sentence.phones[i]});
    begin = sentence.ends[i];
  }
  return phones;
}

/// The phones of the likeliest alignment, each at its first step.
std::vector<PhoneAt> recognised(const std::vector<std::vector<double>>& steps,
                                const std::vector<std::string>& names) {
  std::vector<PhoneAt> phones;
  std::size_t before = 0;
  for (std::size_t t = 0; t < steps.size(); ++t) {
    const auto best = static_cast<std::size_t>(std::max_element(steps[t].begin(), steps[t].end()) -
                                               steps[t].begin());
    if (best != 0 && best != before) phones.push_back({t, names[best]});
    before = best;
  }
  return phones;
}

std::string between(const std::vector<PhoneAt>& phones, std::size_t first, std::size_t end) {
  std::string text;
  for (const PhoneAt& at : phones) {
    if (at.step >= first && at.step < end) text += ' ' + at.phone;
  }
  return text;
}

/// A chart for each second of the first sentence of the test part, the last with the rest of it:
/// the probability of the blank, and of each phone that is likelier than all else at some step.
void draw_sentence(const Sequential<>& model, const Corpus& corpus,
                   const std::filesystem::path& path) {
  constexpr std::size_t second = 50;  // steps
  const Part sentence = corpus.test.rows({0});
  const auto steps = softmax(model.predict(sentence.x));
  const auto truth = said(corpus.first_of_test);
  const auto found = recognised(steps, corpus.phones());
  std::vector<Chart> charts;
  for (std::size_t first = 0, end = 0; end < steps.size(); first = end) {
    end = steps.size() - first < 2 * second ? steps.size() : first + second;
    std::vector<Line> lines;
    for (std::size_t c = 0; c < corpus.phones().size(); ++c) {
      Line line{corpus.phones()[c], {}, {}, c == 0};
      for (std::size_t t = first; t < end; ++t) {
        line.x.push_back(frame_seconds * static_cast<double>(t));
        line.y.push_back(steps[t][c]);
      }
      const bool likely = *std::max_element(line.y.begin(), line.y.end()) > 0.5;
      if (c == 0 || likely) lines.push_back(std::move(line));
    }
    charts.push_back({"said:" + between(truth, first, end), "seconds",
                      "probability; recognised:" + between(found, first, end), std::move(lines)});
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
