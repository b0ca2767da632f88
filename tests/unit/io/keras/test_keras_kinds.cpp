// Kinds of layers, models and layouts of Keras' files give Keras' outputs, or are refused with a
// message that says what to do.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/keras/activation.hpp>
#include <strata/io/keras/model.hpp>
#include <strata/io/keras/numbers.hpp>
#include <strata/io/keras/targets.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/loaders.hpp"
#include "support/refused_configs.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path kinds_folder = STRATA_GOLDEN_DIR "/keras/kinds";
const std::filesystem::path layouts_folder = STRATA_GOLDEN_DIR "/keras/layouts";

const test::Golden& golden_kinds() {
  static const test::Golden values = test::Golden::read("keras_kinds.txt");
  return values;
}

Index trained_numbers(const Sequential<>& model) {
  Index count = 0;
  for (const auto& parameter : model.parameters()) {
    if (parameter.trainable) count += parameter.shape.size();
  }
  return count;
}

std::vector<std::string> frozen_names(const std::string& file) {
  const Sequential<> model = load_keras(kinds_folder / file);
  std::set<std::string> names;
  for (const auto& parameter : model.parameters()) {
    if (!parameter.trainable) names.insert(parameter.name);
  }
  return {names.begin(), names.end()};
}

/// The message with which a model of one layer is refused.
std::string layer_error(const std::string& kind, const std::string& config, int version = 3) {
  const std::string text = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
      {"class_name": ")" + kind +
                           R"(", "config": {"name": "a", "batch_input_shape": [null, 4, 2], )" +
                           config + "}}]}}";
  return error_text<FormatError>(
      [&] { (void)io::keras_architecture(text, {{version}}, io::Where("file")); });
}

/// The activation in a config of one setting, "name" or its layer.
std::string activation_in(const std::string& value, int version = 3) {
  const io::Json json = io::parse_json("{\"activation\": " + value + "}", io::Where("file"));
  io::ObjectReader reader(json, io::Where("file"));
  const auto found = io::read_activation(reader, "activation", {version});
  return found.layer ? found.layer->kind : found.name;
}

}  // namespace

TEST_CASE("every kind of layer that Keras saved computes what it does in Keras", "[keras_kinds]") {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(kinds_folder)) {
    const std::string name = entry.path().filename().string();
    const std::string stem = name.substr(0, name.find('.'));
    if (name.ends_with(".json") || stem == "stateful") continue;
    INFO(name);
    try {
      const Sequential<> model = load_keras(entry.path());
      CHECK(test::largest_difference(model, golden_kinds()[stem + ".x"],
                                     golden_kinds()[stem + ".y"]) < 1e-5);
      // strata has an alpha for each feature where this model has one for all, or for each step.
      Sequential<> again = model;
      again.set_weights(std::vector<float>(static_cast<std::size_t>(again.parameter_count())));
      load_keras_weights(entry.path(), again);
      CHECK(again.weights() == model.weights());
      const double trained = golden_kinds()[stem + ".trained"].value();
      CHECK((stem == "prelu" || trained_numbers(model) == static_cast<Index>(trained)));
    } catch (const std::exception& error) {
      FAIL_CHECK(error.what());
    }
    seen.insert(stem);
  }
  for (const std::string& name : golden_kinds().cases("y")) CHECK(seen.contains(name));
  CHECK(seen.size() >= 25);
}

TEST_CASE("layers that Keras does not train are frozen", "[keras_kinds]") {
  const auto first_of = [](const std::string& file) { return frozen_names(file).front(); };
  CHECK(frozen_names("frozen_half.keras") ==
        std::vector<std::string>{"bidirectional.forward.bias", "bidirectional.forward.kernel",
                                 "bidirectional.forward.recurrent_kernel"});
  CHECK(frozen_names("frozen_part.h5") ==
        std::vector<std::string>{"gru.bias", "gru.kernel", "gru.recurrent_kernel"});
  CHECK(first_of("frozen_model.keras") == "residual.bias");
  CHECK(frozen_names("residual_branches.h5") ==
        std::vector<std::string>{"residual_1.4.bias", "residual_1.4.kernel"});
  CHECK(frozen_names("frozen_layers.keras").size() == 3 + 2 + 4 + 6);
  CHECK(frozen_names("rescaling.keras").empty());
}

