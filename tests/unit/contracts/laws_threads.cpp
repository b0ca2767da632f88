// Laws of shards and threads, for every layer; layer_cases.cpp lists the layers.

#include <vector>

#include <strata/model/forward_batches.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/training.hpp>

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/tolerance.hpp"

using namespace strata;
using namespace strata::test;

namespace {

/// One layer as a network that is trained with any number of threads.
template <class Scalar>
class TrainedLayer {
 public:
  TrainedLayer(const LayerCase<Scalar>& one, int threads) : layer_(one.layer) {
    setup_.built = true;
    setup_.threads = detail::make_threads(threads);
  }

  TrainableNetwork<Scalar> network() { return {std::vector<TrainableRef<Scalar>>{layer_}, setup_}; }

 private:
  AnyLayer<Scalar> layer_;
  NetworkSetup setup_;
};

/// A state in the middle of a sequence.
template <class Scalar>
State<Scalar> begun_state(const Network<Scalar>& network, Index batch) {
  State<Scalar> state = network.zero_state(batch);
  Random random(8);
  for (auto& numbers : state.layers) {
    for (Scalar& number : numbers) number = Scalar(0.3 * random.normal());
  }
  return state;
}

/// Numbers that a prediction and some training steps leave, all of which must be the same bits.
template <class Scalar>
std::vector<Scalar> results(const LayerCase<Scalar>& one, const Tensor<Scalar>& x, int threads) {
  TrainedLayer<Scalar> model(one, threads);
  TrainableNetwork<Scalar> network = model.network();
  const auto y = random_tensor<Scalar>(network.output_shape(x.shape()), 1);
  State<Scalar> state = begun_state(network, x.batch());
  State<Scalar>* const carried = one.layer.state_size() > 0 ? &state : nullptr;
  typename ForwardNetwork<Scalar>::Packed packed;
  network.pack(packed, false);
  const auto prediction = detail::forward(network, packed, x, {.state = carried});
  std::vector<Scalar> all(prediction.values().begin(), prediction.values().end());
  const auto keep = [&] {
    for (const auto& numbers : state.layers) all.insert(all.end(), numbers.begin(), numbers.end());
  };
  keep();
  Training<Scalar> training(Adam{.learning_rate = 0.01}, MeanSquaredError{}, {}, {});
  const SampleWeights<Scalar> equal;
  for (std::uint64_t step = 0; step < 2; ++step) {
    state = begun_state(network, x.batch());
    const double loss =
        training.step(network, x, {y, equal}, {Random(step)}, {.state = carried}, nullptr);
    all.push_back(static_cast<Scalar>(loss));
    keep();
  }
  const auto weights = network.weights();
  all.insert(all.end(), weights.begin(), weights.end());
  return all;
}

}  // namespace

TEMPLATE_TEST_CASE("Any number of threads computes the same bits", "[laws][threads]", float,
                   double) {
  for (auto& one : layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      for (const Index batch : {1, 7, 31, 32, 33, 64, 100}) {
        const auto x = one.input(batch, 3, 5);
        const auto expected = results(one, x, 1);
        for (const int threads : {2, 3, 5}) {
          INFO(batch << " sequences, " << threads << " threads");
          CHECK(results(one, x, threads) == expected);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("A batch in shards is the batch as a whole", "[laws][threads]", float, double) {
  using Scalar = TestType;
  for (auto& one : layer_cases<Scalar>()) {
    if (one.random) continue;
    DYNAMIC_SECTION(one.name) {
      const Index batch = 70;
      const auto x = one.input(batch, 5, 6);
      TrainedLayer<Scalar> model(one, 2);
      const TrainableNetwork<Scalar> network = model.network();
      const bool masked = x.rank() == 3 && one.name != "Flatten";
      Mask mask;
      if (masked) {
        mask = Mask(batch, 5);
        for (Index b = 0; b < batch; ++b) mask.set(b, b % 5, b % 3 == 0);
      }
      const auto dy = random_tensor<Scalar>(network.output_shape(x.shape()), 7);
      const State<Scalar> begin = begun_state(network, batch);
      State<Scalar> state = begin;
      State<Scalar> whole_state = begin;
      const bool has_state = one.layer.state_size() > 0;
      const auto count = static_cast<std::size_t>(network.parameter_count());

      typename TrainableNetwork<Scalar>::Tape tape;
      const auto whole =
          network.forward(x, tape, Random(), {&mask, has_state ? &whole_state : nullptr});
      tape.derivative = dy;
      std::vector<Scalar> whole_gradient(count, Scalar(1));
      network.backward(x, tape, whole_gradient);

      detail::ShardedPass<Scalar> pass;
      const auto prediction =
          pass.forward(network, x, Random(), {&mask, has_state ? &state : nullptr});
      pass.derivative() = dy;
      std::vector<Scalar> gradient(count, Scalar(1));
      pass.backward(network, x, gradient);

      const auto& allowed = tolerance<Scalar>;
      require_close(prediction.values(), whole.values(), allowed.values);
      if (count > 0) require_close(gradient, whole_gradient, allowed.training);
      CHECK(pass.output_mask() == tape.masks.back());
      if (has_state) require_close(state.layers[0], whole_state.layers[0], allowed.values);

      typename ForwardNetwork<Scalar>::Packed packed;
      network.pack(packed, false);
      State<Scalar> predicted_state = begin;
      Mask output_mask;
      const auto predicted = detail::forward(network, packed, x,
                                             {.mask = &mask,
                                              .state = has_state ? &predicted_state : nullptr,
                                              .output_mask = &output_mask});
      CHECK(output_mask == tape.masks.back());
      if (!one.statistics) require_close(predicted.values(), whole.values(), allowed.values);
    }
  }
}
