#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../common/options.hpp"

/// Speech with its phones, as pack_festvox_ru.py writes it.
namespace papers {

using strata::Index;
using strata::Tensor;

inline constexpr double frame_seconds = 0.02;

struct Utterance {
  std::string name;
  std::vector<std::string> phones;
  std::vector<double> ends;  ///< of the phones, in seconds
  Tensor<float> frames;      ///< (T, features)
};

/// Utterances as a network reads them, filled up to one length.
struct Part {
  Part() = default;
  Part(const std::vector<Tensor<float>>& frames, const std::vector<std::vector<Index>>& phones) {
    auto padded = strata::pad_sequences(frames, {.padding = strata::Side::post});
    x = std::move(padded.x);
    mask = std::move(padded.mask);
    labels = strata::pad_sequences(phones, {.padding = strata::Side::post}).x;
  }

  Tensor<float> x;       ///< (B, T, features)
  strata::Mask mask;     ///< the frames that are speech
  Tensor<float> labels;  ///< (B, L): phones as class numbers, zeros behind them

  /// The number of frames of each utterance.
  [[nodiscard]] std::vector<Index> lengths() const {
    std::vector<Index> lengths;
    for (Index b = 0; b < mask.batch(); ++b) lengths.push_back(mask.rows(b, 1).count());
    return lengths;
  }

  /// Some of the utterances, by their numbers, filled up to the longest of them.
  [[nodiscard]] Part rows(const std::vector<Index>& numbers) const {
    std::vector<Tensor<float>> frames;
    std::vector<std::vector<Index>> phones;
    for (const Index b : numbers) {
      const Index steps = mask.rows(b, 1).count();
      frames.emplace_back(strata::Shape{steps, x.features()});
      std::copy_n(x.data() + b * x.steps() * x.features(), steps * x.features(),
                  frames.back().data());
      phones.push_back(phones_of(b));
    }
    return Part(frames, phones);
  }

  /// The phones of an utterance as class numbers.
  [[nodiscard]] std::vector<Index> phones_of(Index b) const {
    std::vector<Index> phones;
    for (Index i = 0; i < labels.features() && labels(b, i) > 0; ++i) {
      phones.push_back(static_cast<Index>(labels(b, i)));
    }
    return phones;
  }
};

namespace detail {

inline constexpr Index coefficients = 12;
inline constexpr const char* pause = "pau";

inline Tensor<float> read_frames(const std::string& line, const std::string& name) {
  std::istringstream words(line);
  std::vector<float> values;
  for (float value = 0; words >> value;) values.push_back(value / 100);
  const auto steps = static_cast<Index>(values.size()) / coefficients;
  if (!words.eof() || steps < 1 || static_cast<Index>(values.size()) != steps * coefficients) {
    throw std::runtime_error(name + ": expected frames of 12 numbers, found " +
                             std::to_string(values.size()) + " numbers");
  }
  return Tensor<float>({steps, coefficients}, std::move(values));
}

inline Utterance read_utterance(const std::string& head, const std::string& frames) {
  Utterance utterance;
  std::istringstream words(head);
  words >> utterance.name;
  std::string phone;
  for (double end = 0; words >> phone >> end;) {
    // A pause that follows another is a part of it.
    const bool goes_on =
        phone == pause && !utterance.phones.empty() && utterance.phones.back() == pause;
    if (goes_on) {
      utterance.ends.back() = end;
    } else {
      utterance.phones.push_back(phone);
      utterance.ends.push_back(end);
    }
  }
  if (!words.eof() || utterance.phones.empty()) {
    throw std::runtime_error("expected a name, and phones with their ends, found: " + head);
  }
  utterance.frames = read_frames(frames, utterance.name);
  return utterance;
}

/// The slopes of `frames` over the two frames before and behind each.
inline Tensor<float> slopes(const Tensor<float>& frames) {
  constexpr Index reach = 2;
  const Index steps = frames.shape()[0];
  Tensor<float> result(frames.shape());
  for (Index t = 0; t < steps; ++t) {
    for (Index k = 0; k < frames.features(); ++k) {
      float sum = 0, squares = 0;
      for (Index n = 1; n <= reach; ++n) {
        const auto distance = static_cast<float>(n);
        const float rise =
            frames(std::min(t + n, steps - 1), k) - frames(std::max(t - n, Index{0}), k);
        sum += distance * rise;
        squares += 2 * distance * distance;
      }
      result(t, k) = sum / squares;
    }
  }
  return result;
}

/// Coefficients, their slopes and the slopes of the slopes, side by side.
inline Tensor<float> with_slopes(const Tensor<float>& frames) {
  const Tensor<float> first = slopes(frames);
  const Tensor<float> second = slopes(first);
  Tensor<float> all({frames.shape()[0], 3 * coefficients});
  for (Index t = 0; t < frames.shape()[0]; ++t) {
    for (Index k = 0; k < coefficients; ++k) {
      all(t, k) = frames(t, k);
      all(t, coefficients + k) = first(t, k);
      all(t, 2 * coefficients + k) = second(t, k);
    }
  }
  return all;
}

/// Shifts and scales each feature so that it has the mean 0 and the deviation 1 in the first
/// `count` utterances.
inline void normalise(std::vector<Utterance>& utterances, std::size_t count) {
  for (Index k = 0; k < utterances.front().frames.features(); ++k) {
    double sum = 0, squares = 0, frames = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Tensor<float>& x = utterances[i].frames;
      for (Index t = 0; t < x.shape()[0]; ++t) {
        const auto value = static_cast<double>(x(t, k));
        sum += value;
        squares += value * value;
        ++frames;
      }
    }
    const double mean = sum / frames;
    const double deviation = std::sqrt(squares / frames - mean * mean);
    if (!(deviation > 0)) {
      throw std::runtime_error("feature " + std::to_string(k) + " is the same in all frames");
    }
    for (Utterance& utterance : utterances) {
      Tensor<float>& x = utterance.frames;
      for (Index t = 0; t < x.shape()[0]; ++t) {
        x(t, k) = static_cast<float>((static_cast<double>(x(t, k)) - mean) / deviation);
      }
    }
  }
}

}  // namespace detail

