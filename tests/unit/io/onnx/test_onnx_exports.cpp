// Files as users of PyTorch export them give the outputs of ONNX Runtime: weights beside the model,
// states as inputs, constants, formulas of activations, sums around layers.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/io/onnx.hpp>
#include <strata/io/onnx/read/parse_model.hpp>
#include <strata/io/onnx/write/serialize_model.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path export_folder = STRATA_GOLDEN_DIR "/onnx";

std::string export_path(const std::string& name) {
  return (export_folder / (name + ".onnx")).string();
}

/// The kinds of a model's layers, and of those that they hold, such as "LSTM Residual(LSTM)".
std::string layers_text(const Sequential<>& model) {
  std::string text;
  for (const auto& layer : model.layers()) {
    const LayerDescription description = layer.description();
    text += (text.empty() ? "" : " ") + layer.kind();
    if (!description.layers.empty()) text += "(" + description.layers[0].kind + ")";
    if (const auto* activation = description.find<std::string>("activation")) {
      if (layer.kind() == "Activation" || layer.kind() == "Dense") text += ":" + *activation;
    }
  }
  return text;
}

std::string export_error(const io::Source& from, const OnnxOptions& options = {}) {
  return error_text<std::exception>([&] { (void)load_onnx(from, options); });
}

/// A file of the golden files that f changed.
std::vector<std::byte> changed_export(const std::string& name,
                                      const std::function<void(io::OnnxModel&)>& f) {
  io::OnnxModel model = io::read_onnx_model(io::Source(export_path(name)));
  f(model);
  return io::write_onnx_model(model);
}

/// The state of a model, from the states of an export: numbers of (layers, batch, units), or one
/// state of (batch, units), in the order in which each of the model's layers has them.
State<float> state_from(const std::vector<std::vector<const test::GoldenRecord*>>& layers,
                        Index batch, const std::vector<std::size_t>& places) {
  State<float> state{batch, {}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<float> numbers;
    for (Index b = 0; b < batch; ++b) {
      for (const test::GoldenRecord* const record : layers[i]) {
        const auto units = static_cast<std::size_t>(record->shape[record->shape.rank() - 1]);
        const auto first =
            record->values.begin() +
            static_cast<std::ptrdiff_t>(
                (places[i] * static_cast<std::size_t>(batch) + static_cast<std::size_t>(b)) *
                units);
        numbers.insert(numbers.end(), first, first + static_cast<std::ptrdiff_t>(units));
      }
    }
    state.layers.push_back(std::move(numbers));
  }
  return state;
}

void check_states(const State<float>& found, const State<float>& wanted) {
  REQUIRE(found.layers.size() >= wanted.layers.size());
  for (std::size_t i = 0; i < wanted.layers.size(); ++i) {
    REQUIRE(found.layers[i].size() == wanted.layers[i].size());
    for (std::size_t k = 0; k < wanted.layers[i].size(); ++k) {
      CHECK(found.layers[i][k] == Approx(wanted.layers[i][k]).margin(1e-5));
    }
  }
}

}  // namespace

TEST_CASE("exports of PyTorch compute what they should", "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  std::size_t count = 0;
  for (const std::string& name : golden.cases("y")) {
    if (name.find("stream") != std::string::npos || name.ends_with("_turned_late")) continue;
    INFO(name);
    ++count;
    const std::string error = export_error(export_path(name));
    CHECK(error == "(nothing was thrown)");
    if (error != "(nothing was thrown)") continue;
    const auto model = load_onnx(export_path(name));
    INFO(layers_text(model));
    CHECK(test::largest_difference(model, golden[name + ".x"], golden[name + ".y"]) < 2e-5);
  }
  CHECK(count > 110);
}