TEST_CASE("a stateful model of Keras goes on from the state that the caller keeps",
          "[keras_kinds]") {
  const auto file = kinds_folder / "stateful.keras";
  CHECK(error_text<FormatError>([&] { (void)load_keras(file); }) ==
        Contains{"stateful: expected false, found true: in strata the state belongs to the caller; "
                 "read the model with load_keras(path, {.stateful = true})"});
  const Sequential<> model = load_keras(file, {.stateful = true});
  State<float> state;
  for (const char* const name : {"stateful.first", "stateful.second"}) {
    const std::string call = name;
    const auto y = model.predict(golden_kinds()[call + ".x"].tensor<float>(), {.state = &state});
    const auto expected = golden_kinds()[call + ".result"].tensor<double>();
    REQUIRE(y.shape() == expected.shape());
    for (Index i = 0; i < y.size(); ++i) {
      CHECK(std::abs(static_cast<double>(y.data()[i]) - expected.data()[i]) < 1e-5);
    }
  }
}

TEST_CASE("files of other versions of Keras, and of Windows, give their weights", "[keras_kinds]") {
  const auto golden = test::Golden::read("keras_layouts.txt");
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"windows", {"backslash.keras", "slash.keras"}},
      {"list", {"list.h5", "object.h5"}},
      {"counted", {"counted_twice.keras", "counted_once.keras"}}};
  for (const auto& [name, files] : cases) {
    for (const std::string& file : files) {
      INFO(file);
      const Sequential<> model = load_keras(layouts_folder / file);
      CHECK(test::largest_difference(model, golden[name + ".x"], golden[name + ".y"]) < 1e-6);
      Sequential<> again = model;
      again.set_weights(std::vector<float>(static_cast<std::size_t>(again.parameter_count())));
      load_keras_weights(layouts_folder / file, again);
      CHECK(again.weights() == model.weights());
    }
  }
}

TEST_CASE("what strata cannot compute of a Keras model is refused by name", "[keras_kinds]") {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"mask_maximum",
       "layer 1 (GlobalMaxPooling1D, \"global_max_pooling1d\"): stands behind a Masking or an "
       "Embedding with mask_zero, and in Keras it takes the maximum of masked steps too"},
      {"mask_convolution", "it reads masked steps too and passes no mask on"},
      {"mask_softmax", "layer 1 (Softmax, \"softmax\"): stands behind a Masking"},
      {"mask_operator", "the operator + passes no mask on, and strata's sum does"},
      {"log_softmax", "activation: expected one of linear"},
      {"cell_settings",
       "layer 0 (LSTM, \"lstm\"): activation: expected an activation without settings, by its "
       "name, found ReLU with settings"},
      {"prelu_inside", "activation: PReLU: has weights of its own: put the layer PReLU behind"},
      {"own_function", "activation: is a function of a user's own"},
      {"strides", "strides: expected 1, found [2]"},
      {"same", "padding: expected causal or valid, found \"same\""},
      {"groups", "groups: expected 1, found 2"},
      {"state_used",
       "takes output 1 of \"a\", its state or a second output, and strata's layers pass on one "
       "output; states are set and read by predict(x, {.state = &state})"},
      {"initial_state", "layer \"b\": "},
      {"both_branches",
       "the model branches before \"b\": the way back from it does not lead to "
       "\"a\"; of functional models a chain is read"},
      {"joined", "layer \"joined\": takes 2 inputs; of functional models a chain is read"},
      {"rescaling_steps",
       "scale: expected one number for each feature, found numbers of the sizes (2, 1)"},
      {"two_inputs", "input_layers: the model has 2 inputs (a, b), and a model of strata has one"},
      {"states_returned", "return_state: expected false, found true: a Sequential would pass on"}};
  const io::Json json = test::check_refused_configs(kinds_folder / "refused.json", expected);
  CHECK(json.size() == expected.size());
}

