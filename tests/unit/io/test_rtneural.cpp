// Models of Keras in RTNeural's JSON compute what Keras computes.

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/layers/skip_connections.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/memory.hpp"
#include "support/reference.hpp"

using namespace strata;
using io::Json;
using test::Contains;
using test::error_text;

namespace {

std::string rtneural_golden(const std::string& name) {
  return STRATA_TEST_DIR "/golden/rtneural/" + name;
}

template <class Scalar>
test::Reference<Scalar> reference(const std::string& name) {
  return test::Reference<Scalar>(rtneural_golden(name + ".reference"));
}

std::string rtneural_error(const Json& json) {
  const auto bytes = test::bytes_of(json.dump());
  return error_text<FormatError>([&] { (void)load_rtneural(bytes); });
}

/// A dense layer of two inputs and one output, which each test damages.
Json dense() {
  return Json::parse(R"({"in_shape": [null, null, 2], "layers": [{"type": "dense",
      "activation": "tanh", "shape": [null, null, 1], "weights": [[[0.5], [0.25]], [1]]}]})");
}

Json dense_with(const char* pointer, Json value) {
  Json json = dense();
  json[Json::json_pointer(pointer)] = std::move(value);
  return json;
}

Json recurrent(const char* type, std::size_t columns) {
  Json json = dense_with("/layers/0/type", type);
  Json& layer = json["layers"][0];
  const Json row(std::vector<double>(columns, 0.5));
  layer["weights"] = Json::array({Json::array({row, row}), Json::array({row}), row});
  if (std::string(type) == "gru") layer["weights"][2] = Json::array({row, row});
  return json;
}

}  // namespace

TEST_CASE("RTNeural: every case of the golden folder", "[io][rtneural]") {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(rtneural_golden(""))) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path());
    const std::string name = entry.path().stem().string();
    reference<float>(name).require_equal(load_rtneural(entry.path()));
    reference<double>(name).require_equal(load_rtneural<double>(entry.path()));
    ++cases;
  }
  CHECK(cases == 4);
}

TEST_CASE("RTNeural: into a given model", "[io][rtneural]") {
  Sequential<LSTM<float, 2, 4, return_sequences>, GRU<float, 4, 3>, Dense<float, 3, 1>> model;
  load_rtneural(rtneural_golden("last_step.json"), model);
  reference<float>("last_step").require_equal(model);
  const auto weights = model.weights();
  Sequential<LSTM<float, 2, 4, return_sequences>, GRU<float, 4, 3>, Dense<float, 3, 1>> other{
      LSTM<float, 2, 4, true>{}, GRU<float, 4, 3>{},
      Dense<float, 3, 1>{{.activation = Activation::relu}}};
  CHECK(error_text<FormatError>([&] { load_rtneural(rtneural_golden("last_step.json"), other); }) ==
        Contains{"layer 2 (Dense): activation: expected \"relu\", found \"linear\""});
  // A layer without weights is a layer too.
  const auto bytes = test::bytes_of(dense().dump());
  Sequential<> longer;
  longer.add(Input{Dynamic, 2});
  longer.add(Dense{1, {.activation = Activation::tanh}});
  load_rtneural(bytes, longer);
  longer.add(Activate{Activation::relu});
  longer.build(Input{Dynamic, 2});
  CHECK(error_text<FormatError>([&] { load_rtneural(bytes, longer); }) ==
        Contains{"memory: expected the model's 2 layers, found 1"});
  Sequential<> open;
  open.add(Dense{1});
  CHECK_THROWS_AS(load_rtneural(bytes, open), StateError);
}

