// Normalizations, weight_norm and modules that are left out, of files of PyTorch; and files that
// once gave other numbers than PyTorch.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <strata/io/pytorch.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/prelu.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/raw_case.hpp"
#include "support/reference.hpp"
#include "support/state_dict.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

std::string of_pytorch(const std::string& name) {
  return STRATA_TEST_DIR "/golden/pytorch/" + name;
}

/// Checks a case of tests/golden/pytorch with two samples.
template <class Model>
void check_torch_case(const std::string& name, const Model& model, Index features) {
  test::check_raw_case(of_pytorch("cases/" + name), model, 2, features);
}

const test::StateDict norms =
    test::linears({{"fc", {3, 1}}}).with("norm.weight", {3}).with("norm.bias", {3});

}  // namespace

TEST_CASE("PyTorch: files that once gave other numbers", "[io][pytorch]") {
  const auto path = [](const std::string& name) {
    return of_pytorch("cases/" + name + "/m.safetensors");
  };
  check_torch_case("cells", load_pytorch(path("cells")), 1);
  CHECK(load_pytorch(path("two_cells")).parameter_count() == 4 * 8 * 10 + 4 * 8 * 17 + 9);

  const std::string missing =
      error_text<FormatError>([&] { (void)load_pytorch(path("missing_activation")); });
  CHECK(missing == Contains{"{.modules = {\"lstm\", \"head.0\", ?, \"head.2\"}}"});
  check_torch_case("missing_activation",
                   load_pytorch(path("missing_activation"),
                                {.modules = {"lstm", "head.0", Activation::relu, "head.2"}}),
                   3);

  for (const std::string name : {"one_in_one_out", "same_sizes"}) {
    const std::string orders = error_text<FormatError>([&] { (void)load_pytorch(path(name)); });
    CHECK(orders == Contains{"{.modules = {\"fc_in\", \"lstm\", \"fc_out\"}}"});
    CHECK(orders == Contains{"{.modules = {\"lstm\", "});
    check_torch_case(name, load_pytorch(path(name), {.modules = {"fc_in", "lstm", "fc_out"}}),
                     name == "same_sizes" ? 4 : 1);
  }
  check_torch_case("one_in_one_out", load_pytorch(path("one_in_one_out"), {.inputs = 1}), 1);
}

