// Functional models of Keras with functions, and what Keras 2 and Keras 3 do otherwise, give Keras'
// outputs, or are refused with a message that says what to do.

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/keras/model.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/loaders.hpp"
#include "support/refused_configs.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path graphs_folder = STRATA_GOLDEN_DIR "/keras/graphs";

/// The message with which a Sequential of these layers over (T, 2) is refused.
std::string stack_error(const std::string& layers, int version) {
  const std::string text =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name":
      "InputLayer", "config": {"name": "i", "batch_input_shape": [null, 4, 2]}}, )" +
      layers + "]}}";
  return error_text<FormatError>(
      [&] { (void)io::keras_architecture(text, {{version}}, io::Where("file")); });
}

std::string plain_layer(const std::string& kind, const std::string& settings = "") {
  return R"({"class_name": ")" + kind + R"(", "config": {"name": "the )" + kind + "\"" +
         (settings.empty() ? "" : ", ") + settings + "}}";
}

const std::string nothing = "(nothing was thrown)";
const std::string zero_mask = plain_layer("Masking", "\"mask_value\": 0");
const std::string recurrent_layer =
    plain_layer("SimpleRNN", R"("units": 2, "return_sequences": true,
    "activation": "tanh", "use_bias": true, "dropout": 0, "recurrent_dropout": 0,
    "go_backwards": false)");

}  // namespace

TEST_CASE("functions and branches of Keras' functional models compute what they do in Keras",
          "[keras_graphs]") {
  const auto golden = test::Golden::read("keras_graphs.txt");
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(graphs_folder)) {
    const std::string name = entry.path().filename().string();
    const std::string stem = name.substr(0, name.find('.'));
    if (stem == "refused" || stem == "nested" || name == "lora_embedding.h5") continue;
    INFO(name);
    try {
      const Sequential<> model = load_keras(entry.path());
      CHECK(test::largest_difference(model, golden[stem + ".x"], golden[stem + ".y"]) < 1e-5);
      Sequential<> again = model;
      again.set_weights(std::vector<float>(static_cast<std::size_t>(again.parameter_count())));
      load_keras_weights(entry.path(), again);
      CHECK(again.weights() == model.weights());
    } catch (const std::exception& error) {
      FAIL_CHECK(error.what());
    }
    seen.insert(stem);
  }
  for (const std::string& name : golden.cases("y")) CHECK(seen.contains(name));
  CHECK(seen.size() >= 13);
}

TEST_CASE("functions that strata cannot compute are refused by name", "[keras_graphs]") {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"mean",
       "layer 0 (Mean, \"mean\"): is the function \"Mean\", which no layer of strata computes"},
      {"first_step", "takes a part of its input; of such parts x[:, -1, :], the last step, is"},
      {"masked_last_step", "x[:, -1, :] behind a mask takes the last step even where it is masked"},
      {"mask_function",
       "stands behind a mask that ends at the layer \"tanh\" in Keras, and in strata does not"},
      {"mask_relu", "stands behind a mask that ends at the layer \"re_lu\" in Keras"},
      {"mask_steps", "layer: Softmax: stands behind a Masking"},
      {"mask_model", "(Softmax, \"softmax\"): stands behind a Masking"},
      {"softmax_over_steps", "axis: expected -1, found 1"},
      {"reciprocal", "is the function \"TrueDivide\", which no layer of strata computes"},
      {"constants_of_steps",
       "the constant: expected one number for each feature, found numbers of the sizes (2, 1)"},
      {"product", "layer \"multiply\": takes 2 inputs"},
      {"open_steps",
       "target_shape: expected (steps, features) in numbers, where the input has no fixed size, "
       "found (-1, 1)"},
      {"quantized",
       "dtype: the layer is quantized (QuantizedDTypePolicy), and strata reads the "
       "model from before it was quantized: save it before model.quantize"}};
  const io::Json json = test::check_refused_configs(graphs_folder / "refused.json", expected);
  CHECK(json.size() == expected.size());
}

TEST_CASE("a mask ends in Keras 2 at layers that pass it on in Keras 3", "[keras_graphs]") {
  const std::string mean = plain_layer("GlobalAveragePooling1D");
  for (const std::string& layer : {plain_layer("Rescaling", "\"scale\": 2"),
                                   plain_layer("Normalization"), plain_layer("Identity")}) {
    INFO(layer);
    const std::string behind_mask = zero_mask + "," + layer + ",";
    for (const std::string& user : {recurrent_layer, mean}) {
      CHECK(stack_error(behind_mask + user, 3) == nothing);
      CHECK(stack_error(layer + "," + zero_mask + "," + user, 2) == nothing);
      CHECK(stack_error(behind_mask + zero_mask + "," + user, 2) == nothing);
      CHECK(stack_error(behind_mask + user, 2) ==
            Contains{"stands behind a mask that ends at the layer \"the "});
    }
    CHECK(stack_error(behind_mask + plain_layer("Softmax"), 2) == nothing);
    CHECK(stack_error(behind_mask + plain_layer("Softmax"), 3) == Contains{"stands behind a Mask"});
    CHECK(stack_error(behind_mask + plain_layer("GlobalMaxPooling1D"), 2) ==
          Contains{"it takes the maximum of masked steps too"});
    // No layer behind them uses it.
    CHECK(stack_error(behind_mask + plain_layer("Flatten") + "," +
                          plain_layer("Reshape", "\"target_shape\": [4, 2]") + "," +
                          recurrent_layer,
                      2) == nothing);
    CHECK(stack_error(behind_mask + R"({"class_name": "Bidirectional", "config": {"name": "b",
            "merge_mode": "sum", "layer": )" +
                          recurrent_layer + "}}",
                      2) == Contains{"Bidirectional, \"b\"): layer: SimpleRNN: stands behind"});
  }
}

