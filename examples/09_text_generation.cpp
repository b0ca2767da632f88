// Text, character by character: a stacked LSTM reads the Psalms and Proverbs and writes on.
//
// Teaches Embedding, training on one long text, and generate. The text is read as 32 parallel
// streams, in windows of 32 characters; with .stateful a window goes on from the state of the one
// before, so that the network remembers further back than derivatives run (truncated
// back-propagation through time). Then a Stream writes: each character is drawn by its probability
// and becomes the next input. On screen: the bits that a character costs, of the text to learn and
// of a part that is kept back, some lines at two temperatures, and the likeliest verse.
//
//   09_text_generation [epochs [text]]
//
// The 6 epochs of the default are enough for words; with 30 it writes better and takes minutes.

#include <strata/strata.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace strata;

namespace {

constexpr Index streams = 32;
constexpr Index window = 32;

// The bits for each character of the part that was kept back, by a method that counts which
// characters follow each four characters in the rest of the text, with Witten-Bell smoothing. No
// other length than four does better.
constexpr double best_of_counting = 1.94;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string() +
                             "; give the path of a text as the second argument (in strata's "
                             "sources there is examples/data/psalms_and_proverbs.txt)");
  }
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) text += line + '\n';
  }
  return text;
}

// Characters as classes: a class is the place of a character among all characters of the text.
struct Alphabet {
  std::string letters;

  explicit Alphabet(const std::string& text) {
    const std::set<char> all(text.begin(), text.end());
    letters.assign(all.begin(), all.end());
  }
  Index size() const { return static_cast<Index>(letters.size()); }
  std::vector<Index> ids(const std::string& text) const {
    std::vector<Index> ids;
    for (const char letter : text) ids.push_back(static_cast<Index>(letters.find(letter)));
    return ids;
  }
  std::string text(std::span<const Index> ids) const {
    std::string text;
    for (const Index id : ids) text += letters[static_cast<std::size_t>(id)];
    return text;
  }
};

struct Samples {
  Tensor<float> x;  // (B, T): characters
  Tensor<float> y;  // (B, T, 1): those that follow
};

// Windows of `steps` characters of `count` streams side by side: sequence b of each batch of
// `count` goes on where sequence b of the batch before ended.
Samples windows(std::span<const Index> ids, Index count, Index steps) {
  const Index batches = (static_cast<Index>(ids.size()) - 1) / (count * steps);
  Samples samples{Tensor<float>({batches * count, steps}),
                  Tensor<float>({batches * count, steps, 1})};
  for (Index row = 0; row < batches * count; ++row) {
    const Index first = (row % count * batches + row / count) * steps;
    for (Index t = 0; t < steps; ++t) {
      samples.x(row, t) = static_cast<float>(ids[static_cast<std::size_t>(first + t)]);
      samples.y(row, t, 0) = static_cast<float>(ids[static_cast<std::size_t>(first + t + 1)]);
    }
  }
  return samples;
}

double bits(double loss) { return loss / std::log(2.0); }

template <class Model>
void write(const Model& model, const Alphabet& alphabet, double temperature) {
  Stream stream{model};
  Random random(1);
  const auto ids = generate(stream, alphabet.ids("\nThe "), 400,
                            {.temperature = temperature, .top_k = 10}, random);
  std::printf("\nTemperature %.1f, of the 10 likeliest characters:\n\nThe %s\n", temperature,
              alphabet.text(ids).c_str());
}

// The likeliest verse, for its length: each character makes a verse less likely, so that without
// the penalty the best would be the one that ends at once.
template <class Model>
void search(const Model& model, const Alphabet& alphabet) {
  const BeamSearch search{
      .width = 8, .steps = 200, .end = alphabet.ids("\n")[0], .length_penalty = 1};
  const Beam best = search(Stream{model}, alphabet.ids("\nMy son,")).front();
  std::printf(
      "\nThe likeliest verse for its length that begins with My son, by beam search:\n\nMy "
      "son,%s\n",
      alphabet.text(best.classes).c_str());
}

int run(int epochs, const std::filesystem::path& path) {
  const std::string text = read(path);
  const Alphabet alphabet(text);
  const std::vector<Index> ids = alphabet.ids(text);
  const std::size_t kept_back = ids.size() / 20;
  const Samples train = windows(std::span(ids).first(ids.size() - kept_back), streams, window);
  const auto rest = std::span(ids).last(kept_back);
  const Samples test = windows(rest, 1, static_cast<Index>(rest.size()) - 1);

  const LSTMOptions options{.dropout = 0.1};
  Sequential model{Embedding{alphabet.size(), 32}, LSTM{128, return_sequences, options},
                   LSTM{128, return_sequences, options},
                   Dense{alphabet.size(), Activation::softmax}};
  std::cout << model.summary() << '\n';
  model.compile(Adam{.learning_rate = 1e-2, .clip = {.global_norm = 1}},
                SparseCategoricalCrossentropy{});

  struct Report {
    decltype(model)& network;
    const Samples& unseen;

    void on_epoch_end(TrainingRun&, int epoch, const Logs& logs) const {
      std::printf("epoch %2d: %.3f bits per character, %.3f of the part kept back\n", epoch + 1,
                  bits(logs["loss"]), bits(network.evaluate(unseen.x, unseen.y).loss));
      std::fflush(stdout);
    }
  };
  model.fit(train.x, train.y,
            {.epochs = epochs,
             .batch_size = streams,
             .shuffle = false,
             .stateful = true,
             .callbacks = {CosineDecay{}, Report{model, test}},
             .verbose = 0});

  write(model, alphabet, 0.5);
  write(model, alphabet, 1);
  search(model, alphabet);
  if (bits(model.evaluate(test.x, test.y).loss) < best_of_counting) return 0;
  std::printf("A table of what follows four characters needs %.2f bits; the network, fewer.\n",
              best_of_counting);
  return 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    const auto data = std::filesystem::path("data") / "psalms_and_proverbs.txt";
    auto path = std::filesystem::path(__FILE__).parent_path() / data;
    if (!exists(path)) path = "examples" / data;
    return run(count > 1 ? std::atoi(words[1]) : 6,
               count > 2 ? std::filesystem::path(words[2]) : path);
  } catch (const std::exception& error) {
    std::cerr << "09_text_generation: " << error.what() << '\n';
    return 1;
  }
}