TEST_CASE("PyTorch: normalizations", "[io][pytorch]") {
  const auto kinds = [](const std::string& name, const PyTorchOptions& options = {}) {
    std::string text;
    const auto model = load_pytorch(of_pytorch(name), options);
    for (const auto& layer : model.layers()) text += layer.describe() + "; ";
    return text;
  };
  CHECK(kinds("normalizations.safetensors") ==
        "LayerNormalization; LSTM, 3 units; BatchNormalization; Dense, 1 units; ");
  // The epsilon of a model that is known is the model's.
  Sequential known{Input{Dynamic, 2}, Dense{4}, LayerNormalization{{.epsilon = 0.125}},
                   LSTM{3, return_sequences},
                   BatchNormalization{{.epsilon = 0.125, .center = false, .scale = false}}};
  load_pytorch(of_pytorch("epsilon.safetensors"), known);
  test::Reference<float>(of_pytorch("epsilon.sequences.reference")).require_equal(known);
  CHECK_THROWS_AS(load_pytorch(of_pytorch("epsilon.safetensors"), {.epsilon = -1}), ValueError);

  CHECK(norms.layers() == "LayerNormalization; Dense, 1 units; ");
  CHECK(norms.without("norm.bias").error() ==
        Contains{"norm.weight: a weight of (features,) without a bias may be of an nn.PReLU, an "
                 "nn.RMSNorm or"});
  CHECK(norms.with("norm.bias", {2}).error() == "memory: norm.bias: expected (3,), found (2,)");
  CHECK(norms.with("norm.weight", {0}).error() ==
        "memory: norm.weight: expected (features,), found (0,)");
  CHECK(norms.with("norm.running_mean", {3}).error() == "memory: norm.running_var: is missing");
  CHECK(norms.with("norm.running_mean", {3}).with("norm.running_var", {4}).error() ==
        "memory: norm.running_var: expected (3,), found (4,)");
  CHECK(norms.with("norm.running_mean", {3}).with("norm.running_var", {3}).layers() ==
        "BatchNormalization; Dense, 1 units; ");
  CHECK(norms.with("norm.num_batches_tracked", {1}).error() ==
        Contains{"has no place for these arrays of the file: norm.num_batches_tracked"});
  // Names of normalizations whose tensors are those of an nn.LayerNorm.
  const auto named = [](const std::string& name) {
    return test::linears({{"fc", {3, 1}}}).with(name + ".weight", {3}).with(name + ".bias", {3});
  };
  const std::map<std::string, std::string> others{
      {"bn", "bn"},           {"bn1", "bn"},
      {"net.bn_2.0", "bn"},   {"BN", "bn"},
      {"lstmBN", "bn"},       {"fcbn", "fcbn"},
      {"gn", "gn"},           {"gn2", "gn"},
      {"post_gn", "gn"},      {"in", "in"},
      {"in1", "in"},          {"conv.in_2", "in"},
      {"inorm", "inorm"},     {"inst", "inst"},
      {"batchnorm", "batch"}, {"InstanceNorm", "instance"},
      {"group_norm", "group"}};
  for (const auto& [name, word] : others) {
    INFO(name);
    const std::string text = named(name).error();
    CHECK(text == Contains{"its name has \"" + word + "\" in it"});
    CHECK(text ==
          Contains{"if it is an nn.LayerNorm, its entry in .modules is PyTorchLayerNorm{\"" + name +
                   "\"}"});
    CHECK(named(name).layers({.modules = {PyTorchLayerNorm{name}, "fc"}}) ==
          "LayerNormalization; Dense, 1 units; ");
  }
  for (const char* name : {"ln", "norm1", "norm_in", "in_norm", "ln_in", "layernorm", "gain",
                           "gnn_norm", "inner", "in.norm", "sign"}) {
    INFO(name);
    CHECK(named(name).layers() == "LayerNormalization; Dense, 1 units; ");
  }
  CHECK(named("bn").with("bn.running_mean", {3}).with("bn.running_var", {3}).layers() ==
        "BatchNormalization; Dense, 1 units; ");
  CHECK(named("bn")
            .with("bn.running_mean", {3})
            .with("bn.running_var", {3})
            .error({.modules = {PyTorchLayerNorm{"bn"}, "fc"}}) ==
        "memory: \"bn\": PyTorchLayerNorm is for an nn.LayerNorm, and this is bn (nn.BatchNorm1d "
        "of 3 "
        "to 3)");
  const std::string over_steps =
      "memory: norm.weight: expected (3,) of an nn.LayerNorm(3) over the features; one over steps "
      "and features is for one number of steps alone and is not read, found (9, 3)";
  CHECK(norms.with("norm.weight", {9, 3}).with("norm.bias", {9, 3}).error() == over_steps);
  CHECK(norms.with("norm.weight", {9, 3})
            .without("norm.bias")
            .error({.modules = {PyTorchLayerNorm{"norm"}, "fc"}}) == over_steps);
  CHECK(norms.with("norm.weight", {2, 9, 3}).with("norm.bias", {2, 9, 3}).error() ==
        Contains{"found (2, 9, 3)"});
  CHECK(norms.with("norm.weight", {1}).without("norm.bias").layers({.inputs = 3}) ==
        Contains{"may run in more than one order"});

  // A normalization between two nn.Linear is not all that lies there.
  const test::StateDict between = norms.with("a.weight", {3, 2});
  CHECK(between.error() ==
        Contains{"nn.Linear after nn.Linear, \"a\" and \"fc\", mostly have a function between them "
                 "besides the normalization; say by .modules what runs there"});
  CHECK(between.error() == Contains{"{.modules = {\"a\", \"norm\", ?, \"fc\"}}"});
  CHECK(between.layers({.modules = {"a", Activation::relu, "norm", "fc"}}) ==
        "Dense, 3 units; LayerNormalization; Dense, 1 units; ");
  CHECK(between.layers({.modules = {"a", "norm", Activation::linear, "fc"}}) ==
        "Dense, 3 units; LayerNormalization; Dense, 1 units; ");
  // Among recurrent modules, as the names and sizes allow.
  const test::StateDict amp = test::with_lstm(norms, "lstm", 1, 3);
  CHECK(amp.layers() == "LSTM, 3 units; LayerNormalization; Dense, 1 units; ");
  CHECK(amp.layers({.modules = {"lstm", PyTorchResidual{"norm"}, "fc"}}) ==
        "LSTM, 3 units; Residual LayerNormalization; Dense, 1 units; ");
  CHECK(amp.error({.modules = {"lstm", PyTorchResidual{"norm", Activation::relu}, "fc"}}) ==
        Contains{"an activation between nn.LayerNorm and the sum is not read"});
  CHECK(amp.with("first.weight", {1}).with("first.bias", {1}).error() ==
        Contains{"may run in more than one order"});
}