TEST_CASE("RTNeural: what is around the layers", "[io][rtneural]") {
  CHECK(rtneural_error(dense()) == "(nothing was thrown)");
  for (const char* key : {"samplerate", "author", "esr", "metadata"}) {
    CHECK(rtneural_error(dense_with(("/" + std::string(key)).c_str(), "x")) ==
          "(nothing was thrown)");
  }
  CHECK(rtneural_error(dense_with("/in_skip", 0)) == "(nothing was thrown)");
  CHECK(rtneural_error(dense_with("/in_skip", 1)) ==
        "memory: in_skip: adds the input to the output, which is read for one lstm or gru and one "
        "dense without an activation");
  CHECK(rtneural_error(dense_with("/in_skip", 2)) == "memory: in_skip: expected 0 or 1, found 2");
  CHECK(rtneural_error(dense_with("/out_gain", 2.5)) == "(nothing was thrown)");
  CHECK(rtneural_error(dense_with("/in_gain", 1000)) ==
        "memory: in_gain: expected a gain from -200 to 200 dB, found 1000");
  // Players ignore settings that are no numbers.
  CHECK(rtneural_error(dense_with("/in_skip", nullptr)) == "(nothing was thrown)");
  CHECK(rtneural_error(dense_with("/out_gain", "loud")) == "(nothing was thrown)");
  CHECK(rtneural_error(dense_with("/other", 1)) ==
        Contains{"these settings are not known: \"other\" (1)"});
  CHECK(rtneural_error(dense_with("/in_shape", Json::array({nullptr, 2}))) ==
        "memory: layer 0 (\"dense\"): shape: expected 2 sizes, found 3");
  CHECK(rtneural_error(dense_with("/in_shape", Json::array({2}))) ==
        "memory: in_shape: expected [null, features] or [null, null, features], found [2]");
  CHECK(rtneural_error(dense_with("/in_shape", Json::array({nullptr, nullptr, nullptr}))) ==
        Contains{"in_shape: expected a whole number of at least 1"});
  CHECK(rtneural_error(dense_with("/in_shape", Json::array({"a", nullptr, 2}))) ==
        Contains{"found \"a\""});
  CHECK(rtneural_error(dense_with("/in_shape", Json::array({nullptr, nullptr, 3}))) ==
        "memory: layer 0 (\"dense\"): kernel: expected (3, 1), found (2, 1)");
  CHECK(rtneural_error(dense_with("/layers", Json::array())) == "memory: the model has no layers");
  CHECK(rtneural_error(Json::array()) == "memory: expected an object, found a list of 0");
}

