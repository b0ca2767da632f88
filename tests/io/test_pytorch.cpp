// Models that PyTorch wrote compute what PyTorch computes; what is not understood is refused.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <strata/io/pytorch.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/reference.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

std::string golden(const std::string& name) { return STRATA_TEST_DIR "/golden/pytorch/" + name; }

const std::map<std::string, PyTorchOutput> outputs{{"sequences", PyTorchOutput::sequences},
                                                   {"last_step", PyTorchOutput::last_step},
                                                   {"last_state", PyTorchOutput::last_state}};

/// What the names do not tell of a case.
PyTorchOptions options_of(const std::string& name) {
  if (name == "rnn_relu") return {.nonlinearity = Activation::relu};
  if (name == "between") {
    return {.modules = {{"first", Activation::tanh}, "lstm", {"middle", Activation::relu}, "end"}};
  }
  return {};
}

template <class Scalar>
void check_case(const std::string& name, const std::string& ending) {
  int checked = 0;
  for (const auto& [text, output] : outputs) {
    const std::string reference = golden(name + "." + text + ".reference");
    if (!std::filesystem::exists(reference)) continue;
    INFO(name << ", " << text);
    PyTorchOptions options = options_of(name);
    options.output = output;
    const auto model = load_pytorch<Scalar>(golden(name + ending), options);
    test::Reference<Scalar>(reference).require_equal(model);
    ++checked;
  }
  REQUIRE(checked > 0);
}

/// A safetensors file of float32 tensors.
struct File {
  std::map<std::string, std::vector<Index>> tensors;

  File with(const std::string& name, const std::vector<Index>& sizes) const {
    File changed = *this;
    changed.tensors[name] = sizes;
    return changed;
  }
  File without(const std::string& name) const {
    File changed = *this;
    changed.tensors.erase(name);
    return changed;
  }
  std::vector<std::byte> bytes() const {
    io::SafetensorsWriter writer;
    for (const auto& [name, sizes] : tensors) {
      std::size_t count = 1;
      for (const Index size : sizes) count *= static_cast<std::size_t>(size);
      std::vector<float> numbers(count, 0.5f);
      writer.add(name, sizes, std::span<const float>(numbers));
    }
    return writer.bytes();
  }
  std::string error(const PyTorchOptions& options = {}) const {
    const auto file = bytes();
    return error_text<FormatError>([&] { (void)load_pytorch(file, options); });
  }
};

const File lstm{{{"lstm.weight_ih_l0", {12, 2}},
                 {"lstm.weight_hh_l0", {12, 3}},
                 {"lstm.bias_ih_l0", {12}},
                 {"lstm.bias_hh_l0", {12}},
                 {"fc.weight", {1, 3}},
                 {"fc.bias", {1}}}};

std::string json_error(std::string_view text, const PyTorchOptions& options = {}) {
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(text.data()),
                                     reinterpret_cast<const std::byte*>(text.data()) + text.size());
  return error_text<FormatError>([&] { (void)load_pytorch(bytes, options); });
}

}  // namespace

TEST_CASE("PyTorch: every case of the golden folder", "[io][pytorch]") {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden(""))) {
    if (entry.path().extension() != ".safetensors") continue;
    check_case<float>(entry.path().stem().string(), ".safetensors");
    ++cases;
  }
  CHECK(cases == 17);
  check_case<double>("lstm_3", ".safetensors");
  check_case<double>("gru", ".safetensors");
  check_case<float>("lstm_2", ".json");
}