TEST_CASE("PyTorch: nn.PReLU", "[io][pytorch]") {
  const test::StateDict two = test::linears({{"a", {2, 3}}, {"b", {3, 1}}});
  // One number for any features: where it stands, only names in a row or .modules say.
  const test::StateDict one = two.with("act.weight", {1});
  CHECK(one.error() == Contains{"act (nn.PReLU of any number of features)"});
  CHECK(one.error() == Contains{"{.modules = {\"a\", \"act\", \"b\"}})  // takes 2 features"});
  CHECK(one.layers({.modules = {"a", "act", "b"}}) == "Dense, 3 units; PReLU; Dense, 1 units; ");
  CHECK(one.layers({.modules = {"act", "a", Activation::relu, "b"}}) ==
        "PReLU; Dense, 3 units; Dense, 1 units; ");
  CHECK(test::linears({{"0", {2, 3}}, {"2", {3, 1}}}).with("1.weight", {1}).layers() ==
        "Dense, 3 units; PReLU; Dense, 1 units; ");
  CHECK(two.with("prelu.weight", {3}).layers() == "Dense, 3 units; PReLU; Dense, 1 units; ");
  CHECK(two.with("act.weight", {3}).error() ==
        Contains{"say by .modules which it is, PyTorchPReLU{\"act\"} or "
                 "PyTorchLayerNorm{\"act\"}; an nn.RMSNorm is not read"});
  CHECK(two.with("act.weight", {3})
            .layers({.modules = {"a", PyTorchLayerNorm{"act"}, Activation::tanh, "b"}}) ==
        "Dense, 3 units; LayerNormalization; Activation, tanh; Dense, 1 units; ");
  CHECK(two.with("act.weight", {3}).layers({.modules = {"a", PyTorchPReLU{"act"}, "b"}}) ==
        "Dense, 3 units; PReLU; Dense, 1 units; ");
  CHECK(two.error({.modules = {PyTorchPReLU{"a"}, "b"}}) ==
        "memory: \"a\": PyTorchPReLU is for an nn.PReLU, and this is a (nn.Linear of 2 to 3)");
  const test::StateDict alone{{{"act.weight", {1}}}};
  CHECK(alone.error() ==
        "memory: \"act\": takes any number of features; say by .inputs how many "
        "there are");
  CHECK(alone.layers({.inputs = 4}) == "PReLU; ");

  Sequential known{Input{Dynamic, 2},         Dense{4}, PReLU{},
                   LSTM{3, return_sequences}, PReLU{},  Dense{1}};
  CHECK(error_text<FormatError>([&] { load_pytorch(of_pytorch("prelu.safetensors"), known); }) ==
        Contains{"\"act\": an nn.PReLU of one number, but the model has PReLU layers of different "
                 "sizes"});
  Sequential same{Input{2}, Dense{3, {.use_bias = false}}, PReLU{}, Dense{1, {.use_bias = false}}};
  load_pytorch(one.bytes(), same);
  CHECK(same.weights() == std::vector<float>(12, 0.5f));
}

