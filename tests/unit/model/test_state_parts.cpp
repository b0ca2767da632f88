#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

template <class Model>
std::string names_of(const Model& model) {
  std::string names;
  for (const NamedState& part : state_parts(model)) {
    names += part.name + " " + std::to_string(part.size) + "; ";
  }
  return names;
}

}  // namespace

TEST_CASE("State parts: each has the name of its layer", "[state_parts]") {
  const auto with = [](auto... layers) {
    return names_of(Sequential{Input{Dynamic, 2}, std::move(layers)...});
  };
  CHECK(with(LSTM{3, return_sequences}, Dense{4}, LSTM{5, return_sequences}, GRU{2}) ==
        "lstm.h 3; lstm.c 3; lstm_1.h 5; lstm_1.c 5; gru.h 2; ");
  CHECK(with(Bidirectional{LSTM{3, return_sequences}}) ==
        "bidirectional.forward.h 3; bidirectional.forward.c 3; bidirectional.backward.h 3; "
        "bidirectional.backward.c 3; ");
  CHECK(with(AllOutputs{LSTM{1, return_sequences}, Dense{3}, Residual{GRU{3, return_sequences}}}) ==
        "all_outputs.0.h 1; all_outputs.0.c 1; all_outputs.2.h 3; ");
  CHECK(with(ExtendedLSTM{4, {.projection = 2}}) == "extended_lstm.h 2; extended_lstm.c 4; ");
  CHECK(with(Dense{1}).empty());
}

TEST_CASE("State parts: a model chosen at run time has those of the type", "[state_parts]") {
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(SkipConnections{LSTM{3, return_sequences}, GRU{2, return_sequences}});
  model.add(LSTM{4});
  CHECK(names_of(model) ==
        "skip_connections.0.h 3; skip_connections.0.c 3; skip_connections.1.h 2; lstm.h 4; "
        "lstm.c 4; ");
}

TEST_CASE("State parts: they are the numbers of the state", "[state_parts]") {
  Sequential model{Input{Dynamic, 1}, LSTM{3, return_sequences}, LSTM{2}};
  model.initialize(3);
  Stream stream{model};
  std::vector<float> y;
  for (const float x : {0.5f, -1.f, 2.f}) {
    const auto out = stream.step(std::span(&x, 1));
    y.assign(out.begin(), out.end());
  }
  const std::vector<NamedState> parts = state_parts(model);
  REQUIRE(parts.size() == 4);
  // h of the last layer is the output.
  const std::span<const float> h = parts[2].of(stream.state());
  CHECK(std::vector<float>(h.begin(), h.end()) == y);
  CHECK(parts[3].of(stream.state()).data() == stream.state().layers[1].data() + 2);

  State<float> both;
  Tensor<float> x({2, 3, 1}, {9, 9, 9, 0.5f, -1, 2});
  const Tensor<float> outputs = model.predict(x, {.state = &both});
  const std::span<const float> second = parts[2].of(both, 1);
  for (Index u = 0; u < 2; ++u) {
    CHECK(second[static_cast<std::size_t>(u)] == outputs(1, u));
    // A batch may round otherwise than a stream.
    CHECK(std::abs(outputs(1, u) - y[static_cast<std::size_t>(u)]) < 1e-6f);
  }
}

TEST_CASE("State parts: a model without sizes has none", "[state_parts]") {
  CHECK(error_text<StateError>([] { (void)state_parts(Sequential{LSTM{3}}); }) ==
        "state_parts: the model's sizes are not known yet; call build or fit first");
}
