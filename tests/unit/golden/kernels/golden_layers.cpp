#include <string>
#include <tuple>

#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/golden_layer.hpp"
#include "support/named_activations.hpp"

// Single layers over whole sequences, with their gradients, against Keras and PyTorch.

namespace {

using namespace strata;
using namespace strata::test;

/// The options of an LSTM case, from its name and its records.
LSTMOptions lstm_options(const Golden& golden, const std::string& name) {
  LSTMOptions options;
  options.use_bias = golden.contains(name + ".weight.lstm.bias");
  options.go_backwards = name.ends_with(".backwards");
  const std::string prefix = "activation.";
  if (name.starts_with(prefix)) {
    std::tie(options.activation, options.recurrent_activation) =
        activations_named(name.substr(prefix.size()));
  }
  return options;
}

template <class Scalar>
void check_lstm(const Golden& golden, const std::string& name) {
  const LSTMOptions options = lstm_options(golden, name);
  const Shape y = golden[name + ".y"].shape;
  if (y.rank() == 3) {
    check_layer(
        golden, name,
        LSTM<Scalar, Dynamic, Dynamic, return_sequences>(y.back(), return_sequences, options), "x",
        "lstm.");
  } else {
    check_layer(golden, name, LSTM<Scalar>(y.back(), options), "x", "lstm.");
  }
}

}  // namespace

TEMPLATE_TEST_CASE("LSTM: outputs and gradients are those of Keras", "[golden][lstm]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("lstm.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 29);
  for (const auto& name : cases) check_lstm<Scalar>(golden, name);
  CHECK(golden.unread().empty());

  check_layer(golden, "size.b2t7f1u9", LSTM<Scalar, 1, 9, return_sequences>(), "x", "lstm.");
  check_layer(golden, "size.b2t4f2u16", LSTM<Scalar, 2, 16, return_sequences>(), "x", "lstm.");
  check_layer(golden, "long", LSTM<Scalar, 2, 3>(), "x", "lstm.");
  check_layer(golden, "last.no_bias.backwards",
              LSTM<Scalar, 3, 5>({.use_bias = false, .go_backwards = true}), "x", "lstm.");
}

TEMPLATE_TEST_CASE("LSTM: outputs and gradients are those of PyTorch", "[golden][lstm]", float,
                   double) {
  const Golden golden = Golden::read("lstm_torch.txt");
  int cases = 0;
  for (const auto& name : golden.cases("weighting")) {
    if (!name.starts_with("one.")) continue;
    check_lstm<TestType>(golden, name);
    ++cases;
  }
  REQUIRE(cases == 4);
  for (const auto& name : golden.unread()) CHECK(name.starts_with("two."));
}

TEMPLATE_TEST_CASE("Dense: outputs and gradients are those of Keras", "[golden][dense]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("dense.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 32);
  for (const auto& name : cases) {
    DenseOptions options;
    options.use_bias = golden.contains(name + ".weight.dense.bias");
    if (name == "wide") {
      options.activation = Activation::tanh;
    } else if (const auto dot = name.find('.'); dot != name.npos) {
      options.activation = activation_named(name.substr(0, dot));
    }
    check_layer(golden, name, Dense<Scalar>(golden[name + ".y"].shape.back(), options), "x",
                "dense.");
  }
  CHECK(golden.unread().empty());

  check_layer(golden, "one_to_one", Dense<Scalar, 1, 1>(), "x", "dense.");
  check_layer(golden, "softmax.rank3", Dense<Scalar, 2, 9>(Activation::softmax), "x", "dense.");
}
