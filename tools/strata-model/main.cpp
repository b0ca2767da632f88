// Looks at the files of models, converts them, checks and times them.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/io/common/self_test.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/stream.hpp>
#include <strata/precision.hpp>
#include <strata/random.hpp>
#include <strata/version.hpp>

#include "formats.hpp"

using namespace strata;

namespace {

/// Words on the command line that cannot be meant.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void print_usage() {
  std::cout << "strata-model " << version_string << R"(

  strata-model summary <file>                the layers, their shapes and parameters; with a precision,
               [--precision int16]           which layers run in it
  strata-model convert <file> <new file>     from one format to another, by the files' endings
  strata-model check <file> <reference>      compares what the model computes with a reference: a
               [--tolerance 1e-5]            safetensors file with the tensors "input" and "output"
  strata-model check <file> <inputs>         what 16-bit weights cost, on a safetensors file with the
               --precision int16             tensor "input": the error in decibels of the output, of
               [--at-least 50]               streams where the model can; half is the other precision
  strata-model time <file> [--steps 100000]  the time of one step of a stream, and what 16-bit weights
               [--precision int16]           gain

Numbers become float. Formats:
)";
  for (const auto& format : tool::formats()) {
    const char* use = !format.load ? "written" : !format.save ? "read" : "read, written";
    std::printf("  %-14s %s (%s)\n", format.ending.c_str(), format.what.c_str(), use);
  }
}

tool::Format format_of(const std::string& path) {
  for (auto& format : tool::formats()) {
    if (path.ends_with(format.ending)) return format;
  }
  throw UsageError(path + ": the ending is that of no format; see strata-model --help");
}

Sequential<> load_model(const std::string& path) {
  const tool::Format format = format_of(path);
  if (!format.load) throw UsageError(path + ": this format is only written");
  return format.load(path);
}

int convert(const std::string& from, const std::string& to) {
  const tool::Format format = format_of(to);
  if (!format.save) throw UsageError(to + ": this format is only read");
  format.save(to, load_model(from));
  return 0;
}

/// 1 when the numbers differ by more than tolerance (1 + |expected|).
int check(const std::string& path, const std::string& reference, double tolerance) {
  const Sequential<> model = load_model(path);
  const io::Source source(reference);
  io::SafetensorsFile file = io::read_safetensors(source);
  const auto x = io::tensor_of<float>(file.arrays.take("input"), file.arrays.where("input"));
  const auto y = io::tensor_of<double>(file.arrays.take("output"), file.arrays.where("output"));
  file.arrays.require_all_used();
  const Tensor<float> found = model.predict(x);
  if (found.shape() != y.shape()) {
    file.arrays.where("output").expected(to_string(y.shape()), to_string(found.shape()));
  }
  double largest = 0;
  double worst = 0;
  for (Index i = 0; i < y.size(); ++i) {
    const double error = std::abs(static_cast<double>(found.data()[i]) - y.data()[i]);
    largest = std::max(largest, error);
    worst = std::max(worst, std::isnan(error) ? INFINITY : error / (1 + std::abs(y.data()[i])));
  }
  std::printf("%td numbers, largest difference %.3g: %s\n", y.size(), largest,
              worst <= tolerance ? "ok" : "DIFFERENT");
  return worst <= tolerance ? 0 : 1;
}

/// How far numbers are from the right ones.
struct Deviation {
  double error = 0;
  double size = 0;
  double largest = 0;

  void add(float found, float right) {
    const double difference = static_cast<double>(found) - static_cast<double>(right);
    error += difference * difference;
    size += static_cast<double>(right) * static_cast<double>(right);
    largest = std::max(largest, std::abs(difference));
  }
  /// The root of the mean square of the error in decibels of that of the right numbers.
  [[nodiscard]] double decibels() const { return 10 * std::log10(error / size); }
};

/// Streams in full and in another precision over the sequences of x.
Deviation deviation_of_streams(const Sequential<>& model, const Tensor<float>& x,
                               Precision precision) {
  Stream full{model};
  Stream reduced{model, precision};
  Deviation deviation;
  for (Index b = 0; b < x.batch(); ++b) {
    full.reset();
    reduced.reset();
    for (Index t = 0; t < x.steps(); ++t) {
      const float* const step = x.data() + (b * x.steps() + t) * x.features();
      const float* const right = full.step(step);
      const float* const found = reduced.step(step);
      for (Index i = 0; i < full.outputs(); ++i) deviation.add(found[i], right[i]);
    }
  }
  return deviation;
}

Deviation deviation_of_predictions(const Sequential<>& model, const Tensor<float>& x,
                                   Precision precision) {
  const Tensor<float> right = model.predict(x, {.batch_size = 1});
  const Tensor<float> found = model.predict(x, {.batch_size = 1, .precision = precision});
  Deviation deviation;
  for (Index i = 0; i < right.size(); ++i) deviation.add(found.data()[i], right.data()[i]);
  return deviation;
}

