// Training with masks, states, windows, weight noise, penalties and limits; encoder and decoder.

#include <strata/strata.hpp>
#include <strata/train/apply_weight_rules.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/layer_cases.hpp"

using namespace strata;
using namespace strata::test;

namespace {

using SequenceLSTM = LSTM<double, Dynamic, Dynamic, return_sequences>;

Sequential<double> sequence_model() {
  Sequential<double> model;
  model.add(Input{Dynamic, 2});
  model.add(SequenceLSTM{5});
  model.add(Dense<double>{1});
  return model;
}

/// Whether the E that f throws says this.
template <class E, class F>
void check_error(F f, const std::string& wanted) {
  const std::string text = error_text<E>(f);
  INFO(text);
  CHECK(text.find(wanted) != std::string::npos);
}

Tensor<double> steps_of(const Tensor<double>& x, Index first, Index count) {
  Tensor<double> part({x.batch(), count, x.features()});
  for (Index b = 0; b < x.batch(); ++b) {
    part.sequence(b) = x.sequence(b).middleRows(first, count);
  }
  return part;
}

}  // namespace

TEST_CASE("fit: what masked steps hold changes nothing") {
  auto x = random_tensor<double>({6, 5, 2}, 1);
  auto y = random_tensor<double>({6, 5, 1}, 2);
  const std::vector<Index> lengths{5, 3, 1, 4, 2, 5};
  const Mask mask = Mask::from_lengths(lengths, 5);
  const auto train = [&] {
    auto model = sequence_model();
    model.compile(Adam{}, MeanSquaredError{}, {MeanAbsoluteError{}});
    const auto history = model.fit(x, y,
                                   {.epochs = 3,
                                    .batch_size = 4,
                                    .mask = mask,
                                    .validation_data = {{x, y}},
                                    .validation_mask = mask,
                                    .verbose = 0});
    return std::pair(model.weights(), history["val_mae"]);
  };
  const auto before = train();
  for (Index b = 0; b < 6; ++b) {
    for (Index t = lengths[static_cast<std::size_t>(b)]; t < 5; ++t) {
      x(b, t, 0) = 1e3;
      y(b, t, 0) = -1e3;
    }
  }
  CHECK(train() == before);
}

TEST_CASE("A sample with padding is the sample without") {
  const auto x = random_tensor<double>({3, 4, 2}, 3);
  const auto y = random_tensor<double>({3, 4, 1}, 4);
  Tensor<double> longer({3, 7, 2});
  Tensor<double> targets({3, 7, 1});
  for (Index b = 0; b < 3; ++b) {
    longer.sequence(b).topRows(4) = x.sequence(b);
    targets.sequence(b).topRows(4) = y.sequence(b);
  }
  const Mask mask = Mask::from_lengths(std::vector<Index>{4, 4, 4}, 7);
  auto model = sequence_model();
  auto padded = model;
  model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  padded.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  for (int step = 0; step < 3; ++step) {
    const double loss = model.train_on_batch(x, y).loss;
    CHECK(padded.train_on_batch(longer, targets, {.mask = mask}).loss == Approx(loss));
    CHECK(padded.test_on_batch(longer, targets, {.mask = mask}).loss ==
          Approx(model.test_on_batch(x, y).loss));
  }
  require_close(padded.weights(), model.weights(), {1e-12, 1e-12});
}

TEST_CASE("fit: windows of truncated back-propagation are steps with a state handed on") {
  const auto x = random_tensor<double>({4, 10, 2}, 5);
  const auto y = random_tensor<double>({4, 10, 1}, 6);
  auto fitted = sequence_model();
  auto stepped = fitted;
  fitted.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  (void)fitted.fit(x, y, {.batch_size = 4, .shuffle = false, .truncate = 4, .verbose = 0});

  Trainer trainer{stepped, SGD{.learning_rate = 0.1}, MeanSquaredError{}};
  State<double> state;
  for (const auto& [first, count] : std::vector<std::pair<Index, Index>>{{0, 4}, {4, 4}, {8, 2}}) {
    trainer.step(steps_of(x, first, count), steps_of(y, first, count), {.state = &state});
  }
  CHECK(fitted.weights() == stepped.weights());
}

TEST_CASE("fit: a model with one output per sequence is trained at the last window") {
  const auto x = random_tensor<double>({4, 10, 2}, 5);
  const auto y = random_tensor<double>({4, 1}, 6);
  Sequential<double> model;
  model.add(LSTM<double>{5});
  model.add(Dense<double>{1});
  model.build(Input{Dynamic, 2});
  auto stepped = model;
  model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  (void)model.fit(x, y, {.batch_size = 4, .shuffle = false, .truncate = 6, .verbose = 0});

  State<double> state;
  (void)stepped.predict(steps_of(x, 0, 6), {.state = &state});
  stepped.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  stepped.train_on_batch(steps_of(x, 6, 4), y, {.state = &state});
  CHECK(model.weights() == stepped.weights());
}

