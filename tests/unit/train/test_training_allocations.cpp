#include <algorithm>
#include <cstdlib>
#include <new>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"

// Training steps after the first use the memory of the steps before: none asks for as much as the
// weights take.

namespace {
namespace training_allocations {

// A plain number: a thread_local with a constructor could itself allocate.
thread_local std::size_t allocated_bytes = 0;

}  // namespace training_allocations
}  // namespace

void* operator new(std::size_t size) {
  training_allocations::allocated_bytes += size;
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {
namespace training_allocations {

using namespace strata;

constexpr Index units = 64;

Sequential<> stack() {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{units});
  model.add(Dense{1});
  return model;
}

Sequential<> encoder_for_stack() {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{units});
  return model;
}

std::size_t bytes_of_weights(const Sequential<>& model) {
  return static_cast<std::size_t>(model.parameter_count()) * sizeof(float);
}

/// The largest number of bytes that one of the later of some steps asks for.
template <class Step>
std::size_t bytes_of(Step step) {
  step();
  step();
  std::size_t most = 0;
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = allocated_bytes;
    step();
    most = std::max(most, allocated_bytes - before);
  }
  return most;
}

/// Tells how many bytes have been asked for at the end of each batch.
struct Bytes {
  std::vector<std::size_t>* at_batch_ends;
  void on_batch_end(TrainingRun&, Index, const Logs&) const {
    at_batch_ends->push_back(allocated_bytes);
  }
};

}  // namespace training_allocations
}  // namespace

TEST_CASE("Training steps use the memory of the steps before", "[fit]") {
  using namespace training_allocations;
  const Tensor<float> x({1, 2, 1}, {0.1f, 0.2f});
  const Tensor<float> y({1, 1}, {0.3f});
  Sequential<> model = stack();
  SECTION("the counter counts") {
    CHECK(bytes_of([&] { (void)model.weights(); }) >= bytes_of_weights(model));
  }
  SECTION("Trainer") {
    Trainer trainer{model, Adam{}, MeanSquaredError{}};
    CHECK(bytes_of([&] { (void)trainer.step(x, y); }) < bytes_of_weights(model) / 2);
  }
  SECTION("EncoderDecoderTrainer") {
    Sequential<> encoder = encoder_for_stack();
    EncoderDecoderTrainer trainer{encoder, model, Adam{}, MeanSquaredError{}};
    CHECK(bytes_of([&] { (void)trainer.step(x, x, y); }) < bytes_of_weights(model) / 2);
  }
  SECTION("fit, with noise in the weights") {
    model.compile(Adam{}, MeanSquaredError{});
    std::vector<std::size_t> bytes;
    bytes.reserve(100);
    model.fit(x, y, {.epochs = 5, .weight_noise = 0.1, .callbacks = {Bytes{&bytes}}, .verbose = 0});
    REQUIRE(bytes.size() == 5);
    CHECK(bytes[4] - bytes[3] < bytes_of_weights(model) / 2);
  }
}