TEST_CASE("RTNeural: layers that are not understood", "[io][rtneural]") {
  CHECK(rtneural_error(dense_with("/layers/0/type", "conv2d")) ==
        "memory: layer 0 (\"conv2d\"): type: expected dense, time-distributed-dense, conv1d, lstm, "
        "gru or activation, found \"conv2d\"");
  for (const char* type : {"prelu", "batchnorm", "batchnorm2d", "unknown"}) {
    CHECK(rtneural_error(dense_with("/layers/0/type", type)) ==
          Contains{"found \"" + std::string(type) + "\""});
  }
  const auto convolution = [](const char* key, const Json& value) {
    Json json = Json::parse(R"({"in_shape": [null, null, 1], "layers": [{"type": "conv1d",
        "activation": "", "shape": [null, null, 1], "kernel_size": [2], "dilation": [1],
        "weights": [[[[1]], [[2]]], [0.5]]}]})");
    json["layers"][0][key] = value;
    return rtneural_error(json);
  };
  CHECK(convolution("kernel_size", 2) == "(nothing was thrown)");
  CHECK(convolution("kernel_size", Json::array({3})) ==
        "memory: layer 0 (\"conv1d\"): kernel: expected (3, 1, 1), found (2, 1, 1)");
  CHECK(convolution("dilation", 0) == Contains{"dilation: expected"});
  CHECK(convolution("groups", 2) == Contains{"groups: expected 1, found"});
  CHECK(convolution("weights", Json::array({Json::array({1})})) ==
        Contains{"kernel: expected nested lists of (kernel_size, inputs, filters)"});
  CHECK(rtneural_error(dense_with("/layers/0/activation", "hardswish")) ==
        Contains{"layer 0 (\"dense\"): activation: expected one of linear, relu"});
  CHECK(rtneural_error(dense_with("/layers/0/kernel_size", 3)) ==
        Contains{"these settings are not known: \"kernel_size\" (3)"});
  CHECK(rtneural_error(dense_with("/layers/0/shape/2", 4)) ==
        "memory: layer 0 (\"dense\"): shape: expected 1 features, as the weights give, found 4");
  CHECK(rtneural_error(dense_with("/layers/0/weights", Json::array())) ==
        "memory: layer 0 (\"dense\"): weights: expected 1 or 2 arrays, found 0");
  CHECK(rtneural_error(dense_with("/layers/0/weights/0", 1)) ==
        Contains{"weights: 0: expected the numbers of a weight as nested lists, found 1"});
  CHECK(rtneural_error(dense_with("/layers/0/weights/0/1", Json::array({1, 2}))) ==
        "memory: layer 0 (\"dense\"): weights: 0: expected a list of 1, as the first is, found a "
        "list of 2");
  CHECK(rtneural_error(dense_with("/layers/0/weights/1", Json::array({1, 2}))) ==
        "memory: layer 0 (\"dense\"): bias: expected (1,), found (2,)");
  CHECK(rtneural_error(dense_with("/layers/0/weights/1/0", nullptr)) ==
        Contains{"expected a number, found null"});

  CHECK(rtneural_error(recurrent("lstm", 4)) == "(nothing was thrown)");
  CHECK(rtneural_error(recurrent("gru", 3)) == "(nothing was thrown)");
  CHECK(rtneural_error(recurrent("lstm", 5)) ==
        "memory: layer 0 (\"lstm\"): weights: expected a multiple of 4 columns, found 5");
  CHECK(rtneural_error(recurrent("lstm", 8)) == Contains{"shape: expected 2 features"});
  Json json = recurrent("gru", 3);
  json["layers"][0]["weights"][2] = json["layers"][0]["weights"][2][0];
  CHECK(rtneural_error(json) == "memory: layer 0 (\"gru\"): bias: expected (2, 3), found (3,)");
  json = recurrent("lstm", 4);
  json["layers"][0]["activation"] = "relu";
  CHECK(rtneural_error(json) ==
        "memory: layer 0 (\"lstm\"): activation: expected \"tanh\" or \"\", found \"relu\"");
  json = recurrent("lstm", 4);
  json["in_shape"] = Json::array({nullptr, 2});
  CHECK(rtneural_error(json) == Contains{"layer 0 (\"lstm\"): reads sequences"});

  json = dense_with("/layers/0/type", "activation");
  CHECK(rtneural_error(json) ==
        "memory: layer 0 (\"activation\"): weights: expected 0 arrays, found 2");
  json["layers"][0].erase("weights");
  CHECK(rtneural_error(json) == Contains{"shape: expected 2 features"});
  json["layers"][0]["shape"][2] = 2;
  CHECK(rtneural_error(json) == "(nothing was thrown)");
  json["layers"][0]["activation"] = "softmax";
  CHECK(rtneural_error(json) == "(nothing was thrown)");

  const auto text = [](const std::string& content) {
    const auto bytes = test::bytes_of(content);
    return error_text<FormatError>([&] { (void)load_rtneural(bytes); });
  };
  CHECK(text(std::string(100000, '[')) == Contains{"nested deeper than 64 levels"});
  CHECK(text("{\"in_shape\": " + std::string(100000, '{')) == Contains{"this is not JSON"});
  CHECK(text("") == Contains{"this is not JSON"});
}

