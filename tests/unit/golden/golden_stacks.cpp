#include <sstream>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/precision_golden.hpp"

// Stacks of layers, chosen at run time and while writing, against Keras and PyTorch.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
using LSTMSequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;

/// Predictions, in one batch and in several, and the gradients of the sum of the outputs times
/// their weighting.
template <class Model>
void check_model(const Golden& golden, const std::string& name, Model model) {
  using Scalar = typename Model::Scalar;
  INFO(name);
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  if (!model.is_built()) model.build(Input(x.steps(), x.features()));
  load_parameters(model.parameters(), golden, name + ".weight.");

  const auto& values = tolerance<Scalar>.values;
  require_tensor_close(model.predict(x), golden, name + ".y", values);
  require_tensor_close(model.predict(x, {.batch_size = 2}), golden, name + ".y", values);

  const auto network = model.trainable_network();
  typename TrainableNetwork<Scalar>::Tape tape;
  require_tensor_close(network.forward(x, tape, Random()), golden, name + ".y", values);
  tape.derivative = golden[name + ".weighting"].template tensor<Scalar>();
  std::vector<Scalar> gradient(static_cast<std::size_t>(model.parameter_count()));
  network.backward(x, tape, gradient);
  require_parameters_close<Scalar>(model.parameters(), gradient, golden, name + ".grad.",
                                   tolerance<Scalar>.gradients);

  // A network does not ask its first layer for the derivatives by x; the layer can tell them.
  (void)network.forward(x, tape, Random());
  const auto layers = model.template layer_refs<TrainableRef<Scalar>>();
  auto derivative = golden[name + ".weighting"].template tensor<Scalar>();
  Tensor<Scalar> before;
  for (std::size_t i = layers.size(); i-- > 0;) {
    layers[i].backward(tape.packed[i], i == 0 ? x : std::as_const(tape.outputs[i - 1]),
                       tape.outputs[i], derivative, tape.layers[i], gradient, &before,
                       tape.passes[i]);
    derivative.swap(before);
  }
  require_tensor_close(derivative, golden, name + ".grad.x", tolerance<Scalar>.gradients);
}

/// The outputs of a stream for each sample, of the last step or of all steps.
template <class Model>
std::vector<typename Model::Scalar> outputs_of_streams(const Golden& golden,
                                                       const std::string& name,
                                                       Stream<Model> stream) {
  using Scalar = typename Model::Scalar;
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  const auto& y = golden[name + ".y"];
  std::vector<Scalar> outputs;
  for (Index b = 0; b < x.batch(); ++b) {
    stream.reset();
    for (Index t = 0; t < x.steps(); ++t) {
      const Scalar* const out = stream.step(x.data() + (b * x.steps() + t) * x.features());
      if (y.shape.rank() == 3 || t + 1 == x.steps()) {
        outputs.insert(outputs.end(), out, out + stream.outputs());
      }
    }
  }
  return outputs;
}

/// Streams against the outputs of the framework.
template <class Model>
void check_stream(const Golden& golden, const std::string& name, Model model) {
  using Scalar = typename Model::Scalar;
  INFO(name << ", step by step");
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  const auto& y = golden[name + ".y"];
  if (!model.is_built()) model.build(Input(x.steps(), x.features()));
  load_parameters(model.parameters(), golden, name + ".weight.");
  const auto outputs = outputs_of_streams(golden, name, Stream{model});
  require_close(outputs, y.values, tolerance<Scalar>.values, name);
  if constexpr (std::is_same_v<Scalar, float>) {
    REQUIRE(check_predictions_in_16_bits(golden, name, model) == 2);
    for (const Precision precision : {Precision::half, Precision::int16}) {
      INFO(strata::name(precision));
      const auto reduced = outputs_of_streams(golden, name, Stream{model, precision});
      CHECK(decibels(reduced, y.values) < most_decibels(precision));
    }
  }
}