TEST_CASE("exports of PyTorch become the layers that they were", "[onnx]") {
  const std::map<std::string, std::string> cases = {
      {"script_standardized", "Normalization LSTM"},
      {"script_standardized_by_number", "Normalization LSTM"},
      {"script_standardized_by_factor", "Normalization LSTM"},
      {"script_shifted", "Rescaling LSTM"},
      {"script_minmax", "Rescaling LSTM"},
      {"script_denormalized", "LSTM Rescaling"},
      {"script_both_ways", "Normalization LSTM Dense:linear Rescaling"},
      {"script_leaky_relu", "Dense:leaky_relu Dense:linear"},
      {"script_leaky_relu_default", "Dense:linear ReLU Dense:linear"},
      {"script_prelu", "Dense:linear PReLU Dense:linear"},
      {"script_elu", "Dense:linear ELU Dense:linear"},
      {"script_gelu", "Dense:gelu Dense:linear"},
      {"script_gelu_tanh", "Dense:gelu_tanh Dense:linear"},
      {"script_silu", "Dense:silu Dense:linear"},
      {"script_selu", "Dense:selu Dense:linear"},
      {"script_mish", "Dense:mish Dense:linear"},
      {"script_relu6", "Dense:relu6 Dense:linear"},
      {"script_softsign", "Dense:softsign Dense:linear"},
      {"script_gelu_tanh_by_hand", "Activation:gelu_tanh LSTM"},
      {"script_clamped", "ReLU LSTM"},
      {"script_max", "LSTM MaxOverSteps Dense:linear"},
      {"script_residual", "LSTM Residual(LSTM) Dense:linear"},
      {"script_residual_dense", "LSTM Residual(Dense) Dense:linear"},
      {"script_residual_chain", "LSTM Residual(Chain) Dense:linear"},
      {"script_repeated", "LSTM RepeatVector LSTM Dense:linear"},
      {"script_reshape_turned", "LSTM Dense:linear Reshape"},
      {"script_reshape_turned_dense", "LSTM Dense:tanh Reshape Dense:linear"},
      {"script_reshape_turned_conv", "LSTM Dense:linear Reshape Conv1D"},
      {"script_reshaped_column", "LSTM Dense:linear Reshape"},
      {"script_univariate", "LSTM"},
      {"script_univariate_fixed", "Reshape LSTM"},
      {"script_halves_added", "Bidirectional(LSTM) Dense:linear"},
      {"script_conv_first_any", "Conv1D LSTM"},
      {"dynamo_softplus", "LSTM Dense:softplus"},
      {"dynamo_mish_dense", "LSTM Dense:mish Dense:linear"},
      {"script_layer_norm_14", "LSTM LayerNormalization Dense:linear"},
      {"script_layer_norm_residual_14", "LSTM Residual(LSTM) LayerNormalization"},
      {"script_layer_norm_by_hand", "LSTM LayerNormalization"},
      {"script_repeated_as_input", "LSTM RepeatVector LSTM"},
      {"script_conv_causal", "Conv1D LSTM"},
      {"script_conv_chomped", "Conv1D LSTM"}};
  for (const auto& [name, layers] : cases) {
    INFO(name);
    CHECK(layers_text(load_onnx(export_path(name))) == layers);
  }
}

TEST_CASE("exports of PyTorch are saved and loaded again with the same numbers and axes",
          "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  for (const char* name : {"script_reshape_turned", "script_reshaped_column",
                           "script_reshaped_twice", "script_univariate", "script_univariate_fixed",
                           "script_halves_averaged", "script_layer_norm_14", "dynamo_softplus",
                           "hand_hard_sigmoid", "hand_hard_sigmoid_fifth"}) {
    INFO(name);
    const auto model = load_onnx(export_path(name));
    const std::string record = name;
    CHECK(test::largest_difference(load_onnx(save_onnx_to_memory(model)), golden[record + ".x"],
                                   golden[record + ".y"]) < 2e-5);
  }
  // The default of ONNX' HardSigmoid is the function of Keras 2.
  const auto model = load_onnx(export_path("hand_hard_sigmoid"));
  CHECK(*model.layers()[0].description().find<std::string>("recurrent_activation") ==
        "hard_sigmoid_fifth");
}

TEST_CASE("an order of axes that strata cannot give is refused", "[onnx]") {
  for (const char* name : {"script_reshape_turned_late", "dynamo_reshape_turned_late"}) {
    INFO(name);
    CHECK(export_error(export_path(name)) ==
          Contains{"has the two axes that a Reshape or a repetition made in another order, (batch, "
                   "features, steps); strata has no layer that turns axes"});
  }
  // A softmax goes over all units of a Dense, in whatever order, but not over some of them.
  const auto turned = changed_export("script_reshape_turned", [](io::OnnxModel& model) {
    const auto end = std::find_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                                  [](const auto& node) { return node.op == "Gemm"; });
    REQUIRE(end != model.graph.nodes.end());
    const std::string made = end->outputs[0];
    end->outputs[0] = "logits";
    model.graph.nodes.insert(end + 1, {"", "Softmax", "", {"logits"}, {made}, {}});
  });
  CHECK(export_error(turned) == Contains{"strata has no layer that turns axes"});
}

