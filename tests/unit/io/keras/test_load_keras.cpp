// Models that Keras saved give Keras' outputs.

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/described_model.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/keras/model.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/layers/attention_pooling.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/refused_configs.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path models = STRATA_GOLDEN_DIR "/keras";

const test::Golden& golden() {
  static const test::Golden values = test::Golden::read("keras_files.txt");
  return values;
}

/// The largest difference between what a model computes and what Keras does.
template <class Model>
double difference(const Model& model, const std::string& name) {
  return test::largest_difference(model, golden()[name + ".x"], golden()[name + ".y"]);
}

}  // namespace

TEST_CASE("every model that Keras saved computes what it does in Keras", "[keras]") {
  std::set<std::string> seen;
  for (const auto& file : std::filesystem::directory_iterator(models)) {
    const std::string name = file.path().filename().string();
    if (!file.is_regular_file() || name.ends_with(".json") || name.ends_with(".weights.h5")) {
      continue;
    }
    INFO(name);
    const std::string stem = name.substr(0, name.find('.'));
    const auto model = load_keras(file.path());
    CHECK(difference(model, stem) < 1e-5);
    seen.insert(stem);
  }
  for (const std::string& name : golden().cases("y")) {
    if (name != "parts") CHECK(seen.contains(name));
  }
  CHECK(seen.size() >= 35);
}

TEST_CASE("a model of Keras is loaded in double, and from memory", "[keras]") {
  const auto model = load_keras<double>(models / "stack_2.keras");
  CHECK(difference(model, "stack_2") < 1e-6);
  const io::Source file(models / "keras_2.h5");
  CHECK(difference(load_keras(file.bytes()), "keras_2") < 1e-5);
}

TEST_CASE("a loaded model has the settings of its layers", "[keras]") {
  const auto model = load_keras(models / "trained.keras");
  const auto layers = io::architecture_of(model.network()).layers;
  std::vector<std::string> kinds;
  for (const auto& layer : layers) kinds.push_back(layer.kind);
  CHECK(kinds == std::vector<std::string>{"GaussianNoise", "LSTM", "Dropout", "Dropout", "Dropout",
                                          "GRU", "Dense"});
  CHECK(*layers[0].find<double>("stddev") == 0.1);
  CHECK(*layers[1].find<double>("dropout") == 0.2);
  CHECK(*layers[1].find<double>("recurrent_dropout") == 0.1);
  CHECK_FALSE(*layers[2].find<bool>("same_for_all_steps"));
  CHECK(*layers[3].find<bool>("same_for_all_steps"));
  CHECK(*layers[4].find<bool>("same_for_all_steps"));
  CHECK(model.input()->shape() == Shape{Dynamic, 4, 2});
}

TEST_CASE("weights alone go into a model of the same layers", "[keras]") {
  using Both = Bidirectional<LSTM<float, Dynamic, Dynamic, true>>;
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(Both(LSTM{2, return_sequences}));
  model.add(Dense{1});
  CHECK(error_text<FormatError>([&] { (void)load_keras(models / "parts.weights.h5"); }) ==
        Contains{"these are weights alone"});
  load_keras_weights(models / "parts.weights.h5", model);
  CHECK(difference(model, "parts") < 1e-5);

  Sequential<LSTM<float, 1, 4, return_sequences>, LSTM<float, 4, 3>, Dense<float, 3, 2>> fixed;
  load_keras_weights(models / "stack_2.keras", fixed);
  CHECK(difference(fixed, "stack_2") < 1e-5);

  // Of a whole model, in each of the layouts.
  const auto trained = load_keras(models / "trained.keras");
  for (const char* name : {"trained.weights.h5", "trained.h5"}) {
    auto again = trained;
    again.set_weights(std::vector<float>(static_cast<std::size_t>(again.parameter_count())));
    load_keras_weights(models / name, again);
    CHECK(again.weights() == trained.weights());
  }
}

TEST_CASE("weights for another model are refused, and the model keeps its own", "[keras]") {
  const auto refused = [](auto layers, const std::string& name) {
    Sequential<> model(std::move(layers));
    model.build(Input{Dynamic, 2});
    const auto before = model.weights();
    const std::string text =
        error_text<FormatError>([&] { load_keras_weights(models / name, model); });
    CHECK(model.weights() == before);
    return text;
  };
  const auto list = [](auto... layers) {
    std::vector<AnyLayer<float>> all;
    (all.emplace_back(std::move(layers)), ...);
    return Sequential<float>(std::move(all));
  };
  const auto both = [](Index units) { return Bidirectional{LSTM{units, return_sequences}}; };
  CHECK(refused(list(both(3), Dense{1}), "parts.weights.h5") ==
        Contains{"layer 0 (Bidirectional): forward.kernel: "
                 "layers/bidirectional/forward_layer/cell/vars/0: expected (2, 12), found (2, 8)"});
  CHECK(refused(list(both(2)), "parts.weights.h5") ==
        Contains{"the model has no place for these arrays of the file: layers/dense/vars/0"});
  CHECK(refused(list(both(2), Dense{1}, Dense{1}), "parts.weights.h5") ==
        Contains{"layer 2 (Dense): kernel: there is no array \"layers/dense_1/vars/0\""});
  CHECK(refused(list(LSTM{3}, Dense{1}), "keras_2.h5") ==
        Contains{"expected the model's 2 layers, found 4"});
  CHECK(refused(list(LSTM{3, return_sequences}, GRU{2}, BatchNormalization{}, Dense{1}),
                "keras_2.h5") == Contains{"layer 3 (Dense): units: expected 1, found 2"});
  CHECK(refused(list(both(2), AttentionPooling{1}), "parts.weights.h5") ==
        Contains{"layer 1 (AttentionPooling): Keras has no such layer"});
}

