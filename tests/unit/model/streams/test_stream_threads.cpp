#include <thread>
#include <vector>

#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"

// One constant model, several threads, each with streams of its own.

TEST_CASE("Stream: threads share a model", "[stream]") {
  using namespace strata;
  Sequential<float> building;
  building.add(Input{Dynamic, 1});
  building.add(LSTM{12, return_sequences});
  building.add(LSTM{8, return_sequences});
  building.add(Dense{1});
  const auto model = building;

  constexpr std::size_t steps = 200;
  const auto input_of = [](std::size_t stream) {
    std::vector<float> x(steps);
    Random random(stream);
    for (float& value : x) value = static_cast<float>(random.uniform());
    return x;
  };
  constexpr std::size_t count = 8;
  std::vector<std::vector<float>> expected(count, std::vector<float>(steps));
  for (std::size_t i = 0; i < count; ++i) Stream{model}.process(input_of(i), expected[i]);

  // Streams are made, copied and run in all threads at once; half of them share packed weights.
  const Stream shared{model};
  std::vector<std::vector<float>> found(count, std::vector<float>(steps));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      Stream stream = i % 2 == 0 ? Stream{model} : shared;
      const auto x = input_of(i);
      for (std::size_t t = 0; t < steps; ++t) found[i][t] = stream(x[t]);
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < count; ++i) REQUIRE(found[i] == expected[i]);
}
