// Models that PyTorch wrote compute what PyTorch computes; what is not understood is refused.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <strata/io/pytorch.hpp>
#include <strata/layers/chain.hpp>
#include <strata/layers/skip_connections.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/reference.hpp"
#include "support/state_dict.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

std::string golden(const std::string& name) { return STRATA_TEST_DIR "/golden/pytorch/" + name; }

const std::map<std::string, PyTorchOutput> outputs{{"sequences", PyTorchOutput::sequences},
                                                   {"last_step", PyTorchOutput::last_step},
                                                   {"last_state", PyTorchOutput::last_state}};

/// The options of a case that the names in its file do not tell.
PyTorchOptions options_of(const std::string& name) {
  if (name == "rnn_relu") return {.nonlinearity = Activation::relu};
  if (name == "between") {
    return {.modules = {{"first", Activation::tanh}, "lstm", {"middle", Activation::relu}, "end"}};
  }
  if (name == "linear_alone") {
    return {.modules = {"0", Activation::linear, {"1", Activation::linear}, "2"}};
  }
  if (name == "same_sizes") return {.modules = {"fc_in", "lstm", "fc_out"}};
  if (name == "one_in_one_out") return {.inputs = 1};
  if (name == "head") return {.modules = {"lstm", "head.0", Activation::relu, "head.2"}};
  if (name == "last_step") {
    return {.modules = {"lstm", LastStep{}, {"fc", Activation::elu}, "out"}};
  }
  if (name == "functions") {
    return {.modules = {"proj", Activation::relu, PyTorchResidual{"lstm"},
                        PyTorchResidual{"fc", Activation::sigmoid}, "gru", MeanOverSteps{},
                        Dropout{0.5}, "end.1", Activation::softmax}};
  }
  if (name == "norm_without_bias") {
    return {.modules = {PyTorchLayerNorm{"bn"}, "lstm", PyTorchLayerNorm{"ln"}, "fc"}};
  }
  if (name == "epsilon") return {.epsilon = 0.125};
  if (name == "batch_norm_head") {
    return {.modules = {"lstm", LastStep{}, "head.0", "head.1", Activation::relu, "head.3"}};
  }
  if (name == "weight_norm") {
    return {.modules = {"proj", "lstm", {"columns", Activation::tanh}, "out"}};
  }
  if (name == "activations") {
    return {.modules = {"0",  ReLU{{.negative_slope = 0.125}},
                        "2",  ELU{{.alpha = 0.5}},
                        "4",  Activation::gelu,
                        "6",  Activation::gelu_tanh,
                        "8",  Activation::silu,
                        "10", Activation::selu,
                        "12", Activation::mish,
                        "14", Activation::hard_sigmoid,
                        "16", Activation::softplus,
                        "18", Activation::relu6,
                        "20", Activation::softsign,
                        "22", ReLU{{.negative_slope = 0.01}},
                        "24", Activation::softmax,
                        "26"}};
  }
  if (name == "convolution") {
    return {.modules = {PyTorchConv1d{"conv",
                                      {.padding = Padding::causal,
                                       .dilation_rate = 2,
                                       .activation = Activation::relu}},
                        "lstm", "fc"}};
  }
  if (name == "convolution_valid") {
    return {.modules = {"one", "lstm", PyTorchConv1d{"valid"}}};
  }
  if (name == "prelu") return {.modules = {"fc", "act", "lstm", "prelu", "out"}};
  if (name == "max_over_steps") return {.modules = {"lstm", MaxOverSteps{}, "fc"}};
  if (name == "two_heads") return {.without = {"second"}};
  if (name == "residual_layers") {
    return {.modules = {"proj", PyTorchResidual{"lstm"}, PyTorchResidual{"both"}, "fc"}};
  }
  if (name == "embedding_named_encoder") {
    return {.modules = {PyTorchEmbedding{"encoder"}, "lstm", "decoder"}};
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

using File = test::StateDict;
using test::linears;
using test::with_lstm;

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
  CHECK(cases == 41);
  check_case<double>("lstm_3", ".safetensors");
  check_case<double>("gru", ".safetensors");
  check_case<float>("lstm_2", ".json");
  check_case<double>("weight_norm", ".safetensors");
  check_case<double>("residual_layers", ".safetensors");
  check_case<float>("normalizations", ".json");
}

TEST_CASE("PyTorch: the JSON of trainers of guitar amplifiers", "[io][pytorch]") {
  for (const std::string name : {"amplifier_lstm", "amplifier_gru", "amplifier_rnn",
                                 "amplifier_without_skip", "amplifier_layers"}) {
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

  Sequential layers{Input{Dynamic, 2},
                    SkipConnections{Chain{LSTM{3, return_sequences}, LSTM{3, return_sequences}},
                                    Activate{Activation::linear}},
                    Dense{1}};
  load_pytorch(golden("amplifier_layers.json"), layers);
  test::Reference<float>(golden("amplifier_layers.sequences.reference")).require_equal(layers);

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
  CHECK(kinds("head.safetensors", options_of("head")) ==
        "LSTM, 3 units; Dense, 4 units; Dense, 1 units; ");
  CHECK(kinds("last_step.safetensors", options_of("last_step")) ==
        "LSTM, 3 units; Dense, 4 units; Dense, 1 units; ");
  CHECK(kinds("functions.safetensors", options_of("functions")) ==
        "Dense, 3 units; Residual LSTM, 3 units; Residual Dense, 3 units; GRU, 4 units; "
        "MeanOverSteps; Dropout; Dense, 2 units; ");
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
  load_pytorch(golden("between.json"), between, {.modules = {"first", "lstm", "middle", "end"}});
  sequences("between").require_equal(between);
  const std::string three =
      error_text<FormatError>([&] { load_pytorch(golden("between.safetensors"), between); });
  CHECK(three == Contains{"may run in more than one order; name them in their order by .modules:\n"
                          "  load_pytorch(\""});
  CHECK(three == Contains{"\", model, {.modules = {\"end\", \"lstm\", \"first\", \"middle\"}})"});
  CHECK(three == Contains{"{\"middle\", \"lstm\", \"first\", \"end\"}"});
  // The layers of the given model leave one order of the modules, and the operations between them
  // come from the model.
  Sequential same{Input{Dynamic, 3}, Dense{3}, LSTM{3, return_sequences}, Dense{1}};
  load_pytorch(golden("same_sizes.safetensors"), same);
  sequences("same_sizes").require_equal(same);
  Sequential one{Input{Dynamic, 1}, Dense{3}, LSTM{3, return_sequences}, Dense{1}};
  load_pytorch(golden("one_in_one_out.safetensors"), one);
  sequences("one_in_one_out").require_equal(one);
  Sequential functions{Input{Dynamic, 2},
                       Dense{3, {.activation = Activation::relu}},
                       Residual{LSTM{3, return_sequences}},
                       Residual{Dense{3, {.activation = Activation::sigmoid}}},
                       GRU{4, return_sequences},
                       MeanOverSteps{},
                       Dense{2, {.activation = Activation::softmax}}};
  load_pytorch(golden("functions.safetensors"), functions);
  sequences("functions").require_equal(functions);
  Sequential chains{
      Input{Dynamic, 2}, Dense{4},
      Residual{Chain{LSTM{4, return_sequences}, Dropout{0.5}, LSTM{4, return_sequences}}},
      Residual{
          Chain{Bidirectional{GRU{2, return_sequences}}, Bidirectional{GRU{2, return_sequences}}}},
      Dense{1}};
  load_pytorch(golden("residual_layers.safetensors"), chains);
  sequences("residual_layers").require_equal(chains);
  load_pytorch(golden("residual_layers.safetensors"), chains,
               {.modules = {"proj", "lstm", "both", "fc"}});
  sequences("residual_layers").require_equal(chains);
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
  Sequential longer{Input{Dynamic, 2}, LSTM{3, return_sequences}, Dense{2}, Dense{1}};
  CHECK(refused("lstm_1.safetensors", longer) ==
        Contains{"expected the model's 3 layers with weights, found 2"});
  // Against the numbers in names, though the sizes fit.
  Sequential twisted{Input{Dynamic, 2}, Dense{3}, Dense{4}};
  const auto numbered =
      linears({{"a10", {2, 3}}, {"a9", {3, 4}}}).with("a10.bias", {3}).with("a9.bias", {4}).bytes();
  CHECK(error_text<FormatError>([&] { load_pytorch(numbered, twisted); }) ==
        Contains{"only against the numbers in their names"});
  load_pytorch(numbered, twisted, {.modules = {"a10", "a9"}});
  CHECK(twisted.weights() == std::vector<float>(25, 0.5f));
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
  const std::string between =
      error_text<FormatError>([] { (void)load_pytorch(golden("between.safetensors")); });
  CHECK(between == Contains{"its modules, end (nn.Linear of 3 to 3), first (nn.Linear of 3 to 3), "
                            "lstm (nn.LSTM of 3 to 3), middle (nn.Linear of 3 to 3), may run in "
                            "more than one order"});
  CHECK(between == Contains{"\n  or others"});
  // JSON has the modules in the order of their definition, in which they need not run.
  CHECK(error_text<FormatError>([] { (void)load_pytorch(golden("between.json")); }) ==
        Contains{"{.modules = {\"first\", \"lstm\", \"middle\", ?, \"end\"}}"});
  CHECK(json_error(R"({"b.weight": [[1], [1]], "a.weight": [[1, 1]]})", {.inputs = 1}) ==
        Contains{"{.modules = {\"b\", ?, \"a\"}})"});

  const File same = with_lstm(linears({{"in", {4, 4}}, {"out", {4, 1}}}), "lstm", 4, 4);
  CHECK(same.error() ==
        "memory: its modules, in (nn.Linear of 4 to 4), lstm (nn.LSTM of 4 to 4), out (nn.Linear "
        "of 4 to 1), may run in more than one order; name them in their order by .modules, and in "
        "place of ? write Activation::relu or another one, Dropout{0.5}, LastStep{}, "
        "MeanOverSteps{}, or Activation::linear where nothing runs:\n"
        "  load_pytorch(bytes, {.modules = {\"in\", \"lstm\", \"out\"}})  // takes 4 features\n"
        "  load_pytorch(bytes, {.modules = {\"lstm\", \"in\", ?, \"out\"}})  // takes 4 features");
  CHECK(same.with("in.weight", {4, 5}).layers() ==
        "Dense, 4 units; LSTM, 4 units; Dense, 1 units; ");
  const std::string in_out = "Dense, 4 units; LSTM, 4 units; Dense, 1 units; ";
  const File one = same.with("in.weight", {4, 1});
  CHECK(one.error() == Contains{"or the features that the model takes by .inputs"});
  CHECK(one.error() == Contains{"{\"in\", \"lstm\", \"out\"}})  // takes 1 feature\n"});
  CHECK(one.layers({.inputs = 1}) == in_out);
  CHECK(one.error({.inputs = 4}) == Contains{"more than one order"});
  CHECK(one.error({.inputs = 3}) == Contains{"do not join one after the other by their sizes to a "
                                             "model of .inputs = 3: in (nn.Linear of 1 to 4)"});
  CHECK(one.error({.modules = {"in", "lstm", "out"}, .inputs = 4}) ==
        "memory: .inputs: expected those of the first module, in (nn.Linear of 1 to 4), found 4");
  // Between recurrent modules, and after an embedding.
  CHECK(
      with_lstm(with_lstm(linears({{"a", {3, 3}}}), "l1", 2, 3), "l2", 3, 3).error() ==
      Contains{"{\"l1\", \"a\", \"l2\"}})  // takes 2 features\n  load_pytorch(bytes, {.modules = "
               "{\"l1\", \"l2\", \"a\"}})"});
  const File text = same.with("emb.weight", {9, 4});
  CHECK(text.error() == Contains{"{\"emb\", \"in\", \"lstm\", \"out\"}})\n  load_pytorch(bytes, "
                                 "{.modules = {\"emb\", \"lstm\", \"in\", ?, \"out\"}})"});
  CHECK(text.error({.inputs = 9}) == Contains{"do not join"});
  // All recurrent modules and then the only nn.Linear, if no other order takes as many features.
  CHECK(lstm.layers() == "LSTM, 3 units; Dense, 1 units; ");
  const File circle = lstm.with("fc.weight", {2, 3}).with("fc.bias", {2});
  CHECK(circle.layers() == "LSTM, 3 units; Dense, 2 units; ");
  CHECK(circle.layers({.inputs = 3}) == "Dense, 2 units; LSTM, 3 units; ");
  CHECK(with_lstm(circle, "lstm2", 3, 3).layers() ==
        "LSTM, 3 units; LSTM, 3 units; Dense, 2 units; ");
  CHECK(with_lstm(circle, "other", 3, 3).layers() ==
        "LSTM, 3 units; LSTM, 3 units; Dense, 2 units; ");
  CHECK(with_lstm(with_lstm(circle, "a", 3, 3), "b", 3, 3).error() ==
        Contains{"{\"lstm\", \"b\", \"a\", \"fc\"}"});
  CHECK(with_lstm(linears({{"fc", {3, 3}}}), "lstm", 3, 3).error() ==
        Contains{"{\"fc\", \"lstm\"}})  // takes 3 features\n"});
  CHECK(lstm.with("fc.weight", {2, 7}).with("fc.bias", {2}).layers() ==
        "Dense, 2 units; LSTM, 3 units; ");

  // By the numbers in names, not by their letters.
  const std::string known = "(nothing was thrown)";
  const auto numbers = [&](const std::vector<std::string>& names) {
    File file;
    for (const auto& name : names) file = with_lstm(file, name, 2, 2);
    const std::string refusal = file.error();
    return refusal == known ? refusal : refusal.substr(refusal.find("{.modules"), 60);
  };
  CHECK(numbers({"net.1", "net.0"}) == known);
  CHECK(numbers({"n.8", "n.9", "n.10", "n.11", "n.7", "n.6", "n.5", "n.4", "n.3", "n.2", "n.1",
                 "n.000"}) == known);
  CHECK(numbers({"net.1.b", "net.0.c", "net.2"}) == known);
  CHECK(numbers({"lstm", "lstm2", "lstm10"}) == known);
  CHECK(numbers({"a1.rnn", "a2.rnn"}) == known);
  CHECK(numbers({"fc0", "fc"}) == known);
  CHECK(numbers({"a1.rnn", "a2.gru"}) == Contains{"{\"a1.rnn\", \"a2.gru\"}"});
  CHECK(numbers({"encoder", "decoder"}) == Contains{"{\"decoder\", \"encoder\"}"});
  CHECK(numbers({"a1b", "ab2"}) == Contains{"{\"a1b\", \"ab2\"}"});
  CHECK(linears({{"fc1", {4, 4}}, {"fc2", {4, 5}}, {"fc3", {4, 4}}}).error() ==
        Contains{"its modules do not join one after the other by their sizes: fc1 (nn.Linear of 4 "
                 "to 4), fc2"});

  CHECK(
      lstm.error({.modules = {"lstm"}}) ==
      "memory: \"fc\": is not named in .modules; where the output does not need it, leave it out: "
      ".without = {\"fc\"}");
  CHECK(lstm.error({.modules = {"lstm", "fc", "fc"}}) ==
        Contains{"memory: \"fc\": there is no such module, or it is named twice in .modules"});
  CHECK(lstm.error({.modules = {"fc", "lstm"}}) == Contains{"expects 2 features"});
  // As many orders as there are, tried for a bounded time.
  File equal;
  for (char a = 'a'; a <= 'z'; ++a) equal.tensors[std::string(1, a) + ".weight"] = {2, 2};
  equal.tensors["0.weight"] = {2, 3};
  equal.tensors["x1.weight"] = {4, 4};
  CHECK(equal.error() == Contains{"too many orders to try"});
  CHECK(lstm.with(std::string(140, '.') + "weight", {1, 1}).error() ==
        Contains{"is nested in more than 64 modules"});
}

TEST_CASE("PyTorch: what runs between the modules", "[io][pytorch]") {
  const File head = with_lstm(linears({{"head.0", {3, 4}}, {"head.2", {4, 1}}}), "lstm", 2, 3);
  const std::string say =
      "; say by .modules what runs there, in place of ? write Activation::relu or another one, "
      "Dropout{0.5}, LastStep{}, MeanOverSteps{}, or Activation::linear where nothing runs:\n  ";
  const std::string between =
      "memory: nn.Linear after nn.Linear, \"head.0\" and \"head.2\", would be of no use without a "
      "function between them" +
      say + "load_pytorch(bytes, {.modules = {\"lstm\", \"head.0\", ?, \"head.2\"}})";
  CHECK(head.error() == between);
  CHECK(head.error({.modules = {"lstm", "head.0", "head.2"}}) == between);
  CHECK(head.layers({.modules = {"lstm", "head.0", Activation::linear, "head.2"}}) ==
        "LSTM, 3 units; Dense, 4 units; Dense, 1 units; ");
  CHECK(linears({{"fc1", {3, 4}}, {"fc2", {4, 1}}}).error() ==
        Contains{"{.modules = {\"fc1\", ?, \"fc2\"}})"});
  CHECK(linears({{"0", {3, 4}}, {"1", {4, 1}}}).error() == Contains{"{\"0\", ?, \"1\"}"});

  // Numbers that are left out, before the first too, and of modules that hold others.
  const File first = with_lstm(linears({{"head.1", {3, 1}}}), "lstm", 2, 3);
  CHECK(first.error() ==
        "memory: \"head.0\" has no tensors, so something without weights, such as nn.ReLU or "
        "nn.Dropout, runs before \"head.1\"" +
            say + "load_pytorch(bytes, {.modules = {\"lstm\", ?, \"head.1\"}})");
  CHECK(first.layers({.modules = {"lstm", Dropout{0.5}, "head.1"}}) ==
        "LSTM, 3 units; Dropout; Dense, 1 units; ");
  CHECK(first.layers({.modules = {{"lstm", Activation::linear}, "head.1"}}) ==
        "LSTM, 3 units; Dense, 1 units; ");
  CHECK(with_lstm(File(), "net.1.rnn", 2, 3).error() ==
        Contains{"{.modules = {?, \"net.1.rnn\"}}"});
  CHECK(with_lstm(File(), "net.1.rnn", 2, 3)
            .layers({.modules = {Activation::tanh, "net.1.rnn", Activation::relu, LastStep{}}}) ==
        "Activation, tanh; LSTM, 3 units; Activation, relu; LastStep; ");
  const File two = with_lstm(with_lstm(File(), "net.0.rnn", 2, 3), "net.2.rnn", 3, 4);
  CHECK(two.error() == Contains{"\"net.1\" has no tensors"});
  CHECK(two.layers({.modules = {"net.0.rnn", Activation::relu, "net.2.rnn"}}) ==
        "LSTM, 3 units; Activation, relu; LSTM, 4 units; ");
  CHECK(with_lstm(with_lstm(File(), "net1", 2, 3), "net3", 3, 4).layers() ==
        "LSTM, 3 units; LSTM, 4 units; ");
  CHECK(with_lstm(File(), "net.99999999999999999999", 2, 3).error() == Contains{"\"net.0\" has"});

  // Each misuse by its entry.
  CHECK(
      lstm.error({.modules = {"lstm", LastStep{}, LastStep{}, "fc"}}) ==
      "memory: .modules: LastStep{}: there are no steps left after \"lstm\", of which the last is "
      "taken");
  CHECK(lstm.error({.modules = {MeanOverSteps{}, "lstm", "fc"}}) ==
        "memory: .modules: \"lstm\": takes sequences, but there are no steps left after "
        "MeanOverSteps{}");
  CHECK(lstm.error({.modules = {"lstm", LastStep{}, "fc"}, .output = PyTorchOutput::last_step}) ==
        "memory: .modules: LastStep{}: takes the last step, and so does .output; say it once");
  CHECK(lstm.error(
            {.modules = {"lstm", MeanOverSteps{}, "fc"}, .output = PyTorchOutput::last_state}) ==
        Contains{".modules: MeanOverSteps{}: there are no steps left after \"lstm\""});
  CHECK(lstm.error({.modules = {PyTorchResidual{"lstm"}, "fc"}}) ==
        "memory: .modules: PyTorchResidual{\"lstm\"}: adds the input to the output, which must be "
        "as many; it is lstm (nn.LSTM of 2 to 3)");
  CHECK(lstm.error({.modules = {PyTorchResidual{"ltsm"}, "fc"}}) ==
        Contains{"\"ltsm\": there is no such module"});
  const File square = with_lstm(File(), "lstm", 2, 2);
  CHECK(square.error({.modules = {PyTorchResidual{"lstm", Activation::relu}}}) ==
        Contains{"an activation between nn.LSTM and the sum is not read"});
  CHECK(square.error({.modules = {PyTorchResidual{"lstm"}}, .output = PyTorchOutput::last_state}) ==
        Contains{"not that of a sum"});
  CHECK(square.layers({.modules = {PyTorchResidual{"lstm"}}, .output = PyTorchOutput::last_step}) ==
        "Residual LSTM, 2 units; LastStep; ");
  CHECK(with_lstm(square, "lstm", 2, 2)
            .with("lstm.weight_ih_l1", {8, 2})
            .with("lstm.weight_hh_l1", {8, 2})
            .layers({.modules = {PyTorchResidual{"lstm"}}, .output = PyTorchOutput::last_step}) ==
        "Residual Chain, 2 layers; LastStep; ");
  const File ids = linears({{"table_emb", {2, 5}}});
  CHECK(ids.error({.modules = {Activation::relu, "table_emb"}}) ==
        "memory: .modules: Activation::relu: cannot run before table_emb (nn.Embedding of 5 to 2), "
        "which takes ids; if it is an nn.Linear, its entry is PyTorchLinear{\"table_emb\"}");
  CHECK(ids.layers({.modules = {Activation::relu, PyTorchLinear{"table_emb"}}}) ==
        "Activation, relu; Dense, 5 units; ");
  CHECK(linears({{"fc", {3, 4}}}).layers({.modules = {"fc", MeanOverSteps{}}}) ==
        "Dense, 4 units; MeanOverSteps; ");
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
  CHECK(lstm.with("conv.weight", {3, 3, 5, 5}).error() ==
        Contains{"conv.weight: expected (outputs, inputs) of an nn.Linear"});
  CHECK(lstm.with("query", {3}).error() ==
        "memory: \"query\": is no tensor of nn.LSTM, nn.GRU, nn.RNN, nn.Linear, nn.Embedding, "
        "nn.LayerNorm, nn.BatchNorm1d, nn.Conv1d or nn.PReLU; where the output does not need it, "
        "leave it out by its name, .without = {\"query\"}");
  CHECK(lstm.with("cell.weight_ih", {12, 2}).error() == Contains{"cell.weight_hh_l0: is missing"});
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
  CHECK(json_error("PK\x03\x04") == Contains{"the archive is cut off or damaged"});
  CHECK(json_error("\x80\x02}") == Contains{"torch.save(torch.load(path), path)"});
  CHECK(json_error("") ==
        "memory: expected a state_dict of torch.save, in safetensors or in JSON, found \"\"");
  CHECK(json_error("[1, 2]") == Contains{"found \"[1, 2]\""});
  CHECK(json_error(" {\"a.weight\": [[1.5, 2], [3]]}") ==
        "memory: \"a.weight\": expected a list of 2, as the first is, found a list of 1");
  CHECK(json_error("{\"a.weight\": [[1, [2]]]}") ==
        "memory: \"a.weight\": expected a number, found a list of 1");
  CHECK(json_error("{\"a.weight\": [[1, \"2\"]]}") == Contains{"expected a number, found \"2\""});
  CHECK(json_error("{\"a.weight\": [[]]}") == Contains{"found (1, 0)"});
  CHECK(json_error("{\"a.weight\": 1}") ==
        Contains{"a.weight: expected (outputs, inputs) of an nn.Linear"});
  CHECK(json_error("{\"epoch\": 3, \"a.weight\": [[1]]}") ==
        Contains{"\"epoch\": is no tensor of nn.LSTM"});
  CHECK(json_error("{\"note\": \"x\", \"a.weight\": [[1]]}") ==
        Contains{"\"note\": expected a tensor as nested lists of numbers, since a state_dict has "
                 "nothing else; in Python json.dump("});
  CHECK(json_error("{\"a.weight\": [[1e999]]}") == Contains{"this is not JSON"});
  CHECK(json_error("{\"a.weight\": [[1e300]]}") == Contains{"numbers that float32 can hold"});
  CHECK(json_error("{\"a.weight\": [[1]], \"a.weight\": [[1]]}") == Contains{"twice"});
  CHECK(json_error("{\"a.weight\": [[1]]") == Contains{"this is not JSON"});
  const std::string deep = "{\"a.weight\": " + std::string(100000, '[');
  CHECK(json_error(deep) == Contains{"nested deeper than 64 levels"});
  CHECK(error_text<FileError>([] { (void)load_pytorch(golden("none")); }) ==
        Contains{"cannot be opened"});
}