TEST_CASE("PyTorch: embeddings and matrices without a bias", "[io][pytorch]") {
  const std::string embeds = "Embedding, 3 units; Dense, 1 units; ";
  const auto table = [](const std::string& name) {
    return test::linears({{name, {3, 9}}, {"fc", {3, 1}}}).with("fc.bias", {1});
  };
  for (const char* name : {"emb", "net.word_embeddings", "tok.emb2", "charEmb", "embed.0",
                           "TOKEN_EMBED", "embedder", "wordembedding"}) {
    CHECK(table(name).layers() == embeds);
    CHECK(table(name).layers({.modules = {name, "fc"}}) == embeds);
  }
  // Other words, and those of a parent, say nothing.
  for (const char* name : {"member", "ensemble", "embedding.table", "remembered"}) {
    CHECK(table(name).error() ==
          Contains{std::string("name them in their order by .modules; if \"") + name +
                   "\" is an nn.Embedding, its entry there is PyTorchEmbedding{\"" + name + "\"}"});
    CHECK(table(name).layers({.modules = {PyTorchEmbedding{name}, "fc"}}) == embeds);
    CHECK(table(name).error({.modules = {name, "fc"}}) ==
          std::string("memory: \"") + name +
              "\": is read as an nn.Linear of 3 to 9 features without a bias, and fc (nn.Linear of "
              "3 to 1) takes 3; if it is an nn.Embedding, its entry in .modules is "
              "PyTorchEmbedding{\"" +
              name + "\"}");
  }
  CHECK(table("table").error({.inputs = 9}) == Contains{"by .modules"});
  CHECK(table("table").error({.inputs = 9}).find("Embedding") == std::string::npos);

  // An nn.Linear whose name says an embedding, where it cannot be one.
  const test::StateDict linear =
      test::with_lstm(test::linears({{"input_embed", {3, 6}}, {"fc", {6, 2}}}), "lstm", 6, 6);
  const std::string dense = "Dense, 6 units; LSTM, 6 units; Dense, 2 units; ";
  CHECK(linear.layers() == dense);
  CHECK(linear.layers({.modules = {"input_embed", "lstm", "fc"}}) == dense);
  CHECK(linear.layers({.modules = {PyTorchLinear{"input_embed"}, "lstm", "fc"}}) == dense);
  CHECK(linear.layers({.inputs = 3}) == dense);
  CHECK(linear.error({.modules = {PyTorchEmbedding{"input_embed"}, "lstm", "fc"}}) ==
        Contains{"expects 6 features"});
  CHECK(test::with_lstm(test::linears({{"out_emb", {6, 2}}}), "lstm", 3, 6).layers() ==
        "LSTM, 6 units; Dense, 2 units; ");
  CHECK(test::with_lstm(test::linears({{"embedder.fc", {6, 2}}}), "embedder.lstm", 3, 6).layers() ==
        "LSTM, 6 units; Dense, 2 units; ");
  CHECK(test::with_lstm(test::linears({{"out_emb", {6, 2}}}), "lstm", 3, 6)
            .layers({.modules = {"lstm", {"out_emb", Activation::tanh}}}) ==
        "LSTM, 6 units; Dense, 2 units; ");
  // Where both fit, the name decides, or .inputs or .modules.
  const test::StateDict both =
      test::with_lstm(test::linears({{"emb", {6, 6}}, {"fc", {6, 2}}}), "lstm", 6, 6);
  CHECK(both.layers() == "Embedding, 6 units; LSTM, 6 units; Dense, 2 units; ");
  CHECK(both.layers({.modules = {PyTorchLinear{"emb"}, Activation::tanh, "lstm", "fc"}}) == dense);
  CHECK(both.layers({.modules = {"emb", "lstm", "fc"}, .inputs = 6}) == dense);
  CHECK(both.layers({.modules = {PyTorchResidual{"emb"}, "lstm", "fc"}}) ==
        "Residual Dense, 6 units; LSTM, 6 units; Dense, 2 units; ");
  CHECK(both.error({.inputs = 6}) ==
        Contains{"{.modules = {PyTorchLinear{\"emb\"}, \"lstm\", \"fc\"}})  // takes 6 features"});
  // Two of which either may be the first.
  const test::StateDict two =
      test::with_lstm(test::linears({{"in_emb", {6, 9}}, {"out_emb", {6, 9}}}), "lstm", 6, 6);
  CHECK(two.error() == Contains{"{\"in_emb\", \"lstm\", \"out_emb\"}"});
  CHECK(two.error() == Contains{"{\"out_emb\", \"lstm\", \"in_emb\"}"});
  CHECK(two.layers({.modules = {"in_emb", "lstm", "out_emb"}}) ==
        "Embedding, 6 units; LSTM, 6 units; Dense, 9 units; ");
  CHECK(
      linear.error({.modules = {PyTorchLinear{"lstm"}, "input_embed", "fc"}}) ==
      "memory: \"lstm\": PyTorchLinear is for an nn.Linear, and this is lstm (nn.LSTM of 6 to 6)");
  CHECK(two.with("c.weight", {1, 9})
            .error(
                {.modules = {PyTorchLinear{"in_emb"}, Activation::relu, "lstm", "out_emb", "c"}}) ==
        Contains{"{.modules = {PyTorchLinear{\"in_emb\"}, Activation::relu, \"lstm\", "
                 "\"out_emb\", ?, \"c\"}"});

  // A model that is known says what they are.
  Sequential numbers{Input{Dynamic, 6}, Dense{6, {.use_bias = false}}, LSTM{6, {.use_bias = false}},
                     Dense{2, {.use_bias = false}}};
  load_pytorch(both.bytes(), numbers);
  CHECK(numbers.weights() == std::vector<float>(6 * 6 + 24 * 12 + 12, 0.5f));
  Sequential ids{Input{Dynamic}, Embedding{9, 3}, Dense{1}};
  load_pytorch(table("lookup").bytes(), ids);
  load_pytorch(table("lookup").bytes(), ids, {.modules = {"lookup", "fc"}});
  CHECK(ids.weights() == std::vector<float>(31, 0.5f));
  CHECK(error_text<FormatError>([&] {
          load_pytorch(table("emb").bytes(), ids, {.modules = {PyTorchLinear{"emb"}, "fc"}});
        }) == Contains{"expected Embedding, found Dense"});
  Sequential tied{Input{Dynamic}, Embedding{9, 6}, LSTM{6, return_sequences, {.use_bias = false}},
                  Dense{9, {.use_bias = false}}};
  CHECK(error_text<FormatError>([&] { load_pytorch(two.bytes(), tied); }) ==
        Contains{"{\"out_emb\", \"lstm\", \"in_emb\"}"});
  load_pytorch(two.bytes(), tied, {.modules = {"in_emb", "lstm", "out_emb"}});
}

