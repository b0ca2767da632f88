// Several processes, for which threads stand here, compute with the bits of one.

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/own_shards.hpp>
#include <strata/strata.hpp>
#include <strata/train/gradient_sum.hpp>

#include "support/catch.hpp"
#include "support/thread_peers.hpp"

using namespace strata;
using detail::GradientSum;
using detail::OwnShards;
using detail::TreeNode;

namespace {

/// Numbers whose sum depends on the order in which they are added.
std::vector<float> leaf(std::size_t i, std::size_t count) {
  Random random(i + 1);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = static_cast<float>(random.normal() * (i % 3 == 0 ? 1e4 : 1e-3));
  }
  return numbers;
}

std::vector<float> sum_of(std::size_t shards, std::size_t processes, std::size_t count) {
  const std::vector<typename GradientSum<float>::Segment> layers{
      {count / 2, count - count / 2}, {count / 3, count / 2 - count / 3}, {0, count / 3}};
  std::vector<float> result;
  std::mutex mutex;
  const auto run = [&](detail::Peers* peers) {
    const OwnShards own = detail::own_shards(peers, shards);
    std::vector<float> sum(count);
    std::vector<std::vector<float>> leaves;
    for (std::size_t i = own.first; i < own.last; ++i) leaves.push_back(leaf(i, count));
    std::vector<std::span<float>> gradients;
    for (std::size_t i = own.first; i < own.last; ++i) {
      if (i == 0) sum = leaves[0];
      gradients.push_back(i == 0 ? std::span<float>(sum) : leaves[i - own.first]);
    }
    GradientSum<float> all;
    all.begin(peers, shards, gradients, sum, layers);
    for (std::size_t i = 0; i < own.count(); ++i) {
      // The last layer is left to finish, as one whose gradients nobody needs.
      for (std::size_t layer = 0; layer < 2; ++layer) all.shard_is_ready(layer);
    }
    all.finish({});
    const std::lock_guard lock(mutex);
    if (result.empty()) result = sum;
    if (result != sum) throw std::logic_error("the processes have different sums");
  };
  if (processes == 1) {
    run(nullptr);
  } else {
    test::run_together(processes, [&](detail::Peers& peers) { run(&peers); });
  }
  return result;
}

struct Half {
  const Tensor<float>& x;
  const Tensor<float>& y;
  mutable std::set<Index> asked = {};
  [[nodiscard]] Index size() const { return x.batch(); }
  void fill(std::span<const Index> numbers, Batch<float>& batch) const {
    asked.insert(numbers.begin(), numbers.end());
    batch.x.resize({std::ssize(numbers), x.steps(), x.features()});
    batch.y.resize({std::ssize(numbers), 1});
    for (Index b = 0; b < std::ssize(numbers); ++b) {
      const Index number = numbers[static_cast<std::size_t>(b)];
      batch.x.sequence(b) = x.sequence(number);
      batch.y(b, 0) = y(number, 0);
    }
  }
};

}  // namespace

TEST_CASE("Peers: the largest nodes of a tree cover its leaves once", "[peers]") {
  for (std::size_t leaves = 1; leaves <= 20; ++leaves) {
    for (std::size_t first = 0; first < leaves; ++first) {
      for (std::size_t last = first; last <= leaves; ++last) {
        std::size_t at = first;
        for (const TreeNode& node : detail::largest_nodes(leaves, first, last)) {
          REQUIRE(node.first == at);
          REQUIRE(node.first % (std::size_t{1} << node.level) == 0);
          at = std::min(at + (std::size_t{1} << node.level), leaves);
        }
        REQUIRE(at == std::max(first, last));
      }
    }
  }
  // As few as there can be.
  CHECK(detail::largest_nodes(8, 0, 8).size() == 1);
  CHECK(detail::largest_nodes(7, 0, 7).size() == 1);
  CHECK(detail::largest_nodes(8, 1, 7).size() == 4);
}

TEST_CASE("Peers: a sum of gradients has the same bits for any number of processes",
          "[peers][threads]") {
  for (const std::size_t shards : {1u, 2u, 3u, 4u, 5u, 8u, 11u}) {
    const auto alone = sum_of(shards, 1, 101);
    for (const std::size_t processes : {2u, 3u, 4u, 5u}) {
      INFO(shards << " shards, " << processes << " processes");
      CHECK(sum_of(shards, processes, 101) == alone);
    }
  }
  // Pieces of nothing.
  CHECK(sum_of(4, 5, 3) == sum_of(4, 1, 3));
}