TEST_CASE("layers and settings that strata lacks are refused by name", "[keras]") {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"pooling", "layer 0 (MaxPooling1D, \"max_pooling1d\"): strata"},
      {"add", "the model branches before \"b\""},
      {"fork", "output_layers: the model has 2 outputs (a, b), and a model of strata has one"},
      {"twice", "layer \"shared\": is called 2 times"},
      {"merge_none", "output_layers: the model has 2 outputs (b, b 1)"},
      {"axis", "axis: expected -1"},
      {"rms", "layer 0 (RMSNormalization"},
      {"rank_4", "expected [features] or [steps, features], found [4,2,2]"},
      {"cells", "layer 0 (RNN"},
      {"axis_both", "axis: expected -1, found [1,2]"},
      {"stateful", "stateful: expected false, found true"},
      {"dropout_on", "training: expected null, found true"}};
  const io::Json json = test::check_refused_configs(models / "refused.json", expected);
  // The ones that are refused when the layer is made.
  CHECK(json.size() == expected.size() + 2);
  for (const char* name : {"mish", "softmax"}) {
    const auto architecture = io::keras_architecture(json[std::string(name) + "_cell"].dump(), {},
                                                     io::Where("config.json"));
    CHECK(error_text<FormatError>([&] {
            (void)io::described_model(architecture, 1000, io::LayerMaker<float>(), io::Where("x"));
          }) == Contains{name});
  }
}

TEST_CASE("settings of layers are read strictly", "[keras]") {
  const auto read = [&](const std::string& from, const std::string& to, int version = 3) {
    std::string config =
        R"({"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name":
        "LSTM", "config": {"name": "a", "batch_input_shape": [null, 4, 2], "units": 2, "activation":
        "tanh", "recurrent_activation": "sigmoid", "use_bias": true, "unit_forget_bias": true,
        "dropout": 0.0, "recurrent_dropout": 0.0, "return_sequences": false, "go_backwards": false}}
        ]}})";
    const auto at = config.find(from);
    REQUIRE(at != std::string::npos);
    config.replace(at, from.size(), to);
    return error_text<FormatError>(
        [&] { (void)io::keras_architecture(config, {{version}}, io::Where("file")); });
  };
  CHECK(read("\"units\"", "\"units\"") == "(nothing was thrown)");
  CHECK(read("\"units\": 2", "\"units\": 0") == Contains{"layer 0 (LSTM, \"a\"): units: expected"});
  CHECK(read("\"units\": 2", "\"units\": 99999999999") == Contains{"units: expected"});
  CHECK(read("\"use_bias\": true", "\"use_bias\": 1") ==
        Contains{"use_bias: expected true or false, found 1"});
  CHECK(read("\"use_bias\"", "\"lora_rank\": 4, \"use_bias\"") ==
        Contains{"these settings are not known: \"lora_rank\" (4)"});
  CHECK(read("\"dropout\": 0.0,", "") == Contains{"dropout: is missing"});
  CHECK(read("\"tanh\"", "{\"class_name\": \"Mine\", \"config\": {}}") ==
        Contains{"activation: expected an activation of Keras, found the class \"Mine\""});
  CHECK(read("\"sigmoid\"", "\"hard_sigmoid\"") == "(nothing was thrown)");
  CHECK(read("\"class_name\": \"Seq", "\"module\": \"mine\", \"class_name\": \"Seq") ==
        Contains{"Sequential: module: expected a class of Keras, found \"mine\""});
  CHECK(read("\"class_name\": \"Seq", "\"registered_name\": \"Mine>S\", \"class_name\": \"Seq") ==
        Contains{"registered_name: expected a class of Keras, found \"Mine>S\""});
  CHECK(read("\"batch_input_shape\": [null, 4, 2], ", "") ==
        Contains{"the shape of the model's input is not known"});
  CHECK(read("\"name\": \"a\"", "\"name\": \"a\", \"dtype\": \"int8\"") ==
        Contains{"dtype: expected a floating-point type, found \"int8\""});
  CHECK(read("\"return_sequences\"", "\"time_major\": true, \"return_sequences\"") ==
        Contains{"time_major: expected false, found true"});
  CHECK(error_text<FormatError>([] { (void)io::KerasVersion::of("4.0.0", io::Where("file")); }) ==
        Contains{"file: expected Keras 2 to 3, which strata " + std::string(version_string) +
                 " reads, found \"4.0.0\""});
  for (const char* text : {"", "3", "1.2", "x.3", "-3.1"}) {
    CHECK_THROWS_AS(io::KerasVersion::of(text, io::Where("file")), FormatError);
  }
  CHECK(io::KerasVersion::of("2.15.0-tf", io::Where("file")).major == 2);
}