TEST_CASE("a sum of halves that are no directions is refused", "[onnx]") {
  CHECK(export_error(changed_export("script_halves_added", [](io::OnnxModel& model) {
          for (io::OnnxNode& node : model.graph.nodes) {
            if (node.op == "Add" && node.inputs[0].find("Slice") != std::string::npos) {
              node.inputs[1] = node.inputs[0];
            }
          }
        })) == Contains{"(Add): joins two tensors"});
}

TEST_CASE("layer normalizations of several nodes are known by all of them", "[onnx]") {
  const auto changed = [](const char* op, const std::function<void(io::OnnxNode&)>& f) {
    return export_error(changed_export("script_layer_norm_14", [&](io::OnnxModel& model) {
      for (io::OnnxNode& node : model.graph.nodes) {
        if (node.op == op) f(node);
      }
    }));
  };
  // Another axis, another power, and a value that others take too.
  CHECK(changed("ReduceMean", [](io::OnnxNode& node) {
          node.attributes = {{"axes", std::vector<Index>{1}}};
        }) == Contains{"attribute axis: expected the features, found 1"});
  CHECK(changed("Sqrt", [](io::OnnxNode& node) { node.op = "Exp"; }) == Contains{"(Pow): strata"});
  CHECK(changed("Sub", [](io::OnnxNode& node) { std::swap(node.inputs[0], node.inputs[1]); }) ==
        Contains{"(Pow): strata"});
}

TEST_CASE("ids that count from the end are those of an Embedding alone", "[onnx]") {
  const auto model = load_onnx(export_path("hand_wrapped_ids"));
  CHECK(layers_text(model) == "Embedding LSTM");
  const std::vector<float> below{-1, 2};
  CHECK_THROWS_AS(model.predict(Tensor<float>(Shape{1, 2}, below)), ValueError);
  const auto of_numbers = changed_export(
      "hand_wrapped_ids", [](io::OnnxModel& file) { file.graph.inputs[0].type = 1; });
  CHECK(export_error(of_numbers) == Contains{"(Add): adds a number to those below 0"});
}

TEST_CASE("loops, and states in one input, are refused as such", "[onnx]") {
  const auto with_loop = changed_export("script_standardized", [](io::OnnxModel& model) {
    for (io::OnnxNode& node : model.graph.nodes) {
      if (node.op == "LSTM") node.op = "Loop";
      if (node.op == "Sub") node.op = "Less";
    }
  });
  CHECK(
      export_error(with_loop) ==
      Contains{"(Loop): strata reads no loops; where it is a layer of Keras, read the .keras file "
               "with load_keras"});
  const auto packed = changed_export("script_stream", [](io::OnnxModel& model) {
    for (io::OnnxNode& node : model.graph.nodes) {
      if (node.op == "LSTM") node.inputs[6] = node.inputs[5];
    }
  });
  CHECK(export_error(packed) ==
        Contains{"takes h and c from one input, \"h0\"; strata reads them from two"});
}

TEST_CASE("weights in files beside an ONNX model are read", "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  const test::TemporaryFolder folder;
  const std::string model_name = export_path("external");
  const io::Source model(model_name);
  const io::Source data(model_name + ".data");

  // From memory, and from another folder; a file that is given need not lie there.
  const std::string hint = "external_data = {{\"external.onnx.data\", bytes}}";
  CHECK(export_error(model.bytes()) == Contains{hint});
  const OnnxOptions given{.external_data = {{"external.onnx.data", data.bytes()}}};
  const auto loaded = load_onnx(model.bytes(), given);
  CHECK(test::largest_difference(loaded, golden["external.x"], golden["external.y"]) < 1e-5);
  const std::filesystem::path moved = folder / "moved.onnx";
  std::filesystem::copy_file(model_name, moved);
  CHECK(export_error(moved) == Contains{"external.onnx.data"});
  CHECK(export_error(moved) == Contains{"which must lie beside the model"});
  CHECK(export_error(moved, given) == "(nothing was thrown)");
  std::filesystem::copy_file(model_name + ".data", folder / "external.onnx.data");
  CHECK(export_error(moved) == "(nothing was thrown)");

  // Files that the model does not know, and files that are too short.
  const OnnxOptions other{
      .external_data = {{"external.onnx.data", data.bytes()}, {"others.data", data.bytes()}}};
  CHECK(export_error(model.bytes(), other) == Contains{"\"others.data\", and no tensor"});
  const OnnxOptions cut{
      .external_data = {{"external.onnx.data", data.bytes().first(data.bytes().size() - 1)}}};
  CHECK(export_error(model.bytes(), cut) == Contains{"expected "});
  CHECK(export_error(model.bytes(), cut) == Contains{"in the file \"external.onnx.data\", found"});
}