/// The last tenth of the utterances of a file to test, the tenth before it to validate, and all
/// others to train.
class Corpus {
 public:
  /// Of each part at most `limit` utterances are kept. Throws std::runtime_error on another file.
  Corpus(const std::filesystem::path& path, std::size_t limit) {
    std::ifstream file(path);
    std::vector<Utterance> utterances;
    for (std::string head, frames; std::getline(file, head);) {
      if (head.starts_with('#')) continue;
      if (!std::getline(file, frames)) throw std::runtime_error(head + ": has no frames");
      utterances.push_back(detail::read_utterance(head, frames));
    }
    if (utterances.size() < 10) {
      throw std::runtime_error(path.string() + ": expected 10 utterances or more, found " +
                               std::to_string(utterances.size()));
    }
    const std::size_t tenth = utterances.size() / 10;
    const std::size_t test_begin = utterances.size() - tenth;
    const std::size_t train_count = test_begin - tenth;
    std::set<std::string> all;
    for (const Utterance& utterance : utterances) {
      all.insert(utterance.phones.begin(), utterance.phones.end());
    }
    phones_.assign(1, "blank");
    phones_.insert(phones_.end(), all.begin(), all.end());
    for (Utterance& utterance : utterances) {
      utterance.frames = detail::with_slopes(utterance.frames);
    }
    detail::normalise(utterances, train_count);
    train = part(utterances, 0, std::min(limit, train_count));
    validation = part(utterances, train_count, std::min(limit, tenth));
    test = part(utterances, test_begin, std::min(limit, tenth));
    first_of_test = utterances[test_begin];
  }

  /// The names of the classes; class 0 is the blank.
  [[nodiscard]] const std::vector<std::string>& phones() const { return phones_; }
  [[nodiscard]] Index classes() const { return static_cast<Index>(phones_.size()); }
  [[nodiscard]] Index class_of(const std::string& phone) const {
    return std::find(phones_.begin(), phones_.end(), phone) - phones_.begin();
  }

  /// The edit distances between the phones that were recognised and those that were said, divided
  /// by the number of the latter. Pauses are no phones.
  [[nodiscard]] double error_rate(const std::vector<std::vector<Index>>& recognised,
                                  const Part& part) const {
    Index errors = 0, count = 0;
    for (std::size_t b = 0; b < recognised.size(); ++b) {
      const std::vector<Index> said = without_pauses(part.phones_of(static_cast<Index>(b)));
      errors += strata::edit_distance(without_pauses(recognised[b]), said);
      count += static_cast<Index>(said.size());
    }
    return static_cast<double>(errors) / static_cast<double>(count);
  }

  Part train, validation, test;
  Utterance first_of_test;

 private:
  [[nodiscard]] Part part(const std::vector<Utterance>& utterances, std::size_t first,
                          std::size_t count) const {
    std::vector<Tensor<float>> frames;
    std::vector<std::vector<Index>> labels;
    for (std::size_t i = first; i < first + count; ++i) {
      frames.push_back(utterances[i].frames);
      labels.emplace_back();
      for (const std::string& phone : utterances[i].phones) {
        labels.back().push_back(class_of(phone));
      }
    }
    return Part(frames, labels);
  }
  [[nodiscard]] std::vector<Index> without_pauses(std::vector<Index> labels) const {
    std::erase(labels, class_of(detail::pause));
    return labels;
  }

  std::vector<std::string> phones_;
};

inline constexpr const char* data_help =
    "a file made by pack_festvox_ru.py from Debian's package festvox-ru; default: "
    "examples/data/festvox_ru.txt of strata's sources";

/// The corpus of --data; without it, the file of strata's examples. `program` is the program's
/// __FILE__. With --quick eight utterances of each part.
inline Corpus read_corpus(const Options& options, const std::filesystem::path& program) {
  const auto limit = options.quick() ? std::size_t{8} : std::numeric_limits<std::size_t>::max();
  if (options.has_data()) return Corpus(options.data(), limit);
  const std::filesystem::path file = "data/festvox_ru.txt";
  auto path = program.parent_path().parent_path().parent_path() / file;
  if (!exists(path)) path = "examples" / file;
  if (!exists(path)) (void)options.data();
  return Corpus(path, limit);
}

}  // namespace papers