/// 1 when the error is less than `at_least` decibels below the output.
int check_precision(const std::string& path, const std::string& inputs, Precision precision,
                    double at_least) {
  const Sequential<> model = load_model(path);
  const io::Source source(inputs);
  io::SafetensorsFile file = io::read_safetensors(source);
  const auto x = io::tensor_of<float>(file.arrays.take("input"), file.arrays.where("input"));
  // Refuses inputs that are not the model's.
  (void)model.predict(x);
  bool streams = x.rank() == 3;
  try {
    if (streams) (void)Stream{model};
  } catch (const ValueError&) {
    streams = false;
  }
  const Deviation deviation = streams ? deviation_of_streams(model, x, precision)
                                      : deviation_of_predictions(model, x, precision);
  const bool good = deviation.decibels() <= -at_least;
  std::printf("%s in %s: error %.1f dB of the output, largest difference %.3g: %s\n",
              streams ? "streams" : "predictions", std::string(name(precision)).c_str(),
              deviation.decibels(), deviation.largest, good ? "ok" : "TOO LARGE");
  return good ? 0 : 1;
}

/// Times steps of streams, in rounds over random input.
class Timer {
 public:
  Timer(const Sequential<>& model, Precision precision) : stream_(model, precision) {
    const bool ids = model.layers().front().accepts() == Accepts::ids;
    Random random(1);
    x_.resize(static_cast<std::size_t>(inputs * stream_.inputs()));
    for (float& value : x_) value = ids ? 0.0f : static_cast<float>(random.normal());
  }
  void round(Index steps) {
    const auto begin = std::chrono::steady_clock::now();
    for (Index step = 0; step < steps; ++step) {
      sum_ += *stream_.step(x_.data() + step % inputs * stream_.inputs());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    times_.push_back(took.count() / static_cast<double>(steps));
    std::sort(times_.begin(), times_.end());
  }
  /// The median of the rounds in nanoseconds.
  [[nodiscard]] double median() const { return 1e9 * times_[times_.size() / 2]; }
  [[nodiscard]] double fastest() const { return 1e9 * times_[0]; }
  [[nodiscard]] double sum() const { return static_cast<double>(sum_); }

 private:
  static constexpr Index inputs = 1000;
  Stream<Sequential<>> stream_;
  std::vector<float> x_;
  std::vector<double> times_;
  float sum_ = 0;
};

int time_steps(const std::string& path, Index steps, Precision precision) {
  const Sequential<> model = load_model(path);
  constexpr int rounds = 11;
  Timer full(model, Precision::full);
  Timer reduced(model, precision);
  for (int round = 0; round < rounds; ++round) {
    full.round(steps);
    if (precision != Precision::full) reduced.round(steps);
  }
  std::printf("%.1f ns per step, fastest of %d rounds %.1f (outputs sum to %g)\n", full.median(),
              rounds, full.fastest(), full.sum());
  if (precision != Precision::full) {
    std::printf("%.1f ns in %s, fastest %.1f: %.2f times as fast\n", reduced.median(),
                std::string(name(precision)).c_str(), reduced.fastest(),
                full.median() / reduced.median());
  }
  return 0;
}

Precision precision_after(std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), "--precision");
  if (found == words.end()) return Precision::full;
  for (const Precision one : {Precision::full, Precision::half, Precision::int16}) {
    if (found + 1 != words.end() && *(found + 1) == name(one)) {
      words.erase(found, found + 2);
      return one;
    }
  }
  throw UsageError("--precision needs full, half or int16");
}

double number_after(std::vector<std::string>& words, const std::string& option, double otherwise) {
  const auto found = std::find(words.begin(), words.end(), option);
  if (found == words.end()) return otherwise;
  char* end = nullptr;
  const double number = found + 1 == words.end() ? 0 : std::strtod((found + 1)->c_str(), &end);
  if (!(number > 0) || *end != '\0') throw UsageError(option + " needs a number above 0");
  words.erase(found, found + 2);
  return number;
}

int run(std::vector<std::string> words) {
  const double tolerance = number_after(words, "--tolerance", 1e-5);
  const auto steps = static_cast<Index>(number_after(words, "--steps", 100000));
  const double at_least = number_after(words, "--at-least", 50);
  const Precision precision = precision_after(words);
  if (words.empty() || words[0] == "--help" || words[0] == "help") {
    print_usage();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "summary" && words.size() == 2) {
    std::cout << load_model(words[1]).summary(precision);
    return 0;
  }
  if (words[0] == "convert" && words.size() == 3) return convert(words[1], words[2]);
  if (words[0] == "check" && words.size() == 3) {
    return precision == Precision::full ? check(words[1], words[2], tolerance)
                                        : check_precision(words[1], words[2], precision, at_least);
  }
  if (words[0] == "time" && words.size() == 2) return time_steps(words[1], steps, precision);
  throw UsageError("strata-model " + words[0] + ": not understood; see strata-model --help");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run({arguments + 1, arguments + count});
  } catch (const UsageError& error) {
    std::cerr << error.what() << "\n";
    return 2;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
