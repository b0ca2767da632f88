// Models of Neural Amp Modeler compute what NumPy computes of the same numbers.

#include <cmath>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/nam.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/memory.hpp"
#include "support/reference.hpp"
#include "support/values_of.hpp"

using namespace strata;
using io::Json;
using test::Contains;
using test::error_text;

namespace {

const std::string two_layers = STRATA_TEST_DIR "/golden/nam/two_layers.nam";

template <class Scalar>
test::Reference<Scalar> reference() {
  return test::Reference<Scalar>(STRATA_TEST_DIR "/golden/nam/two_layers.reference");
}

template <class Scalar>
void check(const NAMModel<Scalar>& amp) {
  const auto expected = reference<Scalar>();
  auto rest = amp.rest;
  const auto y = amp.model.predict(expected.input, {.state = &rest});
  test::require_close(y.values(), expected.output.values(), test::imported<Scalar>);
  Stream stream{amp.model};
  stream.set_state(amp.rest);
  std::vector<Scalar> steps(static_cast<std::size_t>(expected.output.size()));
  stream.process(expected.input.values(), steps);
  test::require_close(steps, expected.output.values(), test::imported<Scalar>);
  // The rest state matters.
  const auto zero = amp.model.predict(expected.input);
  CHECK(std::abs(static_cast<double>(zero.data()[0]) - expected.output.data()[0]) > 1e-3);
}

/// One layer of one unit and one input, which each test damages.
Json small() {
  return Json::parse(R"({"version": "0.5.4", "architecture": "LSTM", "metadata": {"loudness": -3},
      "config": {"input_size": 1, "hidden_size": 1, "num_layers": 1},
      "weights": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]})");
}

Json with(const char* pointer, Json value) {
  Json json = small();
  json[Json::json_pointer(pointer)] = std::move(value);
  return json;
}

std::string nam_error(const Json& json) {
  const auto bytes = test::bytes_of(json.dump());
  return error_text<FormatError>([&] { (void)load_nam(bytes); });
}

}  // namespace

TEST_CASE("NAM: an LSTM of two layers as NumPy computes it", "[io][nam]") {
  const auto amp = load_nam(two_layers);
  CHECK(amp.sample_rate == 44100);
  check(amp);
  check(load_nam<double>(two_layers));
}

TEST_CASE("NAM: where each number of the list goes", "[io][nam]") {
  const auto bytes = test::bytes_of(small().dump());
  const auto amp = load_nam(bytes);
  CHECK(amp.model.weights() == std::vector<float>{1, 3, 5, 7, 2, 4, 6, 8, 9, 10, 11, 12, 15, 16});
  CHECK(amp.rest.layers == std::vector<std::vector<float>>{{13, 14}, {}});
  CHECK(amp.sample_rate == 0);
}

TEST_CASE("NAM: into a given model", "[io][nam]") {
  using Amp = Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3, return_sequences>,
                         Dense<float, 3, 1>>;
  Amp amp;
  auto rest = load_nam(two_layers, amp);
  const auto expected = reference<float>();
  test::require_close(test::values_of(amp.predict(expected.input, {.state = &rest})),
                      expected.output.values(), test::imported<float>);
  // Layers for training have no place in the file, but in the model's state.
  Sequential trained{Input{Dynamic, 2},         Dropout{0.5},
                     LSTM{3, return_sequences}, Dropout{0.5},
                     LSTM{3, return_sequences}, Dense{1}};
  auto of_trained = load_nam(two_layers, trained);
  test::require_close(test::values_of(trained.predict(expected.input, {.state = &of_trained})),
                      expected.output.values(), test::imported<float>);
  Sequential<LSTM<float, 2, 4, return_sequences>, LSTM<float, 4, 3, return_sequences>,
             Dense<float, 3, 1>>
      wide;
  CHECK(error_text<FormatError>([&] { (void)load_nam(two_layers, wide); }) ==
        Contains{"layer 0 (LSTM): units: expected 4, found 3"});
  Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3>, Dense<float, 3, 1>> last;
  CHECK(error_text<FormatError>([&] { (void)load_nam(two_layers, last); }) ==
        Contains{"layer 1 (LSTM): return_sequences: expected false, found true"});
}