TEST_CASE("an ONNX model names plain files alone, and places within them", "[onnx]") {
  const std::vector<float> numbers(1000);
  const auto error = [&](const std::vector<std::pair<const char*, std::string>>& entries,
                         int tensors = 1, bool raw = false) {
    io::ProtoWriter graph;
    for (int i = 0; i < tensors; ++i) {
      io::ProtoWriter tensor;
      tensor.integers(1, {1000});
      tensor.integer(2, 1);
      tensor.text(8, "w" + std::to_string(i));
      if (raw) tensor.text(9, "abcd");
      for (const auto& [key, value] : entries) {
        io::ProtoWriter entry;
        entry.text(1, key);
        entry.text(2, value);
        tensor.message(13, entry);
      }
      tensor.integer(14, 1);
      graph.message(5, tensor);
    }
    io::ProtoWriter opset;
    opset.integer(2, 17);
    io::ProtoWriter model;
    model.integer(1, 8);
    model.message(8, opset);
    model.message(7, graph);
    return export_error(model.take(),
                        {.external_data = {{"w.data", std::as_bytes(std::span(numbers))}}});
  };
  for (const char* name :
       {"/etc/passwd", "../w.data", "a/w.data", "..", ".", "a\\w.data", "C:w.data", "w.data\n"}) {
    INFO(name);
    CHECK(error({{"location", name}}) == Contains{"which is no plain name of a file"});
  }
  CHECK(error({}) == Contains{"external_data: location: is missing"});
  CHECK(
      error({{"location", "w.data"}, {"offset", "1"}}) ==
      Contains{"expected 4000 bytes from byte 1 on in the file \"w.data\", found a file of 4000"});
  CHECK(error({{"location", "w.data"}, {"offset", "18446744073709551615"}}) ==
        Contains{"found a file of 4000 bytes"});
  CHECK(error({{"location", "w.data"}, {"offset", "-1"}}) == Contains{"expected a whole number"});
  CHECK(error({{"location", "w.data"}, {"offset", "4x"}}) == Contains{"expected a whole number"});
  CHECK(error({{"location", "w.data"}, {"length", "3999"}}) ==
        Contains{"length: expected 4000 bytes for the sizes (1000,) of float32, found 3999"});
  CHECK(error({{"location", "w.data"}, {"length", "4000"}}, 1, true) ==
        Contains{"written in more than one way"});
  CHECK(error({{"location", "w.data"}, {"where", "x"}}) == Contains{"\"where\": is not known"});
  CHECK(error({{"location", "w.data"}}, 17) == Contains{"many times as large as the file"});
}

TEST_CASE("a model exported with its states streams", "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  std::size_t count = 0;
  for (const std::string& name : golden.cases("y")) {
    if (name.find("stream") == std::string::npos) continue;
    INFO(name);
    ++count;
    const auto record = [&](const char* ending) { return &golden[name + "." + ending]; };
    const auto model = load_onnx(export_path(name));
    INFO(layers_text(model));
    const auto x = record("x")->tensor<float>();
    const auto y = record("y")->tensor<float>();
    const Index batch = x.batch();
    std::vector<std::size_t> places{0, 1};
    std::vector<std::vector<const test::GoldenRecord*>> first;
    std::vector<std::vector<const test::GoldenRecord*>> last;
    if (name.find("apart") != std::string::npos) {
      places = {0, 0};
      first = {{record("h1"), record("c1")}, {record("h2")}};
      last = {{record("h1n"), record("c1n")}, {record("h2n")}};
    } else if (name.find("gru") != std::string::npos) {
      first = {{record("h0")}, {record("h0")}};
      last = {{record("hn")}, {record("hn")}};
    } else {
      first = {{record("h0"), record("c0")}, {record("h0"), record("c0")}};
      last = {{record("hn"), record("cn")}, {record("hn"), record("cn")}};
    }
    const State<float> from = state_from(first, batch, places);
    const State<float> wanted = state_from(last, batch, places);
    State<float> state = from;
    for (std::size_t i = state.layers.size(); i < model.layers().size(); ++i) {
      state.layers.emplace_back();
    }
    const State<float> begin = state;

    // All steps at once, where the model returns them.
    const Tensor<float> all = model.predict(x, {.state = &state});
    check_states(state, wanted);
    if (all.rank() == 3) {
      for (Index i = 0; i < y.size(); ++i) CHECK(all.data()[i] == Approx(y.data()[i]).margin(1e-5));
    }
    if (batch > 1) continue;
    // Step by step.
    Stream stream{model};
    stream.set_state(begin);
    for (Index step = 0; step < x.steps(); ++step) {
      std::vector<float> out(static_cast<std::size_t>(y.features()));
      stream.process(
          std::span(x.data() + step * x.features(), static_cast<std::size_t>(x.features())),
          std::span(out));
      for (std::size_t k = 0; k < out.size(); ++k) {
        CHECK(out[k] == Approx(y.data()[step * y.features() + static_cast<Index>(k)]).margin(1e-5));
      }
    }
    check_states(stream.state(), wanted);
  }
  CHECK(count >= 7);
}