TEST_CASE("fit: windows and validation of class numbers, of any number of steps") {
  Tensor<double> x({4, 10});
  Tensor<double> y({4, 10});
  Random random(3);
  for (double& id : x.values()) id = static_cast<double>(random.below(5));
  for (double& id : y.values()) id = static_cast<double>(random.below(3));
  Sequential<double> model;
  model.add(Embedding<double>{5, 4});
  model.add(SequenceLSTM{5});
  model.add(Dense<double>{3, Activation::softmax});
  auto stepped = model;
  model.compile(SGD{.learning_rate = 0.1}, SparseCategoricalCrossentropy{});
  const auto ids_of = [](const Tensor<double>& all, Index first, Index count) {
    Tensor<double> part({all.batch(), count});
    part.matrix() = all.matrix().middleCols(first, count);
    return part;
  };
  (void)model.fit(x, y,
                  {.batch_size = 4,
                   .shuffle = false,
                   .validation_data = {{ids_of(x, 0, 3), ids_of(y, 0, 3)}},
                   .truncate = 6,
                   .verbose = 0});
  Trainer trainer{stepped, SGD{.learning_rate = 0.1}, SparseCategoricalCrossentropy{}};
  State<double> state;
  trainer.step(ids_of(x, 0, 6), ids_of(y, 0, 6), {.state = &state});
  trainer.step(ids_of(x, 6, 4), ids_of(y, 6, 4), {.state = &state});
  CHECK(model.weights() == stepped.weights());
}

TEST_CASE("fit: stateful goes on from batch to batch, and anew in each epoch") {
  const auto x = random_tensor<double>({6, 3, 2}, 7);
  const auto y = random_tensor<double>({6, 3, 1}, 8);
  auto fitted = sequence_model();
  auto stepped = fitted;
  fitted.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  (void)fitted.fit(
      x, y, {.epochs = 2, .batch_size = 2, .shuffle = false, .stateful = true, .verbose = 0});
  stepped.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  for (int epoch = 0; epoch < 2; ++epoch) {
    State<double> state;
    for (Index first = 0; first < 6; first += 2) {
      stepped.train_on_batch(x.rows(first, 2), y.rows(first, 2), {.state = &state});
    }
  }
  CHECK(fitted.weights() == stepped.weights());
}

TEST_CASE("fit: every sample begins in its initial state, whatever the order of the samples") {
  const auto x = random_tensor<double>({5, 4, 2}, 21);
  const auto y = random_tensor<double>({5, 4, 1}, 22);
  auto model = sequence_model();
  State<double> begin = model.network().zero_state(5);
  Random random(23);
  for (double& number : begin.layers[0]) number = 2 * random.uniform() - 1;
  const auto trained = [&](const FitOptions<double>& options) {
    auto one = sequence_model();
    one.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
    const History history = one.fit(x, y, options);
    return std::pair(one.weights(), history["loss"]);
  };

  // One batch of all samples is a step with the states, in any order but for rounding.
  auto steps = sequence_model();
  steps.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  State<double> state = begin;
  (void)steps.train_on_batch(x, y, {.state = &state});
  const auto [weights, epochs] =
      trained({.batch_size = 5, .shuffle = false, .initial_state = begin, .verbose = 0});
  CHECK(weights == steps.weights());
  const auto [shuffled_weights, more] =
      trained({.batch_size = 5, .seed = 4, .initial_state = begin, .verbose = 0});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CHECK(std::abs(shuffled_weights[i] - weights[i]) < 1e-14);
  }
  CHECK(trained({.batch_size = 5, .shuffle = false, .verbose = 0}).first != weights);

  // Windows begin in it, and validation does.
  const auto [windows, window_epochs] = trained(
      {.batch_size = 5, .shuffle = false, .initial_state = begin, .truncate = 4, .verbose = 0});
  CHECK(windows == weights);
  const State<double> last = begin.part(3, 2);
  const Tensor<double> x_last = x.rows(3, 2);
  const Tensor<double> y_last = y.rows(3, 2);
  auto validated = sequence_model();
  validated.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  const History history = validated.fit(x, y,
                                        {.initial_state = begin,
                                         .validation_data = {{x_last, y_last}},
                                         .validation_state = last,
                                         .verbose = 0});
  State<double> own = last;
  CHECK(history["val_loss"][0] == validated.evaluate(x_last, y_last, {.state = &own}).loss);
  auto split = sequence_model();
  split.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  const History parts =
      split.fit(x, y, {.validation_split = 0.4, .initial_state = begin, .verbose = 0});
  own = last;
  CHECK(parts["val_loss"][0] == split.evaluate(x_last, y_last, {.state = &own}).loss);
}