TEST_CASE("PyTorch: the JSON of trainers of guitar amplifiers", "[io][pytorch]") {
  for (const std::string name :
       {"amplifier_lstm", "amplifier_gru", "amplifier_rnn", "amplifier_without_skip"}) {
    check_case<float>(name, ".json");
    check_case<double>(name, ".json");
  }
  // The input that is added is in the type of a model that is known.
  Sequential amplifier{Input{Dynamic, 1},
                       SkipConnections{LSTM{4, return_sequences}, Activate{Activation::linear}},
                       Dense{1}};
  load_pytorch(golden("amplifier_lstm.json"), amplifier);
  const test::Reference<float> reference(golden("amplifier_lstm.sequences.reference"));
  reference.require_equal(amplifier);

  std::ifstream file(golden("amplifier_lstm.json"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return json_error(other);
  };
  CHECK(changed("\"LSTM\"", "\"GRU\"") ==
        "memory: model_data: unit_type: expected \"LSTM\", found \"GRU\"");
  CHECK(changed("\"hidden_size\": 4", "\"hidden_size\": 5") ==
        "memory: model_data: hidden_size: expected 4, as the tensors are, found 5");
  CHECK(changed("\"bias_fl\": true", "\"bias_fl\": false") ==
        "memory: model_data: bias_fl: expected true, found false");
  CHECK(changed("SimpleRNN", "ConvNet") == Contains{"model: expected \"SimpleRNN\""});
  CHECK(changed("\"skip\": 1", "\"skip\": 2") == Contains{"skip: expected a whole number"});
  CHECK(changed("\"skip\"", "\"jump\"") == Contains{"these settings are not known: \"jump\" (1)"});
  CHECK(changed("\"model_data\": {", "\"more\": 1, \"model_data\": {") == Contains{"\"more\" (1)"});
  CHECK(changed("lin.bias", "end.bias") == Contains{"end.weight: is missing"});
  CHECK(json_error("{\"state_dict\": {}}") == "memory: model_data: is missing");
  CHECK(error_text<FormatError>([] {
          (void)load_pytorch(golden("amplifier_lstm.json"), {.output = PyTorchOutput::last_step});
        }) == Contains{"skip: adds the input to the output of every step"});
}

TEST_CASE("PyTorch: what becomes of the modules", "[io][pytorch]") {
  const auto kinds = [](const std::string& name, PyTorchOptions options = {}) {
    std::string text;
    const auto model = load_pytorch(golden(name), options);
    for (const auto& layer : model.layers()) text += layer.describe() + "; ";
    return text;
  };
  CHECK(kinds("lstm_3.safetensors") ==
        "LSTM, 3 units; LSTM, 3 units; LSTM, 3 units; Dense, 2 units; ");
  CHECK(kinds("projection.safetensors") == Contains{"ExtendedLSTM"});
  CHECK(kinds("bidirectional.safetensors", {.output = PyTorchOutput::last_step}) ==
        Contains{"Bidirectional LSTM, 3 units; LastStep; Dense"});
  CHECK(kinds("embedding.safetensors") == Contains{"Embedding, 2 units; LSTM, 3 units; Dense"});
  // JSON keeps the order, so that the functions between the modules are all that is missing.
  CHECK(kinds("between.json") == Contains{"Dense, 3 units; LSTM, 3 units; Dense, 3 units; Dense"});
}

TEST_CASE("PyTorch: into a given model", "[io][pytorch]") {
  const auto sequences = [](const std::string& name) {
    return test::Reference<float>(golden(name + ".sequences.reference"));
  };
  using Two = Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3, return_sequences>,
                         Dense<float, 3, 2>>;
  Two two;
  load_pytorch(golden("lstm_2.safetensors"), two);
  sequences("lstm_2").require_equal(two);
  load_pytorch(golden("lstm_2.json"), two);
  sequences("lstm_2").require_equal(two);

  // Functions between the modules and the last step are the model's own.
  Sequential between{Input{Dynamic, 3},          Dense{3, {.activation = Activation::tanh}},
                     LSTM{3, return_sequences},  Dense{3},
                     Activate{Activation::relu}, Dense{3}};
  load_pytorch(golden("between.json"), between);
  sequences("between").require_equal(between);
  Sequential<double> last;
  last.add(Input{Dynamic, 2});
  last.add(GRU<double, Dynamic, Dynamic, true>{3});
  last.add(GRU<double>{3});
  last.add(Dense<double>{1});
  load_pytorch(golden("gru.safetensors"), last);
  test::Reference<double>(golden("gru.last_step.reference")).require_equal(last);
  Sequential relu{Input{Dynamic, 2}, Bidirectional{SimpleRNN<float, Dynamic, Dynamic, true>{
                                         3, SimpleRNNOptions{.activation = Activation::relu}}}};
  load_pytorch(golden("rnn_relu.safetensors"), relu);
  sequences("rnn_relu").require_equal(relu);

  const auto refused = [](const std::string& name, auto& model) {
    const auto before = model.weights();
    const std::string text = error_text<FormatError>([&] { load_pytorch(golden(name), model); });
    CHECK(model.weights() == before);
    return text;
  };
  CHECK(refused("lstm_3.safetensors", two) ==
        Contains{"lstm_3.safetensors: expected the model's 3 layers with weights, found 4"});
  CHECK(refused("gru.safetensors", two) ==
        Contains{"gru.safetensors: layer 0 (LSTM): expected LSTM, found GRU"});
  Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3>, Dense<float, 3, 1>> narrow;
  CHECK(refused("lstm_2.safetensors", narrow) ==
        Contains{"layer 2 (Dense): units: expected 1, found 2"});
  Sequential hard{Input{Dynamic, 2},
                  LSTM{3, return_sequences, {.recurrent_activation = Activation::hard_sigmoid}},
                  LSTM{3}, Dense{2}};
  CHECK(refused("lstm_2.safetensors", hard) == Contains{"recurrent_activation: expected"});
  Sequential wide{Input{Dynamic, 4}, LSTM{3, return_sequences}, LSTM{3}, Dense{2}};
  CHECK(refused("lstm_2.safetensors", wide) ==
        Contains{"layer 0 (LSTM): kernel: expected (4, 12), found (2, 12)"});
  Sequential<> open;
  open.add(LSTM{3});
  CHECK_THROWS_AS(load_pytorch(golden("lstm_2.safetensors"), open), StateError);
}

TEST_CASE("PyTorch: the order of the modules", "[io][pytorch]") {
  CHECK(error_text<FormatError>([] { (void)load_pytorch(golden("between.safetensors")); }) ==
        Contains{"its modules may run in more than one order: lstm (nn.LSTM of 3 to 3), end "
                 "(nn.Linear of 3 to 3), first (nn.Linear of 3 to 3), middle (nn.Linear of 3 to "
                 "3); or lstm"});
  const auto order = [](const File& file, const PyTorchOptions& options = {}) {
    const auto bytes = file.bytes();
    std::string text;
    const auto model = load_pytorch(bytes, options);
    for (const auto& layer : model.layers()) text += std::to_string(layer.inputs()) + " ";
    return text;
  };
  CHECK(order(lstm) == "2 3 ");
  CHECK(order(lstm.with("fc.weight", {2, 3}).with("fc.bias", {2})) == "2 3 ");
  CHECK(order(lstm.with("fc.weight", {2, 7}).with("fc.bias", {2})) == "7 2 ");
  // By the last numbers of names, not by their letters.
  File many;
  for (int i = 8; i < 12; ++i) many.tensors["net." + std::to_string(i) + ".weight"] = {4, 4};
  CHECK(order(many.with("net.2.weight", {4, 7})) == "7 4 4 4 4 ");
  CHECK(order(many.with("net.007.weight", {4, 7})) == "7 4 4 4 4 ");
  CHECK(many.with("net.12.weight", {4, 5}).error() ==
        Contains{"its modules do not join one after the other by their sizes: net.10 (nn.Linear of "
                 "4 to 4), net.11"});
  // A name without a number before one with.
  CHECK(order(File{{{"fc0.weight", {2, 2}}, {"fc.weight", {2, 2}}}}) == "2 2 ");
  CHECK(File{{{"a.weight", {2, 2}}, {"b.weight", {2, 2}}}}.error() == Contains{"a (nn.Linear"});
  CHECK(lstm.error({.modules = {"lstm"}}) == Contains{"memory: \"fc\": is not named in .modules"});
  CHECK(lstm.error({.modules = {"lstm", "fc", "fc"}}) ==
        Contains{"memory: \"fc\": there is no such module, or it is named twice in .modules"});
  CHECK(lstm.error({.modules = {"fc", "lstm"}}) == Contains{"expects 2 features"});
  // As many orders as there are, tried for a bounded time.
  File equal;
  for (char a = 'a'; a <= 'z'; ++a) equal.tensors[std::string(1, a) + ".weight"] = {2, 2};
  equal.tensors["0.weight"] = {2, 3};
  equal.tensors["x1.weight"] = {4, 4};
  CHECK(equal.error() == Contains{"too many orders to try"});
}

TEST_CASE("PyTorch: a self-test in the file is run", "[io][pytorch]") {
  const auto file = [](float output) {
    io::SafetensorsWriter writer;
    const auto add = [&](const char* name, std::vector<Index> sizes, float value) {
      writer.add(name, std::move(sizes), std::span<const float>(&value, 1));
    };
    add("weight", {1, 1}, 2);
    add("self_test.input", {1, 1}, 3);
    add("self_test.output", {1, 1}, output);
    return writer.bytes();
  };
  const auto right = file(6);
  const auto wrong = file(7);
  CHECK(load_pytorch(right).weights() == std::vector<float>{2});
  CHECK(error_text<FormatError>([&] { (void)load_pytorch(wrong); }) ==
        Contains{"the model computes other numbers"});
  Sequential<Dense<float, 1, 1>> model{Dense<float, 1, 1>({.use_bias = false})};
  const auto before = model.weights();
  CHECK_THROWS_AS(load_pytorch(wrong, model), FormatError);
  CHECK(model.weights() == before);
  load_pytorch(right, model);
  CHECK(model.weights() == std::vector<float>{2});
}

TEST_CASE("PyTorch: tensors that are missing, left over or of other sizes", "[io][pytorch]") {
  CHECK(lstm.error() == "(nothing was thrown)");
  CHECK(lstm.without("lstm.weight_hh_l0").error() == "memory: lstm.weight_hh_l0: is missing");
  CHECK(lstm.without("lstm.bias_hh_l0").error() == "memory: lstm.bias_hh_l0: is missing");
  CHECK(lstm.without("fc.weight").error() == "memory: fc.weight: is missing");
  CHECK(lstm.without("lstm.weight_ih_l0").error() == "memory: lstm.weight_ih_l0: is missing");
  CHECK(lstm.with("lstm.weight_ih_l2", {12, 3}).error() ==
        Contains{"the model has no place for these arrays of the file: lstm.weight_ih_l2"});
  CHECK(lstm.with("lstm.weight_hh_l0_reverse", {12, 3}).error() == Contains{"has no place for"});
  CHECK(lstm.with("lstm.weight_ih_l0_reverse", {12, 2}).error() ==
        "memory: lstm.weight_hh_l0_reverse: is missing");
  CHECK(lstm.with("lstm.bias_ih_l00", {12}).error() == Contains{"has no place for"});
  CHECK(lstm.with("lstm.weight_ih_l0", {11, 2}).error() ==
        "memory: lstm.weight_ih_l0: expected 4, 3 or 1 times 3 rows, of an nn.LSTM, nn.GRU or "
        "nn.RNN, found 11");
  CHECK(lstm.with("lstm.weight_hr_l0", {2, 3}).error() ==
        "memory: lstm.weight_hh_l0: expected (12, 2), found (12, 3)");
  CHECK(lstm.with("lstm.weight_ih_l0", {12}).error() ==
        "memory: lstm.weight_ih_l0: expected a matrix, found (12,)");
  CHECK(lstm.with("lstm.weight_ih_l0", {12, 0}).error() == Contains{"expected a matrix"});
  CHECK(lstm.with("lstm.bias_ih_l0", {3}).error() ==
        "memory: lstm.bias_ih_l0: expected (12,), found (3,)");
  CHECK(lstm.with("fc.bias", {2}).error() == "memory: fc.bias: expected (1,), found (2,)");
  CHECK(lstm.with("conv.weight", {3, 3, 5}).error() ==
        Contains{"conv.weight: expected (outputs, inputs) of an nn.Linear"});
  CHECK(lstm.with("norm.weight", {3}).error() ==
        Contains{"convolutions, normalizations and other modules are not read, found (3,)"});
  CHECK(lstm.with("norm.running_mean", {3}).error() ==
        "memory: \"norm.running_mean\": is no tensor of nn.LSTM, nn.GRU, nn.RNN, nn.Linear or "
        "nn.Embedding");
  CHECK(lstm.with("cell.weight_ih", {12, 2}).error() == Contains{"\"cell.weight_ih\": is no"});
  CHECK(File{}.error() == "memory: has no tensors");
  CHECK(File{{{"a.weight", {1, 1}}}}.error({.output = PyTorchOutput::last_step}) ==
        Contains{"has no nn.LSTM, nn.GRU or nn.RNN whose last step could be taken"});
  CHECK_THROWS_AS(load_pytorch(golden("rnn.safetensors"), {.nonlinearity = Activation::sigmoid}),
                  ValueError);
  File many;
  for (int i = 0; i < 257; ++i) many.tensors[std::to_string(i) + ".weight"] = {1, 1};
  CHECK(many.error() == "memory: has more than 256 modules");
}

TEST_CASE("PyTorch: other files", "[io][pytorch]") {
  CHECK(json_error("PK\x03\x04") == Contains{"this is what torch.save writes, a pickle"});
  CHECK(json_error("\x80\x02}") == Contains{"safetensors.torch.save_file"});
  CHECK(json_error("") == "memory: expected a state_dict in safetensors or JSON, found \"\"");
  CHECK(json_error("[1, 2]") == Contains{"found \"[1, 2]\""});
  CHECK(json_error(" {\"a.weight\": [[1.5, 2], [3]]}") ==
        "memory: \"a.weight\": expected a list of 2, as the first is, found a list of 1");
  CHECK(json_error("{\"a.weight\": [[1, [2]]]}") ==
        "memory: \"a.weight\": expected a number, found a list of 1");
  CHECK(json_error("{\"a.weight\": [[1, \"2\"]]}") == Contains{"expected a number, found \"2\""});
  CHECK(json_error("{\"a.weight\": [[]]}") == Contains{"found (1, 0)"});
  CHECK(json_error("{\"a.weight\": 1}") ==
        "memory: \"a.weight\": expected a tensor as nested lists of numbers, found 1");
  CHECK(json_error("{\"a.weight\": [[1e999]]}") == Contains{"this is not JSON"});
  CHECK(json_error("{\"a.weight\": [[1e300]]}") == Contains{"numbers that float32 can hold"});
  CHECK(json_error("{\"a.weight\": [[1]], \"a.weight\": [[1]]}") == Contains{"twice"});
  CHECK(json_error("{\"a.weight\": [[1]]") == Contains{"this is not JSON"});
  const std::string deep = "{\"a.weight\": " + std::string(100000, '[');
  CHECK(json_error(deep) == Contains{"nested deeper than 64 levels"});
  CHECK(error_text<FileError>([] { (void)load_pytorch(golden("none")); }) ==
        Contains{"cannot be opened"});
}
