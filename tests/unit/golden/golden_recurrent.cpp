// Recurrent layers other than LSTM, masks, states and directions, against Keras: outputs, states,
// and gradients by everything.

#include "support/recurrent_golden.hpp"

using namespace strata;
using namespace strata::test;

namespace {

Index units_of(const Golden& golden, const std::string& name) {
  return golden[name + ".weight.recurrent_kernel"].shape[0];
}

/// The layer of a kind, of the options that the name of its case says.
template <class Scalar>
AnyLayer<Scalar> layer_named(const std::string& kind, const CaseName& name, Index units,
                             bool use_bias, bool sequences) {
  const bool backwards = name.has("backwards");
  const bool zero_output = name.has("zero_output");
  const std::string activations = name.after("activation");
  if (kind == "lstm") {
    return recurrent_layer<AnyLSTM, Scalar>(
        units, sequences,
        LSTMOptions{
            .use_bias = use_bias, .go_backwards = backwards, .zero_output_for_mask = zero_output});
  }
  if (kind == "simple_rnn") {
    SimpleRNNOptions options{
        .use_bias = use_bias, .go_backwards = backwards, .zero_output_for_mask = zero_output};
    if (!activations.empty()) options.activation = activation_named(activations);
    return recurrent_layer<AnySimpleRNN, Scalar>(units, sequences, options);
  }
  const auto gru = [&](auto options) {
    options.use_bias = use_bias;
    options.go_backwards = backwards;
    options.zero_output_for_mask = zero_output;
    if (!activations.empty()) {
      std::tie(options.activation, options.recurrent_activation) = activations_named(activations);
    }
    return options;
  };
  if (kind == "reset_before") {
    return recurrent_layer<ResetBeforeGRU, Scalar>(units, sequences, gru(GRUOptions()));
  }
  return recurrent_layer<AnyGRU, Scalar>(units, sequences, gru(GRUOptions()));
}

template <class Scalar>
void check_named(const Golden& golden, const std::string& kind, const std::string& name) {
  check_recurrent(golden, name,
                  layer_named<Scalar>(kind, CaseName(name), units_of(golden, name),
                                      golden.contains(name + ".weight.bias"),
                                      golden[name + ".y"].shape.rank() == 3));
}

Merge merge_named(const CaseName& name) {
  if (name.has("sum")) return Merge::sum;
  if (name.has("mul")) return Merge::mul;
  if (name.has("ave")) return Merge::ave;
  return Merge::concat;
}

/// Bidirectional over a kind of layer.
template <class Scalar>
AnyLayer<Scalar> bidirectional_named(const std::string& kind, Index units, bool sequences,
                                     Merge merge) {
  const auto wrap = [&](auto layer) { return AnyLayer<Scalar>(Bidirectional(layer, merge)); };
  const auto either = [&](auto last, auto all) { return sequences ? wrap(all) : wrap(last); };
  if (kind == "gru") return either(AnyGRU<Scalar, false>(units), AnyGRU<Scalar, true>(units));
  if (kind == "simple_rnn") {
    return either(AnySimpleRNN<Scalar, false>(units), AnySimpleRNN<Scalar, true>(units));
  }
  return either(AnyLSTM<Scalar, false>(units), AnyLSTM<Scalar, true>(units));
}

template <class Scalar>
void check_bidirectional(const Golden& golden, const std::string& kind, const std::string& name) {
  check_recurrent(golden, name,
                  bidirectional_named<Scalar>(
                      kind, golden[name + ".weight.forward.recurrent_kernel"].shape[0],
                      golden[name + ".y"].shape.rank() == 3, merge_named(CaseName(name))));
}

}  // namespace

