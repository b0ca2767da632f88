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

  strata-model summary <file>                the layers, their shapes and parameters
  strata-model convert <file> <new file>     from one format to another, by the files' endings
  strata-model check <file> <reference>      compares what the model computes with a reference: a
               [--tolerance 1e-5]            safetensors file with the tensors "input" and "output"
  strata-model time <file> [--steps 100000]  the time of one step of a stream

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

/// The median of rounds of steps over random input.
int time_steps(const std::string& path, Index steps) {
  const Sequential<> model = load_model(path);
  Stream stream{model};
  const Index features = stream.inputs();
  const bool ids = model.layers().front().accepts() == Accepts::ids;
  Random random(1);
  std::vector<float> x(static_cast<std::size_t>(1000 * features));
  for (float& value : x) value = ids ? 0.0f : static_cast<float>(random.normal());
  constexpr int rounds = 11;
  std::vector<double> times;
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (Index step = 0; step < steps; ++step) {
      sum += *stream.step(x.data() + step % 1000 * features);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    times.push_back(took.count() / static_cast<double>(steps));
  }
  std::sort(times.begin(), times.end());
  std::printf("%.1f ns per step, fastest of %d rounds %.1f (outputs sum to %g)\n",
              1e9 * times[rounds / 2], rounds, 1e9 * times[0], static_cast<double>(sum));
  return 0;
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
  if (words.empty() || words[0] == "--help" || words[0] == "help") {
    print_usage();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "summary" && words.size() == 2) {
    std::cout << load_model(words[1]).summary();
    return 0;
  }
  if (words[0] == "convert" && words.size() == 3) return convert(words[1], words[2]);
  if (words[0] == "check" && words.size() == 3) return check(words[1], words[2], tolerance);
  if (words[0] == "time" && words.size() == 2) return time_steps(words[1], steps);
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