TEST_CASE("PyTorch: nn.Conv1d", "[io][pytorch]") {
  const test::StateDict conv =
      test::with_lstm(test::StateDict(), "lstm", 4, 3).with("conv.weight", {4, 2, 3});
  CHECK(
      conv.error() ==
      "memory: \"conv\": an nn.Conv1d of 3 steps; say by .modules how its input is padded, "
      "Padding::causal with zeros in front or Padding::valid, and its .dilation_rate unless it is "
      "1:\n  load_pytorch(bytes, {.modules = {PyTorchConv1d{\"conv\", {.padding = ?}}, "
      "\"lstm\"}})");
  CHECK(conv.layers({.modules = {PyTorchConv1d{"conv", {.padding = Padding::causal}}, "lstm"}}) ==
        "Conv1D, 4 filters of 3 steps; LSTM, 3 units; ");
  CHECK(conv.with("conv.weight", {4, 2, 1}).layers() ==
        "Conv1D, 4 filters of 1 steps; LSTM, 3 units; ");
  CHECK(conv.error({.modules = {"conv", PyTorchConv1d{"lstm"}}}) ==
        Contains{"PyTorchConv1d is for an nn.Conv1d, and this is lstm (nn.LSTM of 4 to 3)"});
  CHECK(conv.error({.modules = {PyTorchConv1d{"conv"}, "lstm"}, .inputs = 3}) ==
        Contains{".inputs: expected those of the first module, conv (nn.Conv1d of 2 to 4)"});
  CHECK(conv.error({.modules = {LastStep{}, PyTorchConv1d{"conv"}, "lstm"}}) ==
        Contains{"takes sequences, but there are no steps left after LastStep{}"});
  CHECK(conv.with("conv.bias", {3}).error() == "memory: conv.bias: expected (4,), found (3,)");
  CHECK(conv.with("conv.bias", {2}).error() ==
        "memory: conv.bias: has a number for each of the second sizes of the weight (4, 2, 3), so "
        "this is an nn.ConvTranspose1d, which is not read");
  CHECK(conv.with("conv.weight", {4, 2, 0}).error() ==
        "memory: conv.weight: expected sizes of at least 1, found (4, 2, 0)");
  CHECK(test::StateDict{{{"conv.weight", {2, 2, 3}}}}.error(
            {.modules = {PyTorchResidual{"conv"}}}) == Contains{"conv"});
  // Two in a row are one without a function between them.
  CHECK(test::StateDict{{{"c1.weight", {2, 2, 1}}, {"c2.weight", {3, 2, 1}}}}.error() ==
        Contains{"nn.Conv1d after nn.Conv1d, \"c1\" and \"c2\", would be of no use"});

  // Padding, dilation and activation of a model that is known are the model's.
  Sequential known{
      Input{Dynamic, 2},
      Conv1D{
          4, 3, {.padding = Padding::causal, .dilation_rate = 2, .activation = Activation::relu}},
      LSTM{3, return_sequences}, Dense{1}};
  load_pytorch(of_pytorch("convolution.safetensors"), known);
  test::Reference<float>(of_pytorch("convolution.sequences.reference")).require_equal(known);
}