TEST_CASE("sizes of a Reshape follow from what comes to it", "[keras_graphs]") {
  const auto reshape = [](const std::string& sizes) {
    return stack_error(plain_layer("Reshape", "\"target_shape\": " + sizes), 3);
  };
  CHECK(reshape("[-1, 4]") == nothing);
  CHECK(reshape("[8, -1]") == nothing);
  CHECK(reshape("[-1, 3]") == Contains{"target_shape: expected sizes of 8 numbers, found (-1, 3)"});
  CHECK(reshape("[-1, -1]") == Contains{"expected (steps, features) in numbers, found (-1, -1)"});
  CHECK(reshape("[-1, 0]") == Contains{"expected (steps, features) in numbers, found (-1, 0)"});
  CHECK(reshape("[2, -1, 2]") == Contains{"expected (steps, features) in numbers, found (2, -1"});
  CHECK(stack_error(R"({"class_name": "TimeDistributed", "config": {"name": "t", "layer": )" +
                        plain_layer("Reshape", "\"target_shape\": [-1, 1]") + "}}",
                    3) == Contains{"where the input has no fixed size, found (-1, 1)"});
  CHECK(stack_error(R"({"class_name": "Bidirectional", "config": {"name": "b", "merge_mode": "sum",
          "layer": )" + plain_layer("Identity") +
                        "}}",
                    3) == Contains{"Bidirectional takes a recurrent layer, not one that does"});
}

TEST_CASE("functions without the inputs that they need are refused", "[keras_graphs]") {
  const auto function = [](const std::string& calls) {
    return stack_error(R"({"class_name": "TFOpLambda", "name": "f", "config": {"name": "f",
        "function": "math.add"}, "inbound_nodes": )" +
                           calls + "}",
                       2);
  };
  CHECK(function("[]") == Contains{"inbound_nodes: expected one call, found 0"});
  CHECK(function("[[]]") == Contains{"is the function \"math.add\", which no layer of strata"});
  CHECK(function(R"([["a", 0, 0, {"y": ["b", 0, 0]}]])") == Contains{"is the function"});
  CHECK(function(R"([["_CONSTANT_VALUE", -1, 1, {"y": 2}]])") == Contains{"is the function"});
  CHECK(function(R"([["a", 0, 1, {"y": 2}]])") == Contains{"takes output 1 of \"a\""});
  CHECK(function(R"([["a", 0, 0, {"y": "two"}]])") == Contains{"the constant: expected a number"});
  CHECK(function(R"([["a", 0, 0, {"y": 2, "scale": 3}]])") == Contains{"\"scale\" (3)"});
  CHECK(function(R"([["a", 0, 0, {"y": 2}]])") == nothing);
}

TEST_CASE("weights that have no place of their own are refused with the way out",
          "[keras_graphs]") {
  Sequential flat{Input{4, 2}, LSTM{2, return_sequences}, Dense{1}};
  CHECK(error_text<FormatError>([&] {
          load_keras_weights(graphs_folder / "nested.weights.h5", flat);
        }) == Contains{"is of a model within the model, whose place among the layers the file does "
                       "not have; load the whole model, model.save(\"m.keras\")"});
  CHECK(error_text<FormatError>([&] { (void)load_keras(graphs_folder / "lora_embedding.h5"); }) ==
        Contains{"is a matrix of LoRA, which Keras adds to the weights in a .keras file"});
}

TEST_CASE("classes of a user's own are refused with the way out", "[keras_graphs]") {
  const auto own = [](const std::string& object) {
    return error_text<FormatError>(
        [&] { (void)io::keras_architecture(object, {}, io::Where("file")); });
  };
  const Contains way_out{
      ": the file does not have the code of a class of one's own. Build the same model as a "
      "Sequential or a functional model of Keras' layers, give it the weights by "
      "set_weights(model.get_weights()), and save that"};
  CHECK(own(R"({"module": "x", "class_name": "Sub", "config": {}, "registered_name": "Sub"})") ==
        way_out);
  CHECK(
      own(R"({"module": "keras", "class_name": "Sub", "config": {}, "registered_name": "a>Sub"})") ==
      way_out);
  CHECK(stack_error(plain_layer("Dense", R"("dtype": "int8_from_float32")"), 3) ==
        Contains{"dtype: the layer is quantized (int8_from_float32)"});
}
