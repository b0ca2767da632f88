// Files that are damaged, made to do harm, or need operators that strata does not have.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/onnx/read/file.hpp>
#include <strata/io/onnx/write/serialize_model.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"

using namespace strata;
using namespace strata::io;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path golden_files = STRATA_GOLDEN_DIR "/onnx";
// Sizes near the largest Index: of 2^63 or, on 32-bit machines, of 2^31.
constexpr Index huge = std::numeric_limits<Index>::max() / 8 + 1;

std::string read_error(const Source& from) {
  return error_text<FormatError>([&] { (void)read_onnx(from); });
}

OnnxModel model_of(const std::string& name) {
  return read_onnx_model(Source(golden_files / (name + ".onnx")));
}

/// The message of a model of the golden files that f changed.
std::string changed(const std::string& name, const std::function<void(OnnxModel&)>& f) {
  OnnxModel model = model_of(name);
  f(model);
  return read_error(write_onnx_model(model));
}

OnnxNode& node_of(OnnxModel& model, const std::string& op) {
  for (OnnxNode& node : model.graph.nodes) {
    if (node.op == op) return node;
  }
  throw std::runtime_error("no such node");
}

OnnxTensor& tensor_of(OnnxModel& model, const std::string& name) {
  for (OnnxTensor& tensor : model.graph.initializers) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no such initializer");
}

OnnxTensor integers(const std::string& name, const std::vector<Index>& values) {
  OnnxTensor tensor{name, Element::int64, {static_cast<Index>(values.size())}, {}};
  tensor.bytes.resize(8 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    write_scalar(std::int64_t{values[i]}, tensor.bytes.data() + 8 * i);
  }
  return tensor;
}

/// Puts a node before all others, between the input x and the nodes that took it.
void put_first(OnnxModel& model, OnnxNode node) {
  for (OnnxNode& one : model.graph.nodes) {
    for (std::string& input : one.inputs) {
      if (input == "x") input = node.outputs[0];
    }
  }
  model.graph.nodes.insert(model.graph.nodes.begin(), std::move(node));
}

/// A file whose graph has these fields alone.
std::vector<std::byte> file_of(const ProtoWriter& graph) {
  ProtoWriter opset;
  opset.integer(2, 17);
  ProtoWriter model;
  model.integer(1, 8);
  model.message(8, opset);
  model.message(7, graph);
  return model.take();
}

/// A file with one initializer.
std::vector<std::byte> with_tensor(const std::function<void(ProtoWriter&)>& f) {
  ProtoWriter tensor;
  f(tensor);
  ProtoWriter graph;
  graph.message(5, tensor);
  return file_of(graph);
}

}  // namespace

TEST_CASE("files of ONNX that are cut off are refused", "[onnx]") {
  const Source whole(golden_files / "torch_script_stack_2.onnx");
  for (std::size_t size = 0; size < whole.bytes().size(); size += 7) {
    INFO(size);
    CHECK_THROWS_AS(read_onnx(whole.bytes().first(size)), FormatError);
  }
  CHECK(read_error(std::vector<std::byte>()) == "memory: this is no ONNX file");
}

TEST_CASE("every byte of a file of ONNX may be wrong", "[onnx]") {
  const Source whole(golden_files / "node_peepholes.onnx");
  std::vector<std::byte> bytes(whole.bytes().begin(), whole.bytes().end());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
      const std::byte before = std::exchange(bytes[at], static_cast<std::byte>(value));
      try {
        (void)read_onnx(bytes);
      } catch (const FormatError&) {
      }
      bytes[at] = before;
    }
  }
}

TEST_CASE("lengths in files of ONNX are checked before they are believed", "[onnx]") {
  CHECK(read_error(std::vector<std::byte>(20, std::byte{0xff})) == Contains{"more than 64 bits"});
  const unsigned char long_field[] = {0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
  CHECK(read_error(long_field) == Contains{"expected 4398046511103 more bytes, found 0"});
  const unsigned char group[] = {0x0b};
  CHECK(read_error(group) == "memory: field 1 is of the unknown wire type 3");
  const auto sizes = [](std::vector<Index> shape, const char* bytes) {
    return read_error(with_tensor([&](ProtoWriter& tensor) {
      tensor.integers(1, shape);
      tensor.integer(2, 1);
      tensor.text(9, bytes);
    }));
  };
  CHECK(sizes({huge, huge}, "abcd") == Contains{"more than memory can hold"});
  CHECK(sizes({-1}, "abcd") == Contains{"expected sizes of at least 0"});
  CHECK(sizes({2}, "abcd") == Contains{"expected 8 bytes for the sizes (2,) of float32, found 4"});
}

TEST_CASE("tensors of ONNX are in the file, in a type that is read, in one way", "[onnx]") {
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) { tensor.integer(2, 8); })) ==
        Contains{"data_type: expected FLOAT (1)"});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) {
          tensor.integers(1, {1});
          tensor.integer(2, 1);
          tensor.numbers(4, {1});
          tensor.text(9, "abcd");
        })) == Contains{"written in more than one way"});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) { tensor.integer(99, 1); })) ==
        Contains{"field 99: is not known"});
}

