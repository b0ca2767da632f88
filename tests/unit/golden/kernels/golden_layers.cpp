#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Single layers over whole sequences, with their gradients, against Keras and PyTorch.

namespace {

using namespace strata;
using namespace strata::test;

/// Output and gradients of one layer. The scalar whose gradients the file holds is the sum of the
/// outputs times their weighting. kind: "lstm" or "dense".
template <class L>
void check_layer(const Golden& golden, const std::string& name, const std::string& kind, L layer) {
  using Scalar = typename L::scalar_type;
  INFO(name);
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  layer.build(x.features());
  load_parameters(layer.parameters(), golden, name + ".weight." + kind + ".");

  typename L::Packed packed;
  layer.pack(packed, false);
  Tensor<Scalar> y;
  const Pass<Scalar> pass;
  layer.forward(packed, x, y, pass);
  require_tensor_close(y, golden, name + ".y", tolerance<Scalar>.values);

  typename L::Tape tape;
  layer.pack(packed, true);
  layer.forward(packed, x, tape, y, pass);
  require_tensor_close(y, golden, name + ".y", tolerance<Scalar>.values);

  auto dy = golden[name + ".weighting"].template tensor<Scalar>();
  std::size_t count = 0;
  for (const auto& parameter : layer.parameters()) count += parameter.values.size();
  std::vector<Scalar> gradient(count);
  Tensor<Scalar> dx;
  layer.backward(packed, x, y, dy, tape, gradient, &dx, pass);
  require_tensor_close(dx, golden, name + ".grad.x", tolerance<Scalar>.gradients);
  require_parameters_close<Scalar>(layer.parameters(), gradient, golden,
                                   name + ".grad." + kind + ".", tolerance<Scalar>.gradients);
}

Activation activation_named(const std::string& wanted) {
  for (int i = 0; i <= static_cast<int>(Activation::softmax); ++i) {
    if (name(static_cast<Activation>(i)) == wanted) return static_cast<Activation>(i);
  }
  throw std::runtime_error("no activation is named " + wanted);
}

/// The options of an LSTM case, from its name and its records.
LSTMOptions lstm_options(const Golden& golden, const std::string& name) {
  LSTMOptions options;
  options.use_bias = golden.contains(name + ".weight.lstm.bias");
  options.go_backwards = name.ends_with(".backwards");
  const std::string prefix = "activation.";
  if (name.starts_with(prefix)) {
    // Both names, joined by one of the underscores.
    const std::string both = name.substr(prefix.size());
    for (std::size_t at = both.find('_'); at != both.npos; at = both.find('_', at + 1)) {
      try {
        options.activation = activation_named(both.substr(0, at));
        options.recurrent_activation = activation_named(both.substr(at + 1));
        return options;
      } catch (const std::runtime_error&) {
      }
    }
    FAIL("no activations in the name of the case " << name);
  }
  return options;
}

template <class Scalar>
void check_lstm(const Golden& golden, const std::string& name) {
  const LSTMOptions options = lstm_options(golden, name);
  const Shape y = golden[name + ".y"].shape;
  if (y.rank() == 3) {
    check_layer(
        golden, name, "lstm",
        LSTM<Scalar, Dynamic, Dynamic, return_sequences>(y.back(), return_sequences, options));
  } else {
    check_layer(golden, name, "lstm", LSTM<Scalar>(y.back(), options));
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

  check_layer(golden, "size.b2t7f1u9", "lstm", LSTM<Scalar, 1, 9, return_sequences>());
  check_layer(golden, "size.b2t4f2u16", "lstm", LSTM<Scalar, 2, 16, return_sequences>());
  check_layer(golden, "long", "lstm", LSTM<Scalar, 2, 3>());
  check_layer(golden, "last.no_bias.backwards", "lstm",
              LSTM<Scalar, 3, 5>({.use_bias = false, .go_backwards = true}));
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
    check_layer(golden, name, "dense", Dense<Scalar>(golden[name + ".y"].shape.back(), options));
  }
  CHECK(golden.unread().empty());

  check_layer(golden, "one_to_one", "dense", Dense<Scalar, 1, 1>());
  check_layer(golden, "softmax.rank3", "dense", Dense<Scalar, 2, 9>(Activation::softmax));
}