TEMPLATE_TEST_CASE("GRU, reset after and before: as Keras", "[golden][gru]", float, double) {
  const Golden golden = Golden::read("gru.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 32);
  for (const auto& name : cases) {
    check_named<TestType>(golden, name.starts_with("reset_after") ? "gru" : "reset_before", name);
  }
  CHECK(golden.unread().empty());
}

TEMPLATE_TEST_CASE("SimpleRNN: as Keras", "[golden][simple_rnn]", float, double) {
  const Golden golden = Golden::read("simple_rnn.txt");
  const auto cases = golden.cases("weighting");
  REQUIRE(cases.size() == 17);
  for (const auto& name : cases) check_named<TestType>(golden, "simple_rnn", name);
  CHECK(golden.unread().empty());
}

TEMPLATE_TEST_CASE("Bidirectional: as Keras, of every merge mode", "[golden][bidirectional]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("bidirectional.txt");
  int count = 0;
  for (const auto& name : golden.cases("weighting")) {
    if (name == "stack") continue;
    check_bidirectional<Scalar>(golden, words_of(name).front(), name);
    ++count;
  }
  REQUIRE(count == 26);

  // merge_mode None is both halves of the concatenation.
  const auto split = golden.cases("weighting_forward");
  REQUIRE(split.size() == 6);
  for (const auto& name : split) {
    INFO(name);
    const auto x = golden[name + ".x"].template tensor<Scalar>();
    auto layer = bidirectional_named<Scalar>(
        words_of(name).front(), golden[name + ".weight.forward.recurrent_kernel"].shape[0],
        golden[name + ".y_forward"].shape.rank() == 3, Merge::concat);
    layer.build(x.features());
    load_layer(layer, golden, name + ".weight.");
    typename AnyLayer<Scalar>::Packed packed;
    layer.pack(packed, false);
    Tensor<Scalar> y;
    layer.forward(packed, x, y, {});
    const auto [forward, backward] = split_directions(y);
    require_tensor_close(forward, golden, name + ".y_forward", tolerance<Scalar>.values);
    require_tensor_close(backward, golden, name + ".y_backward", tolerance<Scalar>.values);
  }

  const auto x = golden["stack.x"].template tensor<Scalar>();
  Sequential<Scalar> stack;
  const Index units = golden["stack.weight.0.forward.recurrent_kernel"].shape[0];
  const Index above = golden["stack.weight.1.forward.recurrent_kernel"].shape[0];
  stack.add(Input{Dynamic, x.features()});
  stack.add(Bidirectional{AnyLSTM<Scalar, true>(units)});
  stack.add(Bidirectional{AnyLSTM<Scalar, false>(above)});
  load_layer(stack.layer(0), golden, "stack.weight.0.");
  load_layer(stack.layer(1), golden, "stack.weight.1.");
  require_tensor_close(stack.predict(x), golden, "stack.y", tolerance<Scalar>.values);
}

TEMPLATE_TEST_CASE("Masks: as Keras, padding on either side, holes, empty sequences",
                   "[golden][masks]", float, double) {
  const Golden golden = Golden::read("masks.txt");
  int count = 0;
  for (const auto& name : golden.cases("weighting")) {
    const std::string kind = words_of(name).front();
    if (kind == "bidirectional") {
      check_bidirectional<TestType>(golden, "lstm", name);
    } else if (kind == "lstm" || kind == "gru" || kind == "simple_rnn") {
      check_named<TestType>(golden, kind, name);
    } else {
      continue;
    }
    ++count;
  }
  REQUIRE(count == 56);
}

TEMPLATE_TEST_CASE("States: initial and final, as Keras", "[golden][states]", float, double) {
  const Golden golden = Golden::read("states.txt");
  int count = 0;
  for (const auto& name : golden.cases("weighting")) {
    const std::string kind = words_of(name).front();
    if (kind == "bidirectional") {
      check_bidirectional<TestType>(golden, "lstm", name);
    } else {
      check_named<TestType>(golden, kind, name);
    }
    ++count;
  }
  REQUIRE(count == 22);
}

TEMPLATE_TEST_CASE("States: a stack goes on from batch to batch, as Keras' stateful layers",
                   "[golden][states]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("states.txt");
  Sequential<Scalar> model;
  model.add(Input{Dynamic, golden["stateful.x0"].shape.back()});
  model.add(AnyLSTM<Scalar, true>(4));
  model.add(AnyLSTM<Scalar, true>(3));
  load_layer(model.layer(0), golden, "stateful.weight.0.");
  load_layer(model.layer(1), golden, "stateful.weight.1.");
  State<Scalar> state;
  for (const std::string part : {"0", "1", "2"}) {
    const auto x = golden["stateful.x" + part].template tensor<Scalar>();
    const auto y = model.predict(x, {.state = &state});
    require_tensor_close(y, golden, "stateful.y" + part, tolerance<Scalar>.values);
  }
}

TEMPLATE_TEST_CASE("Masks: Masking in stacks, with losses, metrics and gradients, as Keras",
                   "[golden][masks]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("masks.txt");
  const auto check = [&](const std::string& name, Sequential<Scalar> model,
                         const Loss<Scalar>& loss, const Metric<Scalar>& metric,
                         const std::string& metric_name) {
    INFO(name);
    const auto x = golden[name + ".x"].template tensor<Scalar>();
    model.build(Input{Dynamic, x.features()});
    load_parameters(model.parameters(), golden, name + ".weight.");
    Tensor<Scalar> y = golden[name + ".y_true"].template tensor<Scalar>();
    require_tensor_close(model.predict(x), golden, name + ".y", tolerance<Scalar>.values);

    auto network = model.trainable_network();
    typename TrainableNetwork<Scalar>::Tape tape;
    const auto& prediction = network.forward(x, tape, Random());
    const double value = loss(prediction, y, &tape.derivative, tape.masks.back());
    require_close(std::vector<double>{value}, golden[name + ".loss"].values,
                  tolerance<Scalar>.values);
    std::vector<Scalar> gradient(static_cast<std::size_t>(model.parameter_count()));
    network.backward(x, tape, gradient);
    require_parameters_close<Scalar>(model.parameters(), gradient, golden, name + ".grad.",
                                     tolerance<Scalar>.gradients);

    model.compile(Adam{}, loss, {metric});
    for (const Index batch_size : {Index{32}, Index{3}}) {
      const std::string prefix = batch_size == 3 ? name + ".batches_of_3." : name + ".";
      const Evaluation found = model.evaluate(x, y, {.batch_size = batch_size});
      require_close(std::vector<double>{found.loss, found[metric_name]},
                    std::vector<double>{golden[prefix + "loss"].value(),
                                        golden[prefix + "metric." + metric_name].value()},
                    tolerance<Scalar>.values);
    }
  };
  const auto masked = [&](const std::string& name) {
    Sequential<Scalar> model;
    model.add(Masking<Scalar>{0});
    model.add(AnyLSTM<Scalar, true>(golden[name + ".weight.lstm.recurrent_kernel"].shape[0]));
    return model;
  };
  const auto outputs = [&](const std::string& name) {
    return golden[name + ".weight.dense.kernel"].shape[1];
  };
  {
    const std::string name = "stack.masking";
    auto model = masked(name);
    model.add(AnyLSTM<Scalar, false>(golden[name + ".weight.lstm_1.recurrent_kernel"].shape[0]));
    model.add(Dense<Scalar>(outputs(name)));
    check(name, model, MeanSquaredError{}, MeanAbsoluteError{}, "mae");
  }
  {
    const std::string name = "stack.masking_sequences";
    auto model = masked(name);
    model.add(Dense<Scalar>(outputs(name)));
    check(name, model, MeanSquaredError{}, MeanAbsoluteError{}, "mae");
  }
  {
    const std::string name = "stack.masking_classes";
    auto model = masked(name);
    model.add(Dense<Scalar>(outputs(name), Activation::softmax));
    check(name, model, SparseCategoricalCrossentropy{}, Accuracy{}, "accuracy");
  }
}