TEST_CASE("RTNeural: what players of amplifiers add", "[io][rtneural]") {
  Json json = recurrent("lstm", 4);
  json["in_shape"] = Json::parse("[null, null, 1]");
  json["layers"][0]["shape"] = Json::parse("[null, null, 1]");
  json["layers"][0]["weights"][0] = Json::parse("[[0.5, 0.25, 1, 0.5]]");
  json["layers"].push_back(Json::parse(R"({"type": "dense", "activation": "",
      "shape": [null, null, 1], "weights": [[[2]], [0.5]]})"));
  const auto computed = [](const Json& file, float factor = 1) {
    const auto bytes = test::bytes_of(file.dump());
    const auto model = load_rtneural(bytes);
    return model.predict(Tensor<float>({1, 3, 1}, {0.5f * factor, -1 * factor, 2 * factor}));
  };
  const Tensor<float> plain = computed(json), x({1, 3, 1}, {0.5f, -1, 2});
  const auto is_close = [](const Tensor<float>& a, auto expected) {
    for (Index t = 0; t < 3; ++t) {
      // Some roundings of numbers below 8.
      if (std::abs(a(0, t, 0) - expected(t)) > 2e-6f) return false;
    }
    return true;
  };

  SECTION("in_skip adds the input") {
    json["in_skip"] = 1;
    const Tensor<float> y = computed(json);
    CHECK(is_close(y, [&](Index t) { return plain(0, t, 0) + x(0, t, 0); }));
    Sequential known{Input{Dynamic, 1},
                     SkipConnections{LSTM{1, return_sequences}, Activate{Activation::linear}},
                     Dense{1}};
    load_rtneural(test::bytes_of(json.dump()), known);
    CHECK(known.predict(x)(0, 2, 0) == y(0, 2, 0));
  }
  SECTION("gains are decibels") {
    const Tensor<float> louder = computed(json, 2);
    json["in_gain"] = 20 * std::log10(2.0);
    CHECK(is_close(computed(json), [&](Index t) { return louder(0, t, 0); }));
    json["out_gain"] = -20;
    CHECK(is_close(computed(json), [&](Index t) { return 0.1f * louder(0, t, 0); }));
    // As in AIDA-X, the input that is added has its gain, and the sum that of the output.
    json["in_skip"] = 1;
    CHECK(is_close(computed(json),
                   [&](Index t) { return 0.1f * (louder(0, t, 0) + 2 * x(0, t, 0)); }));
    Sequential known{Input{Dynamic, 1}, LSTM{1, return_sequences}, Dense{1}};
    CHECK(error_text<FormatError>([&] { load_rtneural(test::bytes_of(json.dump()), known); }) ==
          Contains{"in_gain and out_gain are read by load_rtneural without a model"});
  }
  SECTION("samples are the file's test") {
    json["input_batch"] = {0.5, -1, 2};
    json["output_batch"] = {plain(0, 0, 0), plain(0, 1, 0), plain(0, 2, 0)};
    CHECK(rtneural_error(json) == "(nothing was thrown)");
    Sequential known{Input{Dynamic, 1}, LSTM{1, return_sequences}, Dense{1}};
    load_rtneural(test::bytes_of(json.dump()), known);
    json["output_batch"][1] = 3;
    CHECK(rtneural_error(json) ==
          Contains{"self-test: the model computes other numbers than it should: output 1 of 3: "
                   "expected 3"});
    const auto before = known.weights();
    json["layers"][1]["weights"][1][0] = 4;
    CHECK(error_text<FormatError>([&] { load_rtneural(test::bytes_of(json.dump()), known); }) ==
          Contains{"self-test"});
    CHECK(known.weights() == before);
  }
}

TEST_CASE("RTNeural: other JSON files", "[io][rtneural]") {
  const auto refused = [](const char* text) { return rtneural_error(Json::parse(text)); };
  CHECK(refused(R"({"model_data": {}, "state_dict": {}})") ==
        "memory: this is a state_dict of PyTorch; call load_pytorch");
  CHECK(refused(R"({"fc.weight": [[1]], "fc.bias": [1]})") ==
        "memory: this is a state_dict of PyTorch; call load_pytorch");
  CHECK(refused(R"({"architecture": "LSTM", "config": {}, "weights": []})") ==
        "memory: this is a file of Neural Amp Modeler; call load_nam");
  CHECK(refused(R"({"class_name": "Sequential", "config": {"layers": []}})") ==
        Contains{"this is the architecture of a Keras model, without weights"});
  CHECK(refused("{}") ==
        "memory: this is no file of RTNeural, which has \"in_shape\" and \"layers\"");
  CHECK(refused(R"({"layers": []})") ==
        "memory: \"in_shape\" is missing, the shape of the input; write it beside \"layers\", such "
        "as \"in_shape\": [null, null, 1] for a model that reads one number a step");
}