TEST_CASE("NAM: what is refused", "[io][nam]") {
  CHECK(nam_error(small()) == "(nothing was thrown)");
  for (const char* architecture : {"WaveNet", "ConvNet", "Linear", "CatLSTM"}) {
    CHECK(nam_error(with("/architecture", architecture)) ==
          "memory: architecture: expected \"LSTM\", found \"" + std::string(architecture) + "\"");
  }
  for (const char* version : {"0.5", "0.6.0", "0.7.1"}) {
    CHECK(nam_error(with("/version", version)) == "(nothing was thrown)");
  }
  CHECK(nam_error(with("/version", "0.8.0")) ==
        "memory: version: expected 0.5, 0.6 or 0.7, the versions of the format that strata reads, "
        "found \"0.8.0\"");
  CHECK(nam_error(with("/version", "0.50.0")) == Contains{"found \"0.50.0\""});
  CHECK(nam_error(with("/version", 5)) == Contains{"version: expected a text"});
  CHECK(nam_error(with("/sample_rate", "fast")) == Contains{"sample_rate: expected a number"});
  CHECK(nam_error(with("/sample_rate", nullptr)) == "(nothing was thrown)");
  CHECK(nam_error(with("/extra", 1)) == Contains{"these settings are not known: \"extra\" (1)"});
  CHECK(nam_error(with("/config/bias", true)) ==
        Contains{"config: these settings are not known: \"bias\" (true)"});
  CHECK(nam_error(with("/config/num_layers", 0)) ==
        Contains{"config: num_layers: expected a whole number of at least 1"});
  CHECK(nam_error(with("/config/hidden_size", 4096)) ==
        "memory: weights: ends after 16 numbers, but the sizes in config need more");
  CHECK(nam_error(with("/config/num_layers", 16777216)) ==
        Contains{"weights: ends after 16 numbers"});
  CHECK(nam_error(with("/weights/16", 1)) ==
        "memory: weights: expected 16 numbers, as the sizes in config say, found 17");
  CHECK(nam_error(with("/weights", Json::array({1, 2}))) == Contains{"ends after 2 numbers"});
  CHECK(nam_error(with("/weights", 1)) == Contains{"weights: expected a list, found 1"});
  CHECK(nam_error(Json::parse(R"({"in_shape": [], "layers": []})")) ==
        "memory: this is a file of RTNeural; call load_rtneural");
  CHECK(nam_error(Json::parse(R"({"name": "x"})")) ==
        "memory: this is no file of Neural Amp Modeler, which has \"architecture\", \"config\" and "
        "\"weights\"");
  CHECK(nam_error(with("/weights/3", "x")) == Contains{"weights: expected a number, found \"x\""});
  CHECK(nam_error(with("/weights/12", 1e300)) ==
        Contains{"layer 0 (LSTM): h: expected numbers that float32 can hold"});
  const auto deep = test::bytes_of(std::string(100000, '['));
  CHECK(error_text<FormatError>([&] { (void)load_nam(deep); }) == Contains{"nested deeper"});
}

TEST_CASE("NAM: channels, and several outputs", "[io][nam]") {
  // One unit that reads one number: both kernels are zeros, and so are h and c.
  const std::string begin = R"({"version": "0.7.0", "architecture": "LSTM", "sample_rate": 48000,
      "config": {"input_size": 1, "hidden_size": 1, "num_layers": 1, "in_channels": )";
  const auto file = [&](const char* in, const char* out, const char* head) {
    return test::bytes_of(begin + in + R"(, "out_channels": )" + out +
                          R"(}, "weights": [0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 9, 9, 0, 0, )" + head +
                          "]}");
  };
  const Tensor<float> x({1, 1, 1}, {1});
  const float h = load_nam(file("1", "1", "1, 0")).model.predict(x)(0, 0, 0);
  const Tensor<float> y = load_nam(file("1", "2", "2, 3, 0.5, 0.25")).model.predict(x);
  REQUIRE(y.shape() == Shape{1, 1, 2});
  CHECK(y(0, 0, 0) == 2 * h + 0.5f);
  CHECK(y(0, 0, 1) == 3 * h + 0.25f);
  CHECK(error_text<FormatError>([&] { (void)load_nam(file("2", "1", "1, 0")); }) ==
        "memory: config: in_channels: expected 1, the input_size, found 2");
  CHECK(error_text<FormatError>([&] { (void)load_nam(file("1", "2", "1, 0")); }) ==
        Contains{"ends after 16 numbers"});
}
