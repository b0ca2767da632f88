// Models that RTNeural and Neural Amp Modeler publish, with the outputs that their authors
// recorded. They are not part of strata: cmake -DSTRATA_AUDIO_MODELS=<folder> says where they are.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <strata/io/nam.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/reference.hpp"
#include "support/values_of.hpp"

using namespace strata;

namespace {

const std::string audio_models = STRATA_AUDIO_MODELS;

bool is_there() {
  if (!audio_models.empty() && std::filesystem::exists(audio_models)) return true;
  WARN("skipped: without the audio models; -DSTRATA_AUDIO_MODELS=<folder> says where they are");
  return false;
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
