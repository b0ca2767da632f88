// Models that RTNeural and Neural Amp Modeler publish, with the outputs that their authors
// recorded, and trained models of amplifiers. They are not part of strata:
// cmake -DSTRATA_AUDIO_MODELS=<folder> -DSTRATA_AMPLIFIERS=<folder> says where they are.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <strata/io/nam.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/model/stream.hpp>
#include <strata/random.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/decibels.hpp"
#include "support/error_text.hpp"
#include "support/reference.hpp"
#include "support/values_of.hpp"

using namespace strata;

namespace {

const std::string audio_models = STRATA_AUDIO_MODELS;

const std::string amplifiers = STRATA_AMPLIFIERS;

bool is_there() {
  if (!audio_models.empty() && std::filesystem::exists(audio_models)) return true;
  WARN("skipped: without the audio models; -DSTRATA_AUDIO_MODELS=<folder> says where they are");
  return false;
}

/// A model of a guitar amplifier, and its state before the first sample.
struct Amplifier {
  Sequential<> model;
  State<float> rest;
};

Amplifier load_amplifier(const std::string& path) {
  if (path.ends_with(".nam")) {
    auto amp = load_nam(path);
    return {std::move(amp.model), std::move(amp.rest)};
  }
  const bool is_state_dict =
      std::filesystem::path(path).filename().string().starts_with("statedict");
  Sequential<> model = is_state_dict ? load_pytorch(path) : load_rtneural(path);
  State<float> rest = model.zero_state();
  return {std::move(model), std::move(rest)};
}

/// Samples of (F), the first of them the input and the others knobs of the amplifier at one half:
/// white noise, or a chord of five strings, which decays to a tenth within a second, at 48 kHz.
std::vector<float> guitar(bool is_noise, Index samples, Index features) {
  std::vector<float> x(static_cast<std::size_t>(samples * features), 0.5f);
  Random random(3);
  for (Index t = 0; t < samples; ++t) {
    const double seconds = static_cast<double>(t) / 48000;
    double value = random.normal() * (is_noise ? 0.3 : 0.003);
    for (const double hertz : {82.4, 123.5, 164.8, 247.0, 330.0}) {
      if (is_noise) break;
      const double loudness = 0.1 * std::pow(0.1, seconds);
      value += loudness * std::sin(2 * 3.14159265358979 * hertz * seconds);
    }
    x[static_cast<std::size_t>(t * features)] = static_cast<float>(value);
  }
  return x;
}

/// The outputs without their mean: an error counts against what is heard.
std::vector<float> without_mean(std::vector<float> y) {
  double mean = 0;
  for (const float value : y) mean += static_cast<double>(value) / static_cast<double>(y.size());
  for (float& value : y) value -= static_cast<float>(mean);
  return y;
}

/// The error of a precision on an amplifier, in decibels of the standard deviation of its output.
double error_of(const Amplifier& amp, Precision precision, bool is_noise) {
  constexpr Index samples = 10000;
  const auto outputs = [&](Stream<Sequential<>> stream) {
    const auto x = guitar(is_noise, samples, stream.inputs());
    std::vector<float> y(static_cast<std::size_t>(samples * stream.outputs()));
    stream.set_state(amp.rest);
    stream.process(x, y);
    return y;
  };
  const auto right = outputs(Stream{amp.model});
  const auto found = outputs(Stream{amp.model, precision});
  // The mean of the error is a part of the error.
  const auto heard = without_mean(right);
  std::vector<float> shifted(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) shifted[i] = heard[i] + (found[i] - right[i]);
  return test::decibels(shifted, heard);
}

/// One number a line.
std::vector<float> column(const std::string& name) {
  std::ifstream file(audio_models + "/" + name);
  std::vector<float> numbers;
  for (double number = 0; file >> number;) numbers.push_back(static_cast<float>(number));
  REQUIRE(!numbers.empty());
  return numbers;
}

/// As a whole and step by step.
void check(const Sequential<>& model, const std::string& name) {
  INFO(name);
  const auto x = column(name + "_x_python.csv");
  const auto y = column(name + "_y_python.csv");
  const auto samples = static_cast<Index>(x.size());
  const test::Tolerance allowed{1e-5, 0};
  test::require_close(test::values_of(model.predict(Tensor<float>({1, samples, 1}, x))), y,
                      allowed);
  Stream stream{model};
  std::vector<float> found(y.size());
  stream.process(x, found);
  test::require_close(found, y, allowed);
}

}  // namespace

TEST_CASE("audio models of RTNeural", "[io][rtneural]") {
  if (!is_there()) return;
  check(load_rtneural(audio_models + "/lstm.json"), "lstm");
  check(load_rtneural(audio_models + "/lstm_1d.json"), "lstm_1d");
  check(load_pytorch(audio_models + "/lstm_torch.json"), "lstm_torch");
  using Model = Sequential<LSTM<float, 1, 8, return_sequences>, Dense<float, 8, 1>>;
  Model model;
  load_rtneural(audio_models + "/lstm_1d.json", model);
  CHECK(model.weights() == load_rtneural(audio_models + "/lstm_1d.json").weights());
}

TEST_CASE("an audio model that is damaged", "[io][rtneural]") {
  if (!is_there()) return;
  CHECK(
      test::error_text<FormatError>([] { (void)load_rtneural(audio_models + "/bad_lstm.json"); }) ==
      test::Contains{"bad_lstm.json: layer 0 (\"lstm\"): shape: expected 20 features, as the "
                     "weights give, found 16"});
}

TEST_CASE("an audio model of Neural Amp Modeler", "[io][nam]") {
  if (!is_there()) return;
  const auto amp = load_nam(audio_models + "/lstm.nam");
  CHECK(amp.sample_rate == 48000);
  const test::Reference<float> expected(STRATA_TEST_DIR "/golden/nam/lstm.reference");
  Stream stream{amp.model};
  stream.set_state(amp.rest);
  std::vector<float> found(static_cast<std::size_t>(expected.output.size()));
  stream.process(expected.input.values(), found);
  test::require_close(found, expected.output.values(), test::imported<float>);
}

TEST_CASE("amplifiers: what 16-bit weights cost", "[io][int16][half]") {
  if (amplifiers.empty() || !std::filesystem::exists(amplifiers)) {
    WARN("skipped: without the amplifiers; -DSTRATA_AMPLIFIERS=<folder> says where they are");
    return;
  }
  std::vector<double> errors;
  for (const auto& entry : std::filesystem::directory_iterator(amplifiers)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".nam") && !path.ends_with(".json")) continue;
    INFO(path);
    const Amplifier amp = load_amplifier(path);
    for (const bool is_noise : {true, false}) {
      INFO((is_noise ? "noise" : "a chord"));
      // Found with nine amplifiers: int16 -81 to -59 dB, half -69 to -52 dB.
      const double error = error_of(amp, Precision::int16, is_noise);
      CHECK(error < -55);
      CHECK(error_of(amp, Precision::half, is_noise) < -50);
      errors.push_back(error);
    }
  }
  REQUIRE(!errors.empty());
  std::sort(errors.begin(), errors.end());
  CHECK(errors[errors.size() / 2] < -60);
}