TEST_CASE("PyTorch: functions with settings", "[io][pytorch]") {
  const test::StateDict two = test::linears({{"a", {2, 3}}, {"b", {3, 1}}});
  CHECK(two.layers({.modules = {"a", ReLU{{.negative_slope = 0.01}}, "b"}}) ==
        "Dense, 3 units; ReLU; Dense, 1 units; ");
  // The lines of code in messages spell them.
  const test::StateDict three = two.with("c.weight", {3, 1});
  const std::string text =
      three.error({.modules = {"a", ReLU{{.max_value = 6, .negative_slope = 0.5}},
                               ELU{{.alpha = 0.25}}, "b", "c"}});
  CHECK(text == Contains{"{\"a\", ReLU{{.max_value = 6, .negative_slope = 0.5}}, ELU{{.alpha = "
                         "0.25}}, \"b\", ?, \"c\"}"});
  CHECK(two.error({.modules = {"a", MaxOverSteps{}, LastStep{}, "b"}}) ==
        Contains{"LastStep{}: there are no steps left after MaxOverSteps{}"});
}

TEST_CASE("PyTorch: weights that are computed from others", "[io][pytorch]") {
  const test::StateDict plain = test::linears({{"fc", {3, 2}}});
  const auto with = [&](const std::string& name, std::vector<Index> sizes) {
    return plain.without("fc.weight").with(name, std::move(sizes));
  };
  const test::StateDict v = with("fc.weight_v", {2, 3});
  CHECK(v.with("fc.weight_g", {2, 1}).layers() == "Dense, 2 units; ");
  CHECK(v.with("fc.weight_g", {1, 3}).layers() == "Dense, 2 units; ");
  CHECK(v.with("fc.weight_g", {}).layers() == "Dense, 2 units; ");
  CHECK(v.with("fc.weight_g", {2}).error() ==
        "memory: \"fc.weight_g\": expected the length of each row or column of a weight (2, 3), "
        "found (2,)");
  CHECK(v.with("fc.weight_g", {3, 1}).error() == Contains{"found (3, 1)"});
  CHECK(v.with("fc.weight_g", {2, 3}).error() == Contains{"found (2, 3)"});
  CHECK(v.with("fc.weight_g", {2, 1}).with("fc.weight", {2, 3}).error() ==
        "memory: fc.weight: there are two arrays of this name");
  CHECK(v.error() == Contains{"\"fc.weight_v\": is no tensor of"});

  CHECK(v.with("fc.weight_orig", {2, 3}).with("fc.weight_u", {2}).error() ==
        "memory: \"fc.weight_orig\": is of spectral_norm, which is not read; before the state_dict "
        "is saved, turn it into a plain weight: "
        "torch.nn.utils.remove_spectral_norm(model.get_submodule(\"fc\"), \"weight\")");
  CHECK(
      with("weight_orig", {2, 3}).with("weight_mask", {2, 3}).error() ==
      "memory: \"weight_orig\": is of pruning, which is not read; before the state_dict is saved, "
      "turn it into a plain weight: torch.nn.utils.prune.remove(model, \"weight\")");
  const test::StateDict spectral = with("fc.parametrizations.weight.original", {2, 3})
                                       .with("fc.parametrizations.weight.0._u", {2})
                                       .with("fc.parametrizations.weight.0._v", {3});
  CHECK(spectral.error() ==
        Contains{"is of spectral_norm, which is not read; before the state_dict is saved, turn it "
                 "into a plain weight: torch.nn.utils.parametrize.remove_parametrizations("
                 "model.get_submodule(\"fc\"), \"weight\")"});
  CHECK(with("fc.parametrizations.weight.original0", {2, 1}).error() ==
        Contains{"is of a parametrization other than weight_norm"});
  CHECK(with("parametrizations.weight", {2, 1}).error() ==
        Contains{"is of a parametrization other than weight_norm"});
  CHECK(with("parametrizations.weight.original0", {2, 1})
            .with("parametrizations.weight.original1", {2, 3})
            .layers() == "Dense, 2 units; ");
}

