// A tape that is computed again in windows has the same results as a tape of all steps.

#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"

using namespace strata;
using namespace strata::test;

namespace {

struct Result {
  Tensor<double> y;
  Tensor<double> dx;
  std::vector<double> gradient;
  std::vector<double> final_state;
  std::vector<double> d_initial_state;
};

/// A training pass there and back, with a state before and after.
template <class Layer>
Result train(const Layer& layer, const Tensor<double>& x, const Mask* mask, bool with_state) {
  const auto size = static_cast<std::size_t>(x.batch() * layer.state_size());
  Result result;
  result.final_state.resize(size);
  result.d_initial_state.resize(size);
  const auto initial = random_tensor<double>({x.batch(), layer.state_size()}, 3);
  const auto d_final = random_tensor<double>({x.batch(), layer.state_size()}, 4);
  Pass<double> pass{.random = Random(5), .mask = mask};
  if (with_state) {
    pass.initial_state = {initial.data(), layer.state_size()};
    pass.final_state = {result.final_state.data(), layer.state_size()};
    pass.final_derivative = {d_final.data(), layer.state_size()};
    pass.initial_derivative = {result.d_initial_state.data(), layer.state_size()};
  }
  typename Layer::Packed packed;
  typename Layer::Tape tape;
  layer.pack(packed, true);
  layer.forward(packed, x, tape, result.y, pass);
  auto dy = random_tensor<double>(result.y.shape(), 17);
  auto changed = layer;
  std::size_t count = 0;
  for (const auto& parameter : changed.parameters()) count += parameter.values.size();
  result.gradient.assign(count, 0.25);
  layer.backward(packed, x, result.y, dy, tape, result.gradient, &result.dx, pass);
  return result;
}

/// Makes a layer of `options`, which are changed in nothing but `recompute`.
template <class Layer, class Options>
void check(Index units, Options options) {
  constexpr Index features = 3;
  // Windows of 73, 8 and 1 steps, the last one shorter or not.
  for (const auto& [batch, steps] : {std::pair<Index, Index>{7, 150}, {64, 16}, {600, 3}}) {
    const auto x = random_tensor<double>({batch, steps, features}, 2);
    std::vector<Index> lengths;
    for (Index b = 0; b < batch; ++b) lengths.push_back(1 + b % steps);
    const Mask mask = Mask::from_lengths(lengths, steps);
    for (const Mask* const some : {static_cast<const Mask*>(nullptr), &mask}) {
      for (const bool with_state : {false, true}) {
        INFO("batch " << batch << ", mask " << (some != nullptr) << ", state " << with_state);
        Options with = options;
        with.recompute = true;
        Layer kept(units, options);
        Layer again(units, with);
        for (Layer* const layer : {&kept, &again}) {
          layer->build(features);
          layer->initialize(Random(7));
        }
        const Result expected = train(kept, x, some, with_state);
        const Result found = train(again, x, some, with_state);
        CHECK(test::equal(found.y.values(), expected.y.values()));
        CHECK(test::equal(found.dx.values(), expected.dx.values()));
        CHECK(found.final_state == expected.final_state);
        CHECK(found.d_initial_state == expected.d_initial_state);
        // Sums over 1050 to 1800 rows, in another order.
        require_close(found.gradient, expected.gradient, {1e-11, 1e-12}, "gradient");
      }
    }
  }
}

}  // namespace

TEST_CASE("recompute: LSTM", "[recompute]") {
  using Last = LSTM<double>;
  using Sequence = LSTM<double, Dynamic, Dynamic, return_sequences>;
  check<Last>(5, LSTMOptions());
  check<Sequence>(19, LSTMOptions());
  check<Sequence>(4, LSTMOptions{.dropout = 0.3, .recurrent_dropout = 0.4, .go_backwards = true});
  check<Sequence>(4, LSTMOptions{.zoneout = 0.3, .memory_zoneout = 0.2});
}

TEST_CASE("recompute: other cells", "[recompute]") {
  check<GRU<double>>(5, GRUOptions{.recurrent_dropout = 0.2});
  check<ResetBeforeGRU<double>>(5, GRUOptions());
  check<SimpleRNN<double>>(5, SimpleRNNOptions());
  check<ExtendedLSTM<double>>(5, ExtendedLSTMOptions());
  check<ExtendedLSTM<double>>(5, ExtendedLSTMOptions{.projection = 3});
  check<WindowLSTM<double>>(5, WindowLSTMOptions{.characters = 2, .length = 3});
  check<LayerNormLSTM<double>>(5, LayerNormLSTMOptions());
  check<DeepTransitionRNN<double>>(5, DeepTransitionOptions{.transitions = {4}, .shortcut = true});
}

TEST_CASE("recompute: less memory", "[recompute]") {
  const auto gates_of = [](bool recompute) {
    LSTM<float> layer{64, {.recompute = recompute}};
    layer.build(8);
    layer.initialize(Random(1));
    const auto x = random_tensor<float>({32, 96, 8}, 2);
    Tensor<float> y;
    LSTM<float>::Packed packed;
    LSTM<float>::Tape tape;
    layer.pack(packed, true);
    layer.forward(packed, x, tape, y, {});
    return tape.cell.z.size();
  };
  // 16 steps of 96.
  CHECK(96 * gates_of(true) == 16 * gates_of(false));
}