TEST_CASE("quantized models of ONNX are named", "[onnx]") {
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) {
          tensor.text(8, "weight");
          tensor.integer(2, 3);
        })) ==
        Contains{"\"weight\": data_type: is INT8 (3): this is a quantized model, whose "
                 "weights are rounded to a few bits; strata reads the floating-point model"});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) { tensor.integer(2, 17); })) ==
        Contains{"is FLOAT8E4M3FN (17): this is a quantized model"});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) { tensor.integer(2, 8); })) ==
        Contains{"found STRING (8)"});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) { tensor.integer(2, 99); })) ==
        Contains{"found the unknown type 99"});
  for (const char* op :
       {"DynamicQuantizeLSTM", "QLinearMatMul", "MatMulInteger", "DequantizeLinear", "QGemm"}) {
    INFO(op);
    CHECK(changed("node_peepholes", [&](OnnxModel& model) {
            model.graph.nodes[1].op = op;
            model.graph.nodes[1].domain = "com.microsoft";
          }) == Contains{"(" + std::string(op) + "): this is a quantized model"});
  }
  CHECK(changed("node_peepholes",
                [](OnnxModel& model) {
                  OnnxTensor table = integers("table", {1, 2});
                  table.shape = {2, 1};
                  model.graph.initializers.push_back(std::move(table));
                }) ==
        Contains{"expected floating-point numbers, or whole numbers of rank 0 or 1, found "
                 "int64 of the sizes (2, 1)"});
}

TEST_CASE("numbers of ONNX may be as large as they can be written", "[onnx]") {
  constexpr Index largest = std::numeric_limits<Index>::max();
  constexpr Index smallest = std::numeric_limits<Index>::min();
  const auto gather = [](Index place) {
    return changed("node_peepholes", [&](OnnxModel& model) {
      OnnxTensor last = integers("place", {place});
      last.shape.clear();
      model.graph.initializers.push_back(std::move(last));
      put_first(model, {"", "Gather", "", {"x", "place"}, {"step"}, {{"axis", Index{1}}}});
    });
  };
  CHECK(gather(largest) == Contains{"(Gather): takes a part of axis 1"});
  CHECK(gather(smallest) == Contains{"(Gather): takes a part of axis 1"});
  // A part of zeros of any size.
  const auto slice = [](Index size, Index start, Index end, Index step) {
    return changed("node_peepholes", [&](OnnxModel& model) {
      const std::vector<std::pair<const char*, Index>> operands{
          {"sizes", size}, {"start", start}, {"end", end}, {"first", 0}, {"step", step}};
      for (const auto& [name, value] : operands) {
        model.graph.initializers.push_back(integers(name, {value}));
      }
      auto& all = model.graph.nodes;
      all.insert(all.begin(),
                 {{"", "ConstantOfShape", "", {"sizes"}, {"zeros"}, {}},
                  {"", "Slice", "", {"zeros", "start", "end", "first", "step"}, {"part"}, {}},
                  {"", "Shape", "", {"part"}, {"shape"}, {}},
                  {"", "ReduceProd", "", {"shape"}, {"count"}, {{"keepdims", Index{0}}}}});
      node_of(model, "LSTM").inputs[4] = "count";
    });
  };
  CHECK(slice(largest, 0, largest, 2) == Contains{"sequence_lens of fewer than all steps"});
  CHECK(slice(largest, largest, smallest, smallest) == Contains{"sequence_lens of fewer"});
  CHECK(slice(smallest, 0, 1, 1) ==
        Contains{"input 0 \"zeros\": expected sizes of at least 0, found " +
                 std::to_string(smallest)});
  CHECK(read_error(with_tensor([](ProtoWriter& tensor) {
          tensor.integers(1, {huge / 4, 0});
          tensor.integer(2, 1);
        })) == Contains{"an array of nothing has the sizes (" + std::to_string(huge / 4) + ", 0)"});
}

