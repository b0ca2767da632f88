#pragma once

#include <strata/strata.hpp>

#include "options.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// Texts as sequences of characters, for models that predict the next one.
namespace papers {

/// All bytes of a file.
inline std::string read_text(const std::filesystem::path& path) {
  if (!is_regular_file(path)) throw std::runtime_error(path.string() + " is not a file");
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) throw std::runtime_error("cannot read " + path.string());
  return text;
}

/// The text of strata's examples, for small runs. `program` is the program's __FILE__.
inline std::string small_text(const std::filesystem::path& program) {
  const std::filesystem::path file = "data/psalms_and_proverbs.txt";
  const auto beside = program.parent_path().parent_path().parent_path() / file;
  return read_text(exists(beside) ? beside : "examples" / file);
}

/// The text of --data. With --quick it is cut to `quick_size` characters, and without --data it is
/// the small text. `program` is the program's __FILE__.
inline std::string text_of(const Options& options, const std::filesystem::path& program,
                           std::size_t quick_size) {
  if (!options.quick()) return read_text(options.data());
  std::string text = options.has_data() ? read_text(options.data()) : small_text(program);
  text.resize(std::min(text.size(), quick_size));
  return text;
}

/// Characters as classes: a class is the place of a character among all characters of a text.
class Alphabet {
 public:
  explicit Alphabet(const std::string& text) {
    const std::set<char> all(text.begin(), text.end());
    letters_.assign(all.begin(), all.end());
  }
  [[nodiscard]] strata::Index size() const { return static_cast<strata::Index>(letters_.size()); }
  [[nodiscard]] std::vector<strata::Index> ids(const std::string& text) const {
    std::vector<strata::Index> ids;
    ids.reserve(text.size());
    for (const char letter : text) {
      const auto place = letters_.find(letter);
      if (place == std::string::npos) {
        throw std::invalid_argument(std::string("the alphabet has no character ") + letter);
      }
      ids.push_back(static_cast<strata::Index>(place));
    }
    return ids;
  }
  [[nodiscard]] std::string text(std::span<const strata::Index> ids) const {
    std::string text;
    for (const strata::Index id : ids) text += letters_[static_cast<std::size_t>(id)];
    return text;
  }

 private:
  std::string letters_;
};

/// The parts of a text: the first for training, the last for the test.
struct Parts {
  std::span<const strata::Index> train, validation, test;

  /// Throws std::invalid_argument on a text that is too short to learn from.
  Parts(std::span<const strata::Index> ids, double validation_share, double test_share) {
    constexpr std::size_t least = 20'000;
    if (ids.size() < least) {
      throw std::invalid_argument("the text has " + std::to_string(ids.size()) +
                                  " characters; at least " + std::to_string(least) + " are needed");
    }
    const auto length = static_cast<double>(ids.size());
    const auto last = static_cast<std::size_t>(test_share * length);
    const auto middle = static_cast<std::size_t>(validation_share * length);
    test = ids.last(last);
    validation = ids.last(last + middle).first(middle);
    train = ids.first(ids.size() - last - middle);
  }
};

struct Samples {
  strata::Tensor<float> x;  ///< (B, T): characters
  strata::Tensor<float> y;  ///< (B, T, 1): those that follow
};

/// Windows of `steps` characters of `streams` parts of a text, side by side: sequence b of each
/// batch of `streams` goes on where sequence b of the batch before ended.
inline Samples windows(std::span<const strata::Index> ids, strata::Index streams,
                       strata::Index steps) {
  using strata::Index;
  const Index batches = (static_cast<Index>(ids.size()) - 1) / (streams * steps);
  if (batches < 1) {
    throw std::invalid_argument("windows: " + std::to_string(streams * steps + 1) +
                                " characters are needed, found " + std::to_string(ids.size()));
  }
  Samples samples{strata::Tensor<float>({batches * streams, steps}),
                  strata::Tensor<float>({batches * streams, steps, 1})};
  for (Index row = 0; row < batches * streams; ++row) {
    const Index first = (row % streams * batches + row / streams) * steps;
    for (Index t = 0; t < steps; ++t) {
      samples.x(row, t) = static_cast<float>(ids[static_cast<std::size_t>(first + t)]);
      samples.y(row, t, 0) = static_cast<float>(ids[static_cast<std::size_t>(first + t + 1)]);
    }
  }
  return samples;
}

inline double bits(double nats) { return nats / std::log(2.0); }

/// The bits that a character of the text costs on average, read from its begin to its end as one
/// sequence.
template <class Model>
double bits_per_character(const Model& model, std::span<const strata::Index> ids) {
  constexpr std::size_t piece = 2000;
  strata::State<float> state;
  double nats = 0;
  for (std::size_t first = 0; first + 1 < ids.size(); first += piece) {
    const std::size_t steps = std::min(piece, ids.size() - 1 - first);
    const Samples samples =
        windows(ids.subspan(first, steps + 1), 1, static_cast<strata::Index>(steps));
    nats +=
        static_cast<double>(steps) * model.evaluate(samples.x, samples.y, {.state = &state}).loss;
  }
  return bits(nats / static_cast<double>(ids.size() - 1));
}

}  // namespace papers