TEST_CASE("states of an ONNX graph belong to one layer each", "[onnx]") {
  const auto name = "script_stream";
  const auto lstm = [](io::OnnxModel& model, int number) -> io::OnnxNode& {
    for (io::OnnxNode& node : model.graph.nodes) {
      if (node.op == "LSTM" && number-- == 0) return node;
    }
    throw std::runtime_error("no such node");
  };
  CHECK(export_error(changed_export(name, [&](io::OnnxModel& model) {
          lstm(model, 1).inputs[5] = lstm(model, 0).inputs[5];
        })) == Contains{"takes states of the input \"h0\" that another operand takes too"});
  CHECK(export_error(
            changed_export(name, [&](io::OnnxModel& model) { lstm(model, 1).inputs[5] = "h0"; })) ==
        Contains{"expected states of the sizes (1, B, 4) of the input \"h0\", found (2, 1, 4)"});
  CHECK(export_error(changed_export(name, [&](io::OnnxModel& model) {
          lstm(model, 0).inputs[4] = "lengths";
          model.graph.inputs.push_back({"lengths", 6, {{{1, ""}}}});
        })) == Contains{"input \"lengths\": is the number of steps of each sequence"});
}

TEST_CASE("what the chosen output of an ONNX graph does not need does not matter", "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  const std::string branch = "case_chosen_output_heads";
  CHECK(test::largest_difference(load_onnx(export_path(branch), {.output = "y1"}),
                                 golden[branch + ".x"], golden[branch + ".y1"]) < 1e-5);
  for (const char* name : {"script_heads", "dynamo_heads"}) {
    INFO(name);
    const auto model = load_onnx(export_path(name), {.output = "y1"});
    const std::string record = name;
    CHECK(test::largest_difference(model, golden[record + ".x"], golden[record + ".y1"]) < 1e-5);
    CHECK(export_error(export_path(name), {.output = "y2"}) == Contains{"(CumSum): strata"});
    CHECK(export_error(export_path(name)) ==
          Contains{"the graph has not one output; say which by .output: \"y1\", \"y2\""});
    CHECK(export_error(export_path(name), {.output = "y3"}) ==
          Contains{"there is no output \"y3\""});
  }
}

TEST_CASE("a Normalization takes its numbers from an ONNX file", "[onnx]") {
  const auto golden = test::Golden::read("onnx_exports.txt");
  Sequential model{Normalization{}, LSTM{4, return_sequences}, Dense{3}};
  model.build(Input{Dynamic, 3});
  CHECK(export_error(export_path("script_standardized")) == "(nothing was thrown)");
  Sequential<> chosen;
  chosen.add(Input{Dynamic, 3});
  chosen.add(Normalization{});
  chosen.add(LSTM{4, return_sequences});
  load_onnx(export_path("script_standardized"), chosen);
  CHECK(test::largest_difference(chosen, golden["script_standardized.x"],
                                 golden["script_standardized.y"]) < 1e-5);
}

TEST_CASE("messages about ONNX graphs name what the user wrote", "[onnx]") {
  const auto changed_node = [](const char* op, const std::vector<std::size_t>& operands) {
    return export_error(changed_export("script_standardized", [&](io::OnnxModel& model) {
      io::OnnxNode& node = *std::find_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                                         [](const auto& one) { return one.op == "Sub"; });
      node.op = op;
      node.name = "/normalize";
      const std::vector<std::string> before = node.inputs;
      node.inputs.clear();
      for (const std::size_t i : operands) node.inputs.push_back(before[i]);
      model.graph.nodes.push_back({"", "Identity", "", before, {"kept"}, {}});
    }));
  };
  CHECK(changed_node("Div", {1, 0}) ==
        Contains{"\"/normalize\" (Div): divides constants by a tensor"});
  CHECK(changed_node("Sub", {0, 0}) ==
        Contains{"\"/normalize\" (Sub): takes the difference of two tensors"});
  CHECK(changed_node("HardSwish", {0}) == Contains{"\"/normalize\" (HardSwish): strata"});
}