TEST_CASE("files of ONNX from the future are refused with the versions", "[onnx]") {
  CHECK(changed("node_peepholes", [](OnnxModel& model) { model.ir_version = 15; }) ==
        Contains{"ir_version: expected 3 to 14, which strata "});
  CHECK(changed("node_peepholes", [](OnnxModel& model) { model.opset = 29; }) ==
        Contains{"expected operators (opset) of a version from 7 to 28"});
}

TEST_CASE("nodes that strata does not know are refused by name", "[onnx]") {
  const auto renamed = [](const char* op, const char* domain) {
    return changed("node_peepholes", [&](OnnxModel& model) {
      model.graph.nodes[1].op = op;
      model.graph.nodes[1].domain = domain;
    });
  };
  CHECK(renamed("Einsum", "") ==
        Contains{"node 1 \"\" (Einsum): strata 0.1.0 has no layer that is, or contains, this"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          node_of(model, "LSTM").attributes.push_back({"leak", 1.0f});
        }) == Contains{"(LSTM): attribute \"leak\": is not known"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          model.graph.initializers.push_back(integers("rest", {1}));
        }) == Contains{"no node takes these initializers: rest"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          model.graph.initializers.push_back(integers("W", {1}));
        }) == Contains{"there are two values of the name \"W\""});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          model.graph.inputs.push_back({"h_0", 1, {{{2, ""}, {3, ""}}}});
        }) == Contains{"input \"h_0\": is a second input besides \"x\""});
}

TEST_CASE("recurrent nodes of ONNX must be what strata's layers are", "[onnx]") {
  const auto with = [](const char* name, OnnxAttributeValue value) {
    return changed("node_peepholes", [&](OnnxModel& model) {
      auto& attributes = node_of(model, "LSTM").attributes;
      std::erase_if(attributes, [&](const OnnxAttribute& one) { return one.name == name; });
      attributes.push_back({name, std::move(value)});
    });
  };
  CHECK(with("direction", std::string("sideways")) ==
        Contains{"attribute direction: expected forward, reverse or bidirectional"});
  CHECK(with("hidden_size", Index{4}) == Contains{"attribute hidden_size: expected 3, as R has"});
  CHECK(with("layout", Index{2}) == Contains{"attribute layout: expected 0, found 2"});
  CHECK(with("clip", -1.0f) == Contains{"attribute clip: expected at least 0"});
  CHECK(with("activations", std::vector<std::string>{"Tanh"}) ==
        Contains{"attribute activations: expected 3 names, found 1"});
  CHECK(with("activations", std::vector<std::string>{"Tanh", "LeakyRelu", "Tanh"}) ==
        Contains{"attribute activations: expected one of Tanh, Sigmoid"});
  CHECK(with("activations", std::vector<std::string>{"Affine", "Tanh", "Tanh"}) ==
        Contains{"attribute activation_alpha: expected 1.000000 for Affine, found nothing"});
  CHECK(with("activation_alpha", std::vector<float>{1}) ==
        Contains{"attribute activation_alpha: expected 0 numbers"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          tensor_of(model, "B").shape = {24, 1};
        }) == Contains{"input 3 \"B\": expected (1, 24), found (24, 1)"});

  const auto state = [](float value, std::vector<Index> shape) {
    return changed("node_peepholes", [&](OnnxModel& model) {
      OnnxTensor h{"h_0", Element::float32, std::move(shape), std::vector<std::byte>(24)};
      write_scalar(value, h.bytes.data());
      model.graph.initializers.push_back(std::move(h));
      node_of(model, "LSTM").inputs[5] = "h_0";
    });
  };
  CHECK(state(0, {1, 2, 3}) == "(nothing was thrown)");
  CHECK(state(0, {1, 3, 2}) == Contains{"expected a state of 3 units, found ("});
  CHECK(state(1, {1, 2, 3}) == Contains{"initial_h is not zero"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          model.graph.initializers.push_back(integers("lengths", {1, 2}));
          node_of(model, "LSTM").inputs[4] = "lengths";
        }) == Contains{"sequence_lens of fewer than all steps"});
}

TEST_CASE("graphs that are no chain of layers are refused", "[onnx]") {
  CHECK(changed("torch_script_stack_2", [](OnnxModel& model) {
          OnnxNode more = node_of(model, "Relu");
          const std::string y = more.outputs[0];
          more.outputs = {"other"};
          model.graph.nodes.push_back(more);
          model.graph.nodes.push_back({"", "Mul", "", {y, "other"}, {"product"}, {}});
          model.graph.outputs[0].name = "product";
        }) == Contains{"the graph branches, and of branches only the sum"});
  CHECK(changed("torch_script_stack_2", [](OnnxModel& model) {
          model.graph.outputs[0].name = "nothing";
        }) == Contains{"output \"nothing\": does not come from the graph's input"});
  CHECK(changed("torch_script_stack_2", [](OnnxModel& model) {
          std::swap(model.graph.nodes.front(), model.graph.nodes.back());
        }) == Contains{"is the output of no node before this one"});
}