TEST_CASE("fit: initial states that do not fit are refused before anything changes") {
  const auto x = random_tensor<double>({4, 3, 2}, 31);
  const auto y = random_tensor<double>({4, 3, 1}, 32);
  auto model = sequence_model();
  model.compile(Adam{}, MeanSquaredError{});
  const auto before = model.weights();
  const auto refused = [&](const FitOptions<double>& options) {
    const std::string text = error_text<Error>([&] { (void)model.fit(x, y, options); });
    CHECK(model.weights() == before);
    return text;
  };
  const State<double> three = model.network().zero_state(3);
  CHECK(refused({.initial_state = three, .verbose = 0}) ==
        "initial_state: expects 4 sequences, found 3");
  State<double> wrong = model.network().zero_state(4);
  wrong.layers[0][7] = std::nan("");
  CHECK(refused({.initial_state = wrong, .verbose = 0}) ==
        "initial_state: the state of layer 0 has the number nan");
  wrong.layers.pop_back();
  CHECK(refused({.initial_state = wrong, .verbose = 0}) ==
        "initial_state: the number of layers: expects 2, found 1");
  CHECK(refused({.validation_state = three, .verbose = 0}) ==
        "fit: validation_state needs validation_data");
  CHECK(refused({.validation_data = {{x, y}}, .validation_state = three, .verbose = 0}) ==
        "validation_state: expects 4 sequences, found 3");
  CHECK(refused({.shuffle = false,
                 .initial_state = model.network().zero_state(4),
                 .stateful = true,
                 .verbose = 0}) ==
        "fit: stateful begins each epoch with zeros, so it excludes initial_state");
}

