// Models of ONNX give the outputs of ONNX Runtime.

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <strata/io/onnx.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path models = STRATA_GOLDEN_DIR "/onnx";

std::string path_of(const std::string& name) { return (models / (name + ".onnx")).string(); }

/// The largest difference between what a model computes and a record.
template <class Model>
double difference(const Model& model, const test::Golden& golden, const std::string& name,
                  const std::string& output = "y") {
  return test::largest_difference(model, golden[name + ".x"], golden[name + "." + output]);
}

std::vector<std::string> kinds_of(const Sequential<>& model) {
  std::vector<std::string> kinds;
  for (const auto& layer : model.layers()) kinds.push_back(layer.kind());
  return kinds;
}

std::string load_error(const std::string& name, const OnnxOptions& options = {}) {
  return error_text<FormatError>([&] { (void)load_onnx(path_of(name), options); });
}

}  // namespace

TEST_CASE("every model that exporters and tools of ONNX wrote computes what it should", "[onnx]") {
  for (const char* part : {"torch", "keras", "onnx"}) {
    const auto golden = test::Golden::read("onnx_files_" + std::string(part) + ".txt");
    const auto names = golden.cases("y");
    CHECK(names.size() >= 9);
    for (const std::string& name : names) {
      INFO(name);
      CHECK(difference(load_onnx(path_of(name)), golden, name) < 1e-5);
    }
  }
}

TEST_CASE("ONNX' own tests of LSTM, GRU and RNN pass or are refused by name", "[onnx]") {
  const auto golden = test::Golden::read("onnx_files_onnx.txt");
  constexpr const char* directions = "takes the two directions of a recurrent layer in another way";
  constexpr const char* reversed = "has the steps from the last to the first";
  constexpr const char* memory = "does not come from the graph's input by layers that strata has";
  // An empty text where it passes.
  const std::map<std::string, std::string> cases = {{"gru_batchwise.Y", ""},
                                                    {"gru_batchwise.Y_h", ""},
                                                    {"gru_bidirectional.Y", directions},
                                                    {"gru_bidirectional.Y_h", directions},
                                                    {"gru_defaults.Y_h", ""},
                                                    {"gru_reverse.Y", reversed},
                                                    {"gru_reverse.Y_h", ""},
                                                    {"gru_seq_length.Y_h", ""},
                                                    {"gru_with_initial_bias.Y_h", ""},
                                                    {"lstm_batchwise.Y", ""},
                                                    {"lstm_batchwise.Y_h", ""},
                                                    {"lstm_bidirectional.Y_c", memory},
                                                    {"lstm_bidirectional.Y_h", directions},
                                                    {"lstm_defaults.Y_h", ""},
                                                    {"lstm_reverse.Y_c", memory},
                                                    {"lstm_reverse.Y_h", ""},
                                                    {"lstm_with_initial_bias.Y_h", ""},
                                                    {"lstm_with_peepholes.Y_h", ""},
                                                    {"rnn_seq_length.Y_h", ""},
                                                    {"simple_rnn_batchwise.Y", ""},
                                                    {"simple_rnn_batchwise.Y_h", ""},
                                                    {"simple_rnn_bidirectional.Y_h", directions},
                                                    {"simple_rnn_defaults.Y_h", ""},
                                                    {"simple_rnn_reverse.Y_h", ""},
                                                    {"simple_rnn_with_initial_bias.Y_h", ""}};
  std::set<std::string> seen;
  for (const std::string& ending : golden.endings("backend_")) {
    const std::size_t dot = ending.rfind('.');
    const std::string name = "backend_" + ending.substr(0, dot);
    const std::string output = ending.substr(dot + 1);
    if (output == "x") continue;
    INFO(ending);
    REQUIRE(cases.contains(ending));
    seen.insert(ending);
    const std::string& refused = cases.at(ending);
    if (refused.empty()) {
      CHECK(difference(load_onnx(path_of(name), {.output = output}), golden, name, output) < 1e-5);
    } else {
      CHECK(load_error(name, {.output = output}) == Contains{refused});
    }
  }
  CHECK(seen.size() == cases.size());
}

TEST_CASE("a model of ONNX is loaded in double, from memory, and as plain layers", "[onnx]") {
  const auto golden = test::Golden::read("onnx_files_torch.txt");
  const io::Source file(path_of("torch_script_stack_2"));
  CHECK(difference(load_onnx<double>(file.bytes()), golden, "torch_script_stack_2") < 1e-6);
  CHECK(kinds_of(load_onnx(path_of("torch_script_stack_4"))) ==
        std::vector<std::string>{"LSTM", "LSTM", "LSTM", "LSTM", "Dense"});
  CHECK(kinds_of(load_onnx(path_of("torch_dynamo_both_2"))) ==
        std::vector<std::string>{"Bidirectional", "Bidirectional", "LastStep", "Dense"});
  CHECK(kinds_of(load_onnx(path_of("keras_repeat"))) ==
        std::vector<std::string>{"LSTM", "RepeatVector", "LSTM", "Dense"});
  CHECK(kinds_of(load_onnx(path_of("node_coupled_peepholes"))) ==
        std::vector<std::string>{"CoupledLSTM"});
}

TEST_CASE("the weights of an ONNX file go into a model of its layers", "[onnx]") {
  const auto golden = test::Golden::read("onnx_files_torch.txt");
  const std::string name = "torch_script_stack_2";
  Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3>, Dense<float, 3, 2>> fixed{
      LSTM<float, 2, 3, return_sequences>{}, LSTM<float, 3, 3>{},
      Dense<float, 3, 2>{Activation::relu}};
  load_onnx(path_of(name), fixed);
  CHECK(difference(fixed, golden, name) < 1e-5);

  // The activation as a layer of its own, and an LSTM that has no more than one has.
  Sequential<> apart;
  apart.add(Input{Dynamic, 2});
  apart.add(LSTM{3, return_sequences});
  apart.add(ExtendedLSTM{3, {.peepholes = false}});
  apart.add(Dense{2});
  apart.add(Activate{Activation::relu});
  load_onnx(path_of(name), apart);
  CHECK(difference(apart, golden, name) < 1e-5);

  Sequential<> other;
  other.add(Input{Dynamic, 2});
  other.add(LSTM{4, return_sequences});
  other.add(LSTM{3});
  other.add(Dense{2, Activation::relu});
  const auto before = other.weights();
  CHECK(error_text<FormatError>([&] { load_onnx(path_of(name), other); }) ==
        Contains{"layer 0 (LSTM): units: expected 4, found 3"});
  CHECK(other.weights() == before);
  CHECK_THROWS_AS(load_onnx(path_of(name), *std::make_unique<Sequential<>>()), StateError);
}