TEST_CASE("a bias belongs to the product right before it", "[onnx]") {
  const auto with_add = [](const std::vector<Index>& shape) {
    return changed("torch_script_both", [&](OnnxModel& model) {
      OnnxTensor& bias = tensor_of(model, node_of(model, "Add").inputs[0]);
      bias.shape = shape;
    });
  };
  CHECK(with_add({2}) == "(nothing was thrown)");
  CHECK(with_add({1, 1, 2}) == "(nothing was thrown)");
  CHECK(with_add({1, 1, 1, 2}) == Contains{"expected at most 3 axes, found (1, 1, 1, 2)"});
  CHECK(with_add({2, 1}) == Contains{"(Add): "});
  // The last step of a product, and then a bias.
  CHECK(
      changed("torch_script_both", [](OnnxModel& model) {
        OnnxNode& add = node_of(model, "Add");
        OnnxNode gather{"", "Gather", "", {add.inputs[1], "last"}, {"step"}, {{"axis", Index{1}}}};
        add.inputs[1] = "step";
        OnnxTensor last = integers("last", {-1});
        last.shape.clear();
        model.graph.initializers.push_back(std::move(last));
        auto& all = model.graph.nodes;
        all.insert(all.end() - 2, std::move(gather));
      }) == "(nothing was thrown)");
}

TEST_CASE("nodes of ONNX without operands are refused", "[onnx]") {
  std::istringstream operators(
      "Add BatchNormalization Cast Clip Concat ConstantOfShape Conv Div Dropout Exp Expand Flatten "
      "GRU "
      "Gather Gelu Gemm GlobalMaxPool Identity LSTM LayerNormalization LeakyRelu MatMul Mish Mul "
      "Neg PRelu Pad RNN ReduceMax ReduceMean ReduceProd "
      "ReduceSum Relu Reshape ReverseSequence Shape Slice Softmax Split Squeeze Sub Tile "
      "Transpose Unsqueeze");
  for (std::string op; operators >> op;) {
    INFO(op);
    CHECK(changed("node_peepholes", [&](OnnxModel& model) {
            put_first(model, {"", op, "", {}, {"nothing"}, {}});
          }) == Contains{"(" + op + ")"});
  }
}

TEST_CASE("graphs of ONNX cannot ask for any amount of memory", "[onnx]") {
  // Each node doubles a constant.
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          std::vector<OnnxNode> nodes;
          std::string last = "W";
          for (int i = 0; i < 60; ++i) {
            const std::string next = "W" + std::to_string(i);
            nodes.push_back({"", "Concat", "", {last, last}, {next}, {{"axis", Index{0}}}});
            last = next;
          }
          node_of(model, "LSTM").inputs[1] = last;
          auto& all = model.graph.nodes;
          all.insert(all.begin(), nodes.begin(), nodes.end());
        }) == Contains{"computes more constants than weights could need"});
  // Each node is one more copy of one.
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          std::vector<OnnxNode> nodes;
          std::string last = "W";
          for (int i = 0; i < 5000; ++i) {
            const std::string next = "W" + std::to_string(i);
            nodes.push_back({"", "Identity", "", {last}, {next}, {}});
            last = next;
          }
          node_of(model, "LSTM").inputs[1] = last;
          auto& all = model.graph.nodes;
          all.insert(all.begin(), nodes.begin(), nodes.end());
        }) == Contains{"computes more constants than weights could need"});
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          model.graph.initializers.push_back(integers("more", {0, 0, 0, 0, 0, 0, 0}));
          put_first(model, {"", "Unsqueeze", "", {"x", "more"}, {"wide"}, {}});
        }) == Contains{"has too many axes"});
  // Sizes that are not written down anywhere.
  CHECK(changed("node_peepholes", [](OnnxModel& model) {
          (*model.graph.inputs[0].shape)[1].size = huge;
        }) == Contains{"expected smaller sizes"});
  CHECK(changed("node_shapes", [](OnnxModel& model) {
          (*model.graph.inputs[0].shape)[1].size = huge >> 21;
        }) == Contains{"(Reshape): makes"});
  CHECK(changed("node_opset_9", [](OnnxModel& model) {
          node_of(model, "Slice").attributes = {{"starts", std::vector<Index>{0}},
                                                {"ends", std::vector<Index>{huge}},
                                                {"axes", std::vector<Index>{7}}};
        }) == Contains{"axis: expected -3 to 2, found 7"});
}
