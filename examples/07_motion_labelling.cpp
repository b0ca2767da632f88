// Label every step of a sequence: what is the wearer of a smart watch doing right now?
//
// Teaches classification, here at each step: several channels in, as many outputs as classes, class
// numbers as labels, cross-entropy, accuracy, dropout. Standing, walking, running and badminton
// follow each other every few seconds; the network must keep in mind what it saw, and drop it when
// the motion changes. On screen: seconds of training, the labels of some sequences as letters, a
// confusion matrix, and the accuracy beside that of a nearest neighbour.
//
//   07_motion_labelling [basic_motions.txt]

#include <strata/strata.hpp>

#include <algorithm>
#include <array>
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

constexpr Index steps = 100;   // 10 s at 10 Hz
constexpr Index channels = 6;  // acceleration and rotation about x, y and z
constexpr Index classes = 4;
const std::array<std::string, classes> motions{"standing", "walking", "running", "badminton"};

struct Recordings {
  Tensor<float> x;            // (B, 100, 6)
  std::vector<Index> motion;  // B numbers of motions
};

Recordings read(const std::filesystem::path& path, const std::string& wanted) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string() +
                             "; give the path of basic_motions.txt as an argument (in strata's "
                             "sources it is in examples/data)");
  }
  std::vector<float> values;
  std::vector<Index> motion;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string part;
    std::string name;
    words >> part >> name;
    if (part != wanted) continue;
    const auto found = std::find(motions.begin(), motions.end(), name);
    if (found == motions.end()) throw std::runtime_error("not a motion: " + name);
    motion.push_back(found - motions.begin());
    for (float value; words >> value;) values.push_back(value);
  }
  const auto count = static_cast<Index>(motion.size());
  return {Tensor<float>({count, steps, channels}, std::move(values)), std::move(motion)};
}

// Brings each channel to mean 0 and deviation 1, as measured on the training recordings.
void standardise(Recordings& train, Recordings& test) {
  const Eigen::RowVectorXf mean = train.x.matrix().colwise().mean();
  const Eigen::RowVectorXf deviation =
      (train.x.matrix().rowwise() - mean).array().square().colwise().mean().sqrt();
  for (Recordings* part : {&train, &test}) {
    auto x = part->x.matrix();
    x = ((x.rowwise() - mean).array().rowwise() / deviation.array()).matrix();
  }
}

struct Samples {
  Tensor<float> x;  // (B, 100, 6)
  Tensor<float> y;  // (B, 100, 1): the number of the motion
};

// Sequences cut from recordings: 1.5 to 4 s of one motion, then of another, and so on.
Samples splice(const Recordings& recordings, Index count, Random random) {
  Samples samples{Tensor<float>({count, steps, channels}), Tensor<float>({count, steps, 1})};
  for (Index b = 0; b < count; ++b) {
    Index before = classes;
    for (Index t = 0; t < steps;) {
      const Index which = random.below(recordings.x.batch());
      const Index motion = recordings.motion[static_cast<std::size_t>(which)];
      if (motion == before) continue;
      const Index length = std::min(15 + random.below(26), steps - t);
      const Index from = random.below(steps - length + 1);
      samples.x.sequence(b).middleRows(t, length) =
          recordings.x.sequence(which).middleRows(from, length);
      samples.y.sequence(b).middleRows(t, length).setConstant(static_cast<float>(motion));
      t += length;
      before = motion;
    }
  }
  return samples;
}

// What a method without memory can do: for each step the motion of the step in the training
// recordings that is nearest in its six values. (Neighbours by mean and deviation over the last
// steps do worse: they smear the changes.)
double nearest_neighbour(const Recordings& known, const Samples& asked) {
  Index right = 0;
  const auto x = asked.x.matrix();
  for (Index row = 0; row < x.rows(); ++row) {
    Index nearest = 0;
    (known.x.matrix().rowwise() - x.row(row)).rowwise().squaredNorm().minCoeff(&nearest);
    const Index motion = known.motion[static_cast<std::size_t>(nearest / steps)];
    right += motion == static_cast<Index>(asked.y.matrix()(row, 0));
  }
  return static_cast<double>(right) / static_cast<double>(x.rows());
}