TEST_CASE("activations of Keras have strata's names, or are layers", "[keras_kinds]") {
  CHECK(activation_in("null") == "linear");
  CHECK(activation_in("\"swish\"") == "silu");
  CHECK(activation_in("\"hard_sigmoid\"") == "hard_sigmoid");
  CHECK(activation_in("\"hard_sigmoid\"", 2) == "hard_sigmoid_fifth");
  CHECK(activation_in(R"({"class_name": "ReLU", "config": {}})") == "relu");
  CHECK(activation_in(R"({"class_name": "ReLU", "config": {"max_value": 6}})") == "relu6");
  CHECK(activation_in(R"({"class_name": "ReLU", "config": {"max_value": null,
                          "negative_slope": [0.2]}})") == "leaky_relu");
  CHECK(activation_in(R"({"class_name": "LeakyReLU", "config": {"alpha": 0.2}})") == "leaky_relu");
  CHECK(activation_in(R"({"class_name": "LeakyReLU", "config": {}})") == "ReLU");
  CHECK(activation_in(R"({"class_name": "ELU", "config": {"alpha": 1}})") == "elu");
  CHECK(activation_in(R"({"class_name": "ELU", "config": {"alpha": {"class_name": "__numpy__",
                          "config": {"value": 2, "dtype": "float32"}}}})") == "ELU");
  CHECK(activation_in(R"({"class_name": "Activation", "config": {"activation": "tanh"}})") ==
        "tanh");
  const auto error = [](const std::string& value) {
    return error_text<FormatError>([&] { (void)activation_in(value); });
  };
  CHECK(error("\"hard_sigmoid_fifth\"") == Contains{"expected an activation of Keras"});
  CHECK(error(R"({"class_name": "Dense", "config": {}})") ==
        Contains{"expected an activation of Keras, found the class \"Dense\""});
  CHECK(error(R"({"class_name": "ELU", "config": {"alpha": [1, 2]}})") ==
        Contains{"ELU: alpha: expected one number, found 2"});
  CHECK(error(R"({"class_name": "ELU", "config": {"beta": 1}})") ==
        Contains{"these settings are not known: \"beta\" (1)"});
  CHECK(error(R"({"class_name": "Softmax", "config": {"axis": 1}})") ==
        Contains{"axis: expected -1, found 1"});
}

TEST_CASE("settings of Keras' plain layers are read strictly", "[keras_kinds]") {
  CHECK(layer_error("Rescaling", "\"scale\": 2, \"offset\": [1, 2]") == "(nothing was thrown)");
  CHECK(layer_error("Rescaling", "\"scale\": \"two\"") ==
        Contains{"layer 0 (Rescaling, \"a\"): scale: expected a number, found \"two\""});
  CHECK(layer_error("Rescaling", "\"scale\": {\"class_name\": \"__numpy__\"}") ==
        Contains{"scale: expected numbers, found an object"});
  CHECK(layer_error("GlobalMaxPooling1D", "\"data_format\": \"channels_first\"") ==
        Contains{"data_format: expected \"channels_last\", found \"channels_first\""});
  CHECK(layer_error("GRU", R"("units": 2, "return_sequences": false, "activation": "tanh",
      "recurrent_activation": "sigmoid", "use_bias": true, "dropout": 0, "recurrent_dropout": 0,
      "go_backwards": false)",
                    2) == "(nothing was thrown)");
}

TEST_CASE("weights for each step and feature become weights for each feature", "[keras_kinds]") {
  const auto of = [](std::vector<Index> shape, std::vector<float> values, Index features) {
    const auto bytes = std::as_bytes(std::span(values));
    return io::for_features({io::Element::float32, std::move(shape), bytes}, features,
                            io::Where("alpha"))
        .values;
  };
  CHECK(of({}, {2}, 3) == std::vector<double>{2, 2, 2});
  CHECK(of({2, 3}, {1, 2, 3, 1, 2, 3}, 3) == std::vector<double>{1, 2, 3});
  CHECK(of({1, 1}, {4}, 2) == std::vector<double>{4, 4});
  CHECK(error_text<FormatError>([&] {
          (void)of({2, 2}, {1, 2, 1, 3}, 2);
        }) == Contains{"alpha: has the sizes (2, 2) and other numbers for each step"});
  CHECK(error_text<FormatError>([&] {
          (void)of({2, 1}, {1, 2}, 2);
        }) == Contains{"shared_axes=[1]"});
  CHECK(error_text<FormatError>([&] {
          (void)of({2}, {1, 2}, 3);
        }) == Contains{"expected (3,), found (2,)"});
  CHECK_THROWS_AS(of({0}, {}, 0), FormatError);
}

TEST_CASE("a SavedModel of TensorFlow is refused with the way out", "[keras_kinds]") {
  const test::TemporaryFolder folder;
  const auto inner = folder / "saved";
  std::filesystem::create_directory(inner);
  CHECK(error_text<FileError>([&] { (void)load_keras(inner); }) == Contains{"saved: is a folder"});
  std::ofstream(inner / "saved_model.pb") << "\x08\x01\x12";
  CHECK(error_text<FileError>([&] { (void)load_keras(inner); }) ==
        Contains{"saved: is a folder, a SavedModel of TensorFlow; load it with the TensorFlow that "
                 "saved it, and save the model as one file: model.save(\"m.keras\")"});
  CHECK(error_text<FormatError>([&] { (void)load_keras(inner / "saved_model.pb"); }) ==
        Contains{"a part of a SavedModel of TensorFlow"});
}