TEST_CASE("PyTorch: modules that are left out", "[io][pytorch]") {
  const test::StateDict heads =
      test::with_lstm(test::linears({{"heads.0", {3, 1}}, {"heads.1", {3, 5}}}), "lstm", 2, 3);
  CHECK(heads.error() == Contains{"do not join one after the other"});
  CHECK(heads.layers({.without = {"heads.1"}}) == "LSTM, 3 units; Dense, 1 units; ");
  // What is left out is no gap in the numbers of the names.
  CHECK(heads.layers({.without = {"heads.0"}}) == "LSTM, 3 units; Dense, 5 units; ");
  CHECK(heads.layers({.without = {"heads"}}) == "LSTM, 3 units; ");
  // Whatever their tensors are.
  CHECK(heads.with("heads.1.deep.table", {1, 1, 1, 1}).layers({.without = {"heads.1"}}) ==
        "LSTM, 3 units; Dense, 1 units; ");
  CHECK(heads.error({.without = {"head"}}) ==
        Contains{".without: \"head\": the file has no such tensor and no tensors of such a module; "
                 "it has: heads.0.weight"});
  CHECK(heads.error({.without = {"heads.1", "heads.1"}}) ==
        Contains{"no tensors of such a module"});
  CHECK(heads.error({.without = {""}}) == Contains{"no tensors of such a module"});
  CHECK(heads.with("heads.2.weight", {1, 5}).error({.without = {"heads.0"}}) ==
        Contains{"{.modules = {\"lstm\", \"heads.1\", ?, \"heads.2\"}, .without = {\"heads.0\"}}"});
}

TEST_CASE("PyTorch: tensors that are left out", "[io][pytorch]") {
  const test::StateDict plain =
      test::with_lstm(test::linears({{"fc", {3, 1}}}), "lstm", 2, 3).with("fc.bias", {1});
  const std::string layers = "LSTM, 3 units; Dense, 1 units; ";
  for (const char* name : {"mean", "pos", "model.mask", "fc.scale"}) {
    const test::StateDict more = plain.with(name, {1, 2});
    const std::string text = more.error();
    CHECK(text == Contains{std::string("memory: \"") + name + "\": is no tensor of nn.LSTM"});
    CHECK(text ==
          Contains{std::string("where the output does not need it, leave it out by its name, "
                               ".without = {\"") +
                   name + "\"}"});
    CHECK(text.find("initial state") == std::string::npos);
    CHECK(more.layers({.without = {name}}) == layers);
  }
  CHECK(plain.with("model.mask", {1}).error() ==
        Contains{".without = {\"model.mask\"}, or its whole module, .without = {\"model\"}"});
  CHECK(plain.with("mean", {2}).error({.without = {"mea"}}) == Contains{"no such tensor"});
  // A tensor of the model itself, with the name of one of a module.
  CHECK(plain.with("weight", {2}).layers({.without = {"weight"}}) == layers);
  // A module is not read without a part of it.
  CHECK(plain.error({.without = {"fc.bias"}}) ==
        "memory: .without: \"fc.bias\": a module is left out as a whole: .without = {\"fc\"}");
  CHECK(plain.error({.without = {"lstm.weight_hh_l0"}}) == Contains{".without = {\"lstm\"}"});
  CHECK(test::StateDict{{{"weight", {1, 2}}, {"bias", {1}}}}.error({.without = {"bias"}}) ==
        "memory: .without: \"bias\": a module is left out as a whole");

  for (const char* name : {"h0", "c0", "h_0", "hx", "init_hidden", "lstm.initial_state"}) {
    const test::StateDict more = plain.with(name, {1, 1, 3});
    CHECK(
        more.error() ==
        Contains{"it may be an initial state that was learned: such a state is given to the model "
                 "by predict(x, {.state = &state}), and without it the outputs are those of "
                 "zeros; where the output does not need it"});
    CHECK(more.layers({.without = {name}}) == layers);
  }

  // AveragedModel counts its updates.
  CHECK(plain.with("n_averaged", {}).layers() == layers);
  CHECK(plain.with("ema.n_averaged", {}).layers() == layers);
  CHECK(plain.with("n_averaged", {2}).error() == Contains{"\"n_averaged\": is no tensor of"});
}