TEST_CASE("States: predict in parts is predict of the whole, also batch by batch") {
  const auto model = sequence_model();
  const auto x = random_tensor<double>({5, 6, 2}, 9);
  const auto whole = model.predict(x);
  State<double> state;
  const auto first = model.predict(steps_of(x, 0, 2), {.batch_size = 2, .state = &state});
  const auto second = model.predict(steps_of(x, 2, 4), {.batch_size = 3, .state = &state});
  CHECK((second.sequence(4) - whole.sequence(4).bottomRows(4)).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(state.batch == 5);
  CHECK(state.part(1, 2).layers[0].size() == 2 * 10);

  Stream stream{model};
  stream.set_state(state.part(3, 1));
  CHECK(stream.state() == state.part(3, 1));

  // A sequence ends, another begins in its place.
  State<double> mixed = state;
  mixed.reset(1, 2);
  CHECK(mixed.part(1, 2) == model.zero_state(2));
  CHECK(mixed.part(3, 2) == state.part(3, 2));
  mixed.set_part(0, state.part(4, 1));
  CHECK(mixed.part(0, 1) == state.part(4, 1));
  check_error<ValueError>([&] { mixed.set_part(4, state.part(0, 2)); },
                          "sequences 4 to 6 of a state of 5 sequences");
  check_error<ShapeError>(
      [&] {
        mixed.set_part(0, State<double>{1, {}});
      },
      "set_part: the part is the state of another model");
}

TEST_CASE("fit: weight noise changes the training and leaves clean weights") {
  const auto x = random_tensor<double>({8, 3, 2}, 10);
  const auto y = random_tensor<double>({8, 3, 1}, 11);
  const auto train = [&](double noise, double rate) {
    auto model = sequence_model();
    const auto before = model.weights();
    model.compile(SGD{.learning_rate = rate}, MeanSquaredError{});
    (void)model.fit(x, y, {.weight_noise = noise, .verbose = 0});
    return std::pair(before, model.weights());
  };
  const auto [before, unmoved] = train(0.5, 0);
  CHECK(unmoved == before);
  CHECK(train(0.1, 0.1).second != train(0, 0.1).second);
  CHECK(train(0.1, 0.1).second == train(0.1, 0.1).second);
}

TEST_CASE("Penalties and limits of weights are those of Keras", "[golden]") {
  const Golden golden = Golden::read("around.txt");
  const auto x = golden["regularizer.x"].flat<double>();
  std::vector<double> weights = x;
  const std::vector<Parameter<double>> parameters{
      {"a.kernel", golden["regularizer.x"].shape, weights}};
  const auto check = [&](const std::string& name, L1L2 rule) {
    INFO(name);
    std::vector<double> gradient(weights.size(), 0.25);
    const WeightRules rules{.regularizers = {{"kernel", rule}}};
    CHECK(detail::penalty(rules, parameters, std::span<double>(gradient)) ==
          Approx(golden["regularizer." + name + ".value"].value()));
    for (double& value : gradient) value -= 0.25;
    require_close(gradient, golden["regularizer." + name + ".grad"].values, {1e-14, 1e-14});
  };
  check("l1", L1{golden["regularizer.l1.l1"].value()});
  check("l2", L2{golden["regularizer.l2.l2"].value()});
  check("l1_l2",
        L1L2{golden["regularizer.l1_l2.l1"].value(), golden["regularizer.l1_l2.l2"].value()});

  const auto number = [&](const std::string& name) { return golden["constraint." + name].value(); };
  const std::vector<std::pair<std::string, Constraint>> constraints{
      {"max_norm", MaxNorm{number("max_norm.max_value")}},
      {"unit_norm", UnitNorm{}},
      {"non_neg", NonNegative{}},
      {"min_max_norm",
       MinMaxNorm{number("min_max_norm.min_value"), number("min_max_norm.max_value")}},
      {"min_max_norm_rate",
       MinMaxNorm{number("min_max_norm_rate.min_value"), number("min_max_norm_rate.max_value"),
                  number("min_max_norm_rate.rate")}}};
  for (const auto& [name, rule] : constraints) {
    INFO(name);
    auto limited = golden["constraint.x"].flat<double>();
    detail::constrain(rule, Parameter<double>{"kernel", golden["constraint.x"].shape, limited});
    require_close(limited, golden["constraint." + name + ".y"].values, {1e-14, 1e-14});
  }
}

TEST_CASE("compile: penalties are part of the loss, limits hold after each step") {
  const auto x = random_tensor<double>({8, 3, 2}, 12);
  const auto y = random_tensor<double>({8, 3, 1}, 13);
  auto model = sequence_model();
  model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
  const double plain = model.evaluate(x, y).loss;
  double squares = 0;
  const auto parameters = model.parameters();
  for (const double w : parameters.front().values) squares += w * w;
  model.compile(
      SGD{.learning_rate = 0.1}, MeanSquaredError{}, {},
      {.regularizers = {{"lstm.kernel", L2{0.3}}}, .constraints = {{"dense.kernel", UnitNorm{}}}});
  CHECK(model.evaluate(x, y).loss == Approx(plain + 0.3 * squares));
  CHECK(model.train_on_batch(x, y).loss == Approx(plain + 0.3 * squares));
  double norm = 0;
  for (const auto& parameter : model.parameters()) {
    if (parameter.name != "dense.kernel") continue;
    for (const double w : parameter.values) norm += w * w;
  }
  CHECK(norm == Approx(1));

  model.compile(SGD{}, MeanSquaredError{}, {}, {.regularizers = {{"gru.kernel", L1{}}}});
  check_error<ValueError>([&] { (void)model.train_on_batch(x, y); },
                          "compile: the model has no parameter named gru.kernel");
}

TEST_CASE("Encoder and decoder: the state is handed over, and derivatives through it") {
  Sequential<double> encoder;
  encoder.add(Input{Dynamic, 2});
  encoder.add(SequenceLSTM{4});
  encoder.add(GRU<double>{3});
  Sequential<double> decoder;
  decoder.add(Input{Dynamic, 1});
  decoder.add(SequenceLSTM{4});
  decoder.add(Dense<double>{2, Activation::tanh});
  decoder.add(GRU<double, Dynamic, Dynamic, true>{3});
  decoder.add(Dense<double>{1});
  const auto x = random_tensor<double>({3, 5, 2}, 14);
  const auto given = random_tensor<double>({3, 4, 1}, 15);
  const auto target = random_tensor<double>({3, 4, 1}, 16);
  const EncoderDecoderMasks masks{Mask::from_lengths(std::vector<Index>{5, 2, 3}, 5), {}};

  const auto loss = [&] {
    State<double> state;
    (void)encoder.predict(x, {.mask = masks.encoder, .state = &state});
    state = hand_over(encoder, state, decoder);
    const auto y = decoder.predict(given, {.state = &state});
    return Loss<double>(MeanSquaredError{})(y, target, nullptr);
  };
  const double before = loss();
  const auto encoder_weights = encoder.weights();
  const auto decoder_weights = decoder.weights();
  // The change of a plain step of rate 1 is the gradient.
  EncoderDecoderTrainer trainer{encoder, decoder, SGD{.learning_rate = 1}, MeanSquaredError{}};
  CHECK(trainer.step(x, given, target, masks) == Approx(before));
  const auto encoder_after = encoder.weights();
  const auto decoder_after = decoder.weights();
  encoder.set_weights(encoder_weights);
  decoder.set_weights(decoder_weights);

  const auto check = [&](Sequential<double>& model, const std::vector<double>& after) {
    auto weights = model.weights();
    const auto kept = weights;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double step = 1e-5;
      weights[i] = kept[i] + step;
      model.set_weights(weights);
      const double above = loss();
      weights[i] = kept[i] - step;
      model.set_weights(weights);
      const double below = loss();
      weights[i] = kept[i];
      CHECK(kept[i] - after[i] == Approx((above - below) / (2 * step)).margin(2e-8));
    }
    model.set_weights(kept);
  };
  check(encoder, encoder_after);
  check(decoder, decoder_after);

  Sequential<double> narrow;
  narrow.add(Input{Dynamic, 1});
  narrow.add(SequenceLSTM{4});
  narrow.add(SequenceLSTM{3});
  const State<double> state = encoder.zero_state(3);
  check_error<ShapeError>(
      [&] { (void)hand_over(encoder, state, narrow); },
      "hand_over: layer 1 (GRU, 3 units) of the encoder has a state of 3 numbers, layer "
      "1 (LSTM, 3 units) of the decoder one of 6");
}