// The motion with the largest score, for each step of each sequence.
std::vector<Index> labels(const Tensor<float>& scores) {
  std::vector<Index> all;
  for (Index row = 0; row < scores.batch() * scores.steps(); ++row) {
    scores.matrix().row(row).maxCoeff(&all.emplace_back());
  }
  return all;
}

void print_sequences(const std::vector<Index>& predicted, const Tensor<float>& y) {
  const auto letter = [](Index motion) { return motions[static_cast<std::size_t>(motion)][0]; };
  std::printf(
      "\nFour new sequences, a letter for each 0.2 s: (s)tanding, (w)alking, (r)unning, "
      "(b)adminton\n");
  for (Index b = 0; b < 4; ++b) {
    std::string rows[2];
    for (Index t = 1; t < steps; t += 2) {
      rows[0] += letter(static_cast<Index>(y(b, t, 0)));
      rows[1] += letter(predicted[static_cast<std::size_t>(b * steps + t)]);
    }
    std::printf("\n  true       %s\n  predicted  %s\n", rows[0].c_str(), rows[1].c_str());
  }
}

void print_confusion(const std::vector<Index>& predicted, const Tensor<float>& y) {
  Eigen::Matrix<double, classes, classes> share;
  share.setZero();
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    ++share(static_cast<Index>(y.values()[i]), predicted[i]);
  }
  std::printf("\nOf the steps of each motion, per cent that are labelled as\n\n           ");
  for (const std::string& motion : motions) std::printf(" %10s", motion.c_str());
  for (Index row = 0; row < classes; ++row) {
    std::printf("\n  %-9s", motions[static_cast<std::size_t>(row)].c_str());
    for (Index column = 0; column < classes; ++column) {
      std::printf(" %10.1f", 100 * share(row, column) / share.row(row).sum());
    }
  }
  std::printf("\n");
}

int run(const std::filesystem::path& path) {
  // Sequences to test are cut from recordings that training does not see.
  Recordings known = read(path, "train");
  Recordings unseen = read(path, "test");
  standardise(known, unseen);
  const Samples train = splice(known, 2000, Random(1));
  const Samples test = splice(unseen, 200, Random(2));

  Sequential model{Input{steps, channels}, LSTM{32, return_sequences, {.dropout = 0.1}},
                   LSTM{32, return_sequences, {.dropout = 0.1}}, Dense{classes}};
  std::cout << model.summary() << '\n';
  model.compile(Adam{.learning_rate = 1e-2}, SparseCategoricalCrossentropy{.from_logits = true},
                {Accuracy{}});
  model.fit(train.x, train.y, {.epochs = 10, .batch_size = 16, .callbacks = {CosineDecay{}}});

  const std::vector<Index> predicted = labels(model.predict(test.x));
  print_sequences(predicted, test.y);
  print_confusion(predicted, test.y);
  const double accuracy = model.evaluate(test.x, test.y)["accuracy"];
  const double neighbour = nearest_neighbour(known, test);
  std::printf("\nRight steps of %d sequences from new recordings\n\n",
              static_cast<int>(test.x.batch()));
  std::printf("  nearest neighbour  %.3f\n  stacked LSTM       %.3f\n", neighbour, accuracy);

  if (accuracy > neighbour + 0.02) return 0;
  std::printf("\nThe network should be better than the neighbour by 0.02 at least.\n");
  return 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    const auto data = std::filesystem::path("data") / "basic_motions.txt";
    auto path = std::filesystem::path(__FILE__).parent_path() / data;
    if (!exists(path)) path = "examples" / data;
    return run(count > 1 ? std::filesystem::path(words[1]) : path);
  } catch (const std::exception& error) {
    std::cerr << "07_motion_labelling: " << error.what() << '\n';
    return 1;
  }
}
