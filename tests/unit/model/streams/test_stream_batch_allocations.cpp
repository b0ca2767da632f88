#include <vector>

#include <strata/layers/dense.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/residual.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/stream_batch.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

// A StreamBatch asks for no memory once there is room for its streams. Its layers may.

namespace {

using namespace strata;
using strata::test::allocations_of;

}  // namespace

TEST_CASE("StreamBatch: no allocation after reserve", "[stream]") {
  Sequential<float> model;
  model.add(Embedding{8, 6});
  model.add(Residual{Dense{6, Activation::tanh}});
  model.add(LayerNormalization{});
  model.add(Dense{3, Activation::softmax});
  StreamBatch streams{model};
  streams.reserve(20);
  std::vector<StreamId> ids(20);
  CHECK(allocations_of([&] {
          for (StreamId& id : ids) id = streams.join();
        }) == 0);
  std::vector<float> x(20, 1.0f);
  std::vector<float> y(60);
  const auto some = std::span(ids).subspan(3, 8);
  streams.step(some);
  const auto check = [&] {
    CHECK(allocations_of([&] { streams.step(); }) == 0);
    CHECK(allocations_of([&] { streams.step(some); }) == 0);
    CHECK(allocations_of([&] { streams.step(x, y); }) == 0);
    CHECK(allocations_of([&] { streams.input(ids[3])[0] = 2; }) == 0);
    CHECK(allocations_of([&] { y[0] = streams.output(ids[3])[0]; }) == 0);
    CHECK(allocations_of([&] { streams.reset(ids[3]); }) == 0);
    CHECK(allocations_of([&] { streams.reset(); }) == 0);
  };
  check();
  // Streams come and go.
  CHECK(allocations_of([&] {
          for (int i = 0; i < 100; ++i) {
            StreamId& id = ids[static_cast<std::size_t>(i * 7 % 20)];
            streams.leave(id);
            id = streams.join();
          }
        }) == 0);
  check();
  // Copies allocate, so the check can fail.
  CHECK(allocations_of([&] { (void)streams.join(); }) > 0);
}

TEST_CASE("StreamBatch: no allocation but those of its layers", "[stream]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 2});
  model.add(LSTM{9});
  StreamBatch streams{model};
  streams.reserve(18);
  for (int i = 0; i < 18; ++i) (void)streams.join();
  streams.step();

  ForwardNetwork<float>::Packed packed;
  model.forward_network().pack(packed, false);
  auto state = model.zero_state(18);
  Pass<float> pass;
  pass.final_state = state.rows(0);
  pass.initial_state = pass.final_state;
  const Tensor<float> x({18, 1, 2});
  Tensor<float> y({18, 9});
  const auto of_layer = allocations_of([&] { model.layers()[0].forward(packed[0], x, y, pass); });
  CHECK(allocations_of([&] { streams.step(); }) == of_layer);
  INFO("allocations of the layer: " << of_layer);
}