TEST_CASE("Peers: fit, evaluate and predict have the same bits for any number of processes",
          "[peers][threads]") {
  Tensor<float> x({150, 7, 2}), y({150, 1});
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  for (Index b = 0; b < 150; ++b) y(b, 0) = x(b, 6, 1);
  const auto result_of = [&](detail::Peers* peers, int threads) {
    Sequential<> model;
    model.add(Input{7, 2});
    model.add(LSTM{12, return_sequences, {.dropout = 0.1}});
    model.add(GRU{8});
    model.add(Dense{1});
    model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{}, {MeanAbsoluteError{}});
    model.set_threads(threads);
    model.trainable_network().setup().peers.set(peers);
    const Half source{x, y};
    const History history = model.fit(source, {.epochs = 2,
                                               .batch_size = 64,
                                               .validation_split = 0.2,
                                               .callbacks = {CosineDecay{}},
                                               .verbose = 0});
    std::vector<double> result = history["val_loss"];
    result.push_back(model.evaluate(x, y).loss);
    const auto outputs = model.predict(x);
    result.insert(result.end(), outputs.values().begin(), outputs.values().end());
    const auto weights = model.weights();
    result.insert(result.end(), weights.begin(), weights.end());
    return result;
  };
  const auto alone = result_of(nullptr, 1);
  for (const bool divides : {false, true}) {
    for (const std::size_t processes : {2u, 3u, 5u}) {
      INFO(processes << " processes");
      std::mutex mutex;
      std::vector<std::vector<double>> results;
      test::run_together(
          processes,
          [&](detail::Peers& peers) {
            auto result = result_of(&peers, processes == 2 ? 2 : 1);
            const std::lock_guard lock(mutex);
            results.push_back(std::move(result));
          },
          divides);
      for (const auto& result : results) CHECK(result == alone);
    }
  }
}

TEST_CASE("Peers: a process asks a source for the samples of its own shards", "[peers][threads]") {
  Tensor<float> x({192, 4, 2}), y({192, 1});
  std::mutex mutex;
  std::vector<std::set<Index>> asked;
  test::run_together(3, [&](detail::Peers& peers) {
    Sequential<> model;
    model.add(LSTM{4});
    model.add(Dense{1});
    model.compile(SGD{}, MeanSquaredError{});
    model.trainable_network().setup().peers.set(&peers);
    const Half source{x, y};
    model.fit(source, {.batch_size = 192, .shuffle = false, .verbose = 0});
    const std::lock_guard lock(mutex);
    asked.push_back(source.asked);
  });
  for (const auto& numbers : asked) CHECK(numbers.size() == 64);
}

TEST_CASE("Peers: processes with different weights or samples are named", "[peers][threads]") {
  Tensor<float> x({40, 4, 2}), y({40, 1});
  const auto error_of = [&](bool weights, bool samples) {
    try {
      test::run_together(3, [&](detail::Peers& peers) {
        Sequential<> model;
        model.add(Input{4, 2});
        model.add(LSTM{4});
        model.add(Dense{1});
        model.initialize(weights && peers.rank() == 2 ? 1 : 0);
        model.compile(SGD{}, MeanSquaredError{});
        model.trainable_network().setup().peers.set(&peers);
        Tensor<float> own = x;
        own(3, 1, 1) += samples && peers.rank() == 1 ? 1.0f : 0.0f;
        model.fit(own, y, {.verbose = 0});
      });
    } catch (const ValueError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(error_of(false, false).empty());
  CHECK(error_of(true, false) ==
        "the processes do not have the same weights: rank 2 differs from rank 0");
  CHECK(error_of(false, true) ==
        "the processes do not have the same samples: rank 1 differs from rank 0");
}

TEST_CASE("Peers: a backward pass lets messages travel after each step", "[peers]") {
  constexpr Index steps = 6;
  Sequential<> model;
  model.add(Input{steps, 2});
  model.add(Bidirectional{LSTM{3, return_sequences}});
  model.add(LSTM{4});
  model.initialize(1);
  const auto network = model.trainable_network();
  TrainableNetwork<float>::Tape tape;
  const Tensor<float> x({5, steps, 2});
  const Tensor<float>& y = network.forward(x, tape, Random(1));
  tape.derivative.resize(y.shape());
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  for (auto& pass : tape.passes) pass.meanwhile = Meanwhile(count);
  std::vector<float> gradient(static_cast<std::size_t>(model.parameter_count()));
  network.backward(x, tape, gradient);
  CHECK(calls == 3 * steps);
}