TEST_CASE("Errors of masks, states and windows") {
  const auto x = random_tensor<double>({4, 5, 2}, 17);
  const auto y = random_tensor<double>({4, 5, 1}, 18);
  auto model = sequence_model();
  model.compile(Adam{}, MeanSquaredError{});
  const Mask wrong(4, 6);
  check_error<ShapeError>(
      [&] { (void)model.predict(x, {.mask = wrong}); },
      "mask: x has the shape (4, 5, 2), so the mask has the shape (4, 5); found (4, 6)");
  check_error<ShapeError>([&] { (void)model.fit(x, y, {.mask = wrong, .verbose = 0}); },
                          "mask: x has");
  check_error<ValueError>(
      [&] {
        (void)Mask::from_lengths(std::vector<Index>{3, 7}, 5);
      },
      "the length of sequence 1 must be from 0 to 5 steps, found 7");
  check_error<ShapeError>(
      [&] {
        (void)Mask(Tensor<double>({2, 3, 1}));
      },
      "a mask has the shape (B, T), found (2, 3, 1)");
  State<double> state = model.zero_state(3);
  check_error<ShapeError>([&] { (void)model.predict(x, {.state = &state}); },
                          "state: expects 4 sequences, found 3");
  state = model.zero_state(4);
  state.layers[0].pop_back();
  check_error<ShapeError>(
      [&] { (void)model.predict(x, {.state = &state}); },
      "state: the size of a layer's state: layer 0 (LSTM, 5 units): expects 40, found 39");
  check_error<ValueError>([&] { (void)model.zero_state(3).part(2, 2); },
                          "sequences 2 to 4 of a state of 3 sequences");
  check_error<ValueError>([&] { (void)model.fit(x, y, {.stateful = true, .verbose = 0}); },
                          "fit: stateful needs shuffle = false");
  check_error<ValueError>(
      [&] {
        (void)model.fit(x, y, {.batch_size = 3, .shuffle = false, .stateful = true, .verbose = 0});
      },
      "fit: stateful needs batches of equal size, found 4 samples in batches of 3");
  check_error<ValueError>([&] { (void)model.fit(x, y, {.truncate = -1, .verbose = 0}); },
                          "fit: truncate must be at least 1 step, or 0, found -1");
  check_error<ValueError>([&] { (void)model.fit(x, y, {.weight_noise = -1, .verbose = 0}); },
                          "fit: weight_noise must be at least 0, found -1");
  Sequential<double> both;
  both.add(Bidirectional{SequenceLSTM{3}});
  both.add(Dense<double>{1});
  both.compile(Adam{}, MeanSquaredError{});
  check_error<ValueError>(
      [&] { (void)both.fit(x, y, {.truncate = 2, .verbose = 0}); },
      "fit: stateful and truncate carry a state: layer 0 (Bidirectional LSTM, 3 units): "
      "Bidirectional needs the whole sequence, which a stream does not have");
  both.build(Input{Dynamic, 2});
  check_error<ValueError>([&] { (void)Stream(both); },
                          "Stream: layer 0 (Bidirectional LSTM, 3 units): Bidirectional needs the "
                          "whole sequence, which a stream does not have");
}
