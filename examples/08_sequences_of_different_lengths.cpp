// Who is speaking? Sequences of different lengths, classified as a whole.
//
// Teaches pad_sequences and masks. Nine men say the vowels /ae/, for 7 to 29 frames of 12 numbers
// each. pad_sequences makes one tensor of them, filled up with zeros, and the mask that tells data
// from filling; with the mask, the LSTMs go through each sequence from its first frame to its last
// and no further. On screen: seconds of training, the speakers that are taken for others, and the
// accuracy beside that of the nearest class mean.
//
//   08_sequences_of_different_lengths [japanese_vowels.txt]

#include <strata/strata.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace strata;

namespace {

constexpr Index channels = 12;
constexpr Index speakers = 9;

struct Utterances {
  std::vector<Tensor<float>> frames;  // of each utterance (T, 12)
  std::vector<float> speaker;         // 0 to 8
};

Utterances read(const std::filesystem::path& path, const std::string& wanted) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string() +
                             "; give the path of japanese_vowels.txt as an argument (in strata's "
                             "sources it is in examples/data)");
  }
  Utterances utterances;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string part;
    float speaker = 0;
    words >> part >> speaker;
    if (part != wanted) continue;
    std::vector<float> values;
    for (float value; words >> value;) values.push_back(value / 100);
    const auto steps = static_cast<Index>(values.size()) / channels;
    utterances.frames.emplace_back(Shape{steps, channels}, std::move(values));
    utterances.speaker.push_back(speaker - 1);
  }
  return utterances;
}

// Brings each channel to mean 0 and deviation 1, as measured on the utterances to train.
void standardise(Utterances& train, Utterances& test) {
  Eigen::RowVectorXf sum = Eigen::RowVectorXf::Zero(channels);
  Eigen::RowVectorXf squares = sum;
  float count = 0;
  for (const Tensor<float>& frames : train.frames) {
    sum += frames.matrix().colwise().sum();
    squares += frames.matrix().cwiseAbs2().colwise().sum();
    count += static_cast<float>(frames.batch());
  }
  const Eigen::RowVectorXf mean = sum / count;
  const Eigen::RowVectorXf scale = (squares / count - mean.cwiseAbs2()).array().rsqrt();
  for (Utterances* part : {&train, &test}) {
    for (Tensor<float>& frames : part->frames) {
      auto x = frames.matrix();
      x = (x.rowwise() - mean) * scale.asDiagonal();
    }
  }
}

// (B, 24): mean and deviation of each channel over the frames.
Eigen::MatrixXf figures(const Utterances& utterances) {
  Eigen::MatrixXf all(utterances.frames.size(), 2 * channels);
  for (Index b = 0; b < all.rows(); ++b) {
    const auto x = utterances.frames[static_cast<std::size_t>(b)].matrix();
    const Eigen::RowVectorXf mean = x.colwise().mean();
    all.row(b) << mean, (x.rowwise() - mean).array().square().colwise().mean().sqrt().matrix();
  }
  return all;
}

// What a method without order or memory can do: the speaker whose mean figures are nearest.
double nearest_mean(const Utterances& train, const Utterances& test) {
  Eigen::MatrixXf known = figures(train);
  Eigen::MatrixXf asked = figures(test);
  const Eigen::RowVectorXf mean = known.colwise().mean();
  const Eigen::RowVectorXf scale =
      (known.rowwise() - mean).array().square().colwise().mean().rsqrt();
  known = (known.rowwise() - mean) * scale.asDiagonal();
  asked = (asked.rowwise() - mean) * scale.asDiagonal();

  Eigen::MatrixXf means = Eigen::MatrixXf::Zero(speakers, known.cols());
  Eigen::VectorXf counts = Eigen::VectorXf::Zero(speakers);
  for (Index b = 0; b < known.rows(); ++b) {
    const auto speaker = static_cast<Index>(train.speaker[static_cast<std::size_t>(b)]);
    means.row(speaker) += known.row(b);
    ++counts(speaker);
  }
  means = counts.cwiseInverse().asDiagonal() * means;
  Index right = 0;
  for (Index b = 0; b < asked.rows(); ++b) {
    Index nearest = 0;
    (means.rowwise() - asked.row(b)).rowwise().squaredNorm().minCoeff(&nearest);
    right += nearest == static_cast<Index>(test.speaker[static_cast<std::size_t>(b)]);
  }
  return static_cast<double>(right) / static_cast<double>(asked.rows());
}

Tensor<float> labels(const Utterances& utterances) {
  return {{static_cast<Index>(utterances.speaker.size()), 1}, utterances.speaker};
}

void print_mistakes(const Tensor<float>& scores, const Utterances& test) {
  std::printf("\nTaken for another:\n");
  for (Index b = 0; b < scores.batch(); ++b) {
    const auto& frames = test.frames[static_cast<std::size_t>(b)];
    const auto speaker = static_cast<Index>(test.speaker[static_cast<std::size_t>(b)]);
    Index found = 0;
    scores.matrix().row(b).maxCoeff(&found);
    if (found == speaker) continue;
    std::printf("  speaker %d for %d, of %2d frames\n", static_cast<int>(speaker) + 1,
                static_cast<int>(found) + 1, static_cast<int>(frames.batch()));
  }
}

int run(const std::filesystem::path& path) {
  Utterances train = read(path, "train");
  Utterances test = read(path, "test");
  standardise(train, test);
  const auto [x, mask] = pad_sequences(train.frames, {.padding = Side::post});
  const auto [x_test, mask_test] = pad_sequences(test.frames, {.padding = Side::post});
  std::printf("%d utterances of 12 channels, filled up to %d frames; %.0f %% are data\n\n",
              static_cast<int>(x.batch()), static_cast<int>(x.steps()),
              100 * static_cast<double>(mask.count()) / static_cast<double>(x.matrix().rows()));

  Sequential model{Input{Dynamic, channels}, LSTM{32, return_sequences, {.dropout = 0.2}},
                   LSTM{32, {.dropout = 0.2}}, Dropout{0.3}, Dense{speakers}};
  std::cout << model.summary() << '\n';
  model.compile(Adam{.learning_rate = 1e-2}, SparseCategoricalCrossentropy{.from_logits = true},
                {Accuracy{}});
  model.fit(x, labels(train),
            {.epochs = 60, .batch_size = 16, .mask = mask, .callbacks = {CosineDecay{}}});

  print_mistakes(model.predict(x_test, {.mask = mask_test}), test);
  const double accuracy = model.evaluate(x_test, labels(test), {.mask = mask_test})["accuracy"];
  std::printf("\nRight of %d utterances that training did not see\n\n",
              static_cast<int>(x_test.batch()));
  std::printf("  nearest class mean  %.3f\n  LSTM                %.3f\n", nearest_mean(train, test),
              accuracy);
  if (accuracy >= 0.96) return 0;
  std::printf("\nThe network should be right for 0.96 at least.\n");
  return 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    const auto data = std::filesystem::path("data") / "japanese_vowels.txt";
    auto path = std::filesystem::path(__FILE__).parent_path() / data;
    if (!exists(path)) path = "examples" / data;
    return run(count > 1 ? std::filesystem::path(words[1]) : path);
  } catch (const std::exception& error) {
    std::cerr << "08_sequences_of_different_lengths: " << error.what() << '\n';
    return 1;
  }
}
