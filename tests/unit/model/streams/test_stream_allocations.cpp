#include <vector>

#include <strata/layers/activate.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/masking.hpp>
#include <strata/layers/residual.hpp>
#include <strata/layers/skip_connections.hpp>
#include <strata/layers/time_distributed.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/stream.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

// A running stream asks for no memory.

namespace {

using namespace strata;
using strata::test::allocations_of;

template <class Model>
void check(const Model& model, Precision precision = Precision::full) {
  Stream stream{model, precision};
  const std::vector<float> in(32, 0.5f);
  std::vector<float> out(32);
  const auto state = stream.state();
  float sum = 0;
  // From the first step on: nothing needs to warm up.
  REQUIRE(allocations_of([&] { sum += stream(1.0f); }) == 0);
  REQUIRE(allocations_of([&] { sum += stream.step(typename Stream<Model>::In(&in[0], 1))[0]; }) ==
          0);
  REQUIRE(allocations_of([&] { sum += *stream.step(in.data()); }) == 0);
  REQUIRE(allocations_of([&] { stream.process(in, out); }) == 0);
  REQUIRE(allocations_of([&] { stream.set_state(state); }) == 0);
  REQUIRE(allocations_of([&] { stream.reset(); }) == 0);
  REQUIRE(allocations_of([&] { stream.update(model); }) == 0);
  Stream second{model, precision};
  REQUIRE(allocations_of([&] { stream.swap_weights(second); }) == 0);
  REQUIRE(allocations_of([&] { sum += static_cast<float>(stream.state().layers.size()); }) == 0);
  REQUIRE(sum != 0);
  // Copies allocate, so the check can fail.
  REQUIRE(allocations_of([&] { Stream other{model, precision}; }) > 0);
  REQUIRE(allocations_of([&] { const auto copy = stream.state(); }) > 0);
  // A copy keeps the weights, so that new ones need memory of their own.
  const Stream copy = stream;
  REQUIRE(allocations_of([&] { stream.update(model); }) > 0);
}

}  // namespace

TEST_CASE("Stream: no allocation, sizes fixed by the type", "[stream]") {
  using Model = Sequential<LSTM<float, 1, 40, return_sequences>,
                           LSTM<float, 40, 20, return_sequences>, Dense<float, 20, 1>>;
  check(Model());
  check(Model(), Precision::int16);
  check(Model(), Precision::half);
}

TEST_CASE("Stream: no allocation, a model chosen at run time", "[stream]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{40, return_sequences});
  model.add(Dropout{0.2});
  model.add(Dense{7, Activation::relu});
  model.add(LSTM{5, {.activation = Activation::softsign}});
  model.add(Dense{3, Activation::softmax});
  model.add(Dense{1});
  check(model);
}

TEST_CASE("Stream: no allocation in layers around recurrent ones", "[stream]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 1});
  model.add(Masking{0});
  model.add(BatchNormalization{});
  model.add(SkipConnections{LSTM{9, return_sequences}, LSTM{20, return_sequences}});
  model.add(LayerNormalization{});
  model.add(Residual{LSTM{29, return_sequences}});
  model.add(TimeDistributed{Dense{7}});
  model.add(Activate{Activation::softmax});
  model.add(Dense{1});
  check(model);
}