template <class Scalar>
Sequential<Scalar> run_time_stack(const std::string& name) {
  Sequential<Scalar> model;
  const auto add = [&](const auto&... layers) { (model.add(layers), ...); };
  if (name == "two") {
    add(LSTM{6, return_sequences}, LSTM{5}, Dense{2});
  } else if (name == "two_equal") {
    add(LSTM{5, return_sequences}, LSTM{5}, Dense{1});
  } else if (name == "four") {
    add(LSTM{4, return_sequences}, LSTM{4, return_sequences}, LSTM{3, return_sequences}, LSTM{5},
        Dense{1});
  } else if (name == "per_step") {
    add(LSTM{7, return_sequences}, Dense{3});
  } else if (name == "softmax") {
    add(LSTM{5, return_sequences}, Dense{4, Activation::softmax});
  } else if (name == "two.last") {
    add(LSTM{5, return_sequences}, LSTM{5});
  } else if (name == "two.sequences") {
    add(LSTM{7, return_sequences}, LSTM{7, return_sequences});
  } else if (name == "two.no_bias") {
    const LSTMOptions options{.use_bias = false};
    add(LSTM{4, return_sequences, options}, LSTM{4, return_sequences, options});
  } else {
    FAIL("no stack is named " << name);
  }
  return model;
}

/// check(name, model) for the same stacks, each one type: with sizes given when it is made, and
/// with sizes in the type.
template <class Scalar, class Check>
void for_each_static_stack(Check check) {
  using S = Scalar;
  constexpr ReturnSequences rs = return_sequences;
  const Input input(5, 2);
  check("two", Sequential{input, LSTMSequence<S>(6, rs), LSTM<S>(5), Dense<S>(2)});
  check("two_equal", Sequential{LSTMSequence<S>(5, rs), LSTM<S>(5), Dense<S>(1)});
  check("four", Sequential{input, LSTMSequence<S>(4, rs), LSTMSequence<S>(4, rs),
                           LSTMSequence<S>(3, rs), LSTM<S>(5), Dense<S>(1)});
  check("per_step", Sequential{input, LSTMSequence<S>(7, rs), Dense<S>(3)});
  check("softmax", Sequential{input, LSTMSequence<S>(5, rs), Dense<S>(4, Activation::softmax)});
  check("two", Sequential<LSTM<S, 2, 6, rs>, LSTM<S, 6, 5>, Dense<S, 5, 2>>{});
}

template <class Scalar>
void check_file(const std::string& file) {
  INFO(file);
  const Golden golden = Golden::read(file);
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 5);
  for (const auto& name : cases) {
    check_model(golden, name, run_time_stack<Scalar>(name));
    check_stream(golden, name, run_time_stack<Scalar>(name));
  }
  CHECK(golden.unread().empty());
  for_each_static_stack<Scalar>([&](const std::string& name, const auto& model) {
    check_model(golden, name, model);
    check_stream(golden, name, model);
  });
}

}  // namespace

TEMPLATE_TEST_CASE("Stacks: outputs and gradients are those of Keras", "[golden][stacks]", float,
                   double) {
  check_file<TestType>("stacks.txt");
}

TEMPLATE_TEST_CASE("Stacks: outputs and gradients are those of PyTorch", "[golden][stacks]", float,
                   double) {
  check_file<TestType>("stacks_torch.txt");
}

TEMPLATE_TEST_CASE("Stacks: an nn.LSTM of two layers is two LSTMs", "[golden][stacks]", float,
                   double) {
  const Golden golden = Golden::read("lstm_torch.txt");
  int cases = 0;
  for (const auto& name : golden.cases("weighting")) {
    if (!name.starts_with("two.")) continue;
    check_model(golden, name, run_time_stack<TestType>(name));
    ++cases;
  }
  REQUIRE(cases == 3);
}

TEST_CASE("Stacks: numbers of parameters and summary are those of Keras", "[golden][stacks]") {
  const Golden golden = Golden::read("parameter_counts.txt");
  const Sequential model{Input{60, 1},
                         LSTM{50, return_sequences},
                         LSTM{50, return_sequences},
                         LSTM{50, return_sequences},
                         LSTM{50},
                         Dense{1}};
  CHECK(model.parameter_count() == static_cast<Index>(golden["total"].value()));
  std::vector<Index> counts;
  const auto network = model.network();
  for (const auto& layer : network.layers()) counts.push_back(layer.parameter_count());
  CHECK(counts == golden["layers"].flat<Index>());

  // Row by row and word by word; the widths of the columns are each library's own.
  const auto rows_of = [](std::istream&& text) {
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(text, line);) {
      if (!line.starts_with("│") && !line.starts_with(" Total")) continue;
      std::istringstream words(line);
      rows.emplace_back();
      for (std::string word; words >> word && !word.starts_with("(277");) {
        rows.back().push_back(word);
      }
    }
    return rows;
  };
  const auto keras = rows_of(std::ifstream(STRATA_GOLDEN_DIR "/keras_summary.txt"));
  REQUIRE(keras.size() == 6);
  CHECK(rows_of(std::istringstream(model.summary())) == keras);
}
