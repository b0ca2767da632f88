// Training on several processes, on one machine or many.
//
// Teaches strata::mpi. The forecaster of a noisy sine trains on all processes that mpirun starts,
// with the bits of one. Each process computes its part of a batch; a source hands it its own
// samples alone, so that no process needs all data. On screen, by the first process: a line for
// each epoch, and the loss on other samples, the same for any number of processes.
//
//   mpirun -n 2 16_several_processes

#include <strata/mpi.hpp>
#include <strata/strata.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <span>

using namespace strata;

namespace {

// Samples by number: a sine of a phase and a frequency of its own, and its next value. A source
// could as well read them from files.
struct Sines {
  Index count;
  std::uint64_t seed;

  [[nodiscard]] Index size() const { return count; }
  void fill(std::span<const Index> numbers, Batch<float>& batch) const {
    constexpr Index steps = 40;
    batch.x.resize({std::ssize(numbers), steps, 1});
    batch.y.resize({std::ssize(numbers), 1});
    for (Index b = 0; b < std::ssize(numbers); ++b) {
      const auto number = static_cast<std::uint64_t>(numbers[static_cast<std::size_t>(b)]);
      Random random = Random(seed).fork(number);
      const double phase = 6.28 * random.uniform();
      const double frequency = 0.1 + 0.3 * random.uniform();
      const auto sine = [&](Index t) {
        return std::sin(phase + frequency * static_cast<double>(t));
      };
      for (Index t = 0; t < steps; ++t) {
        batch.x(b, t, 0) = static_cast<float>(sine(t) + 0.1 * random.normal());
      }
      batch.y(b, 0) = static_cast<float>(sine(steps));
    }
  }
};

int run(const mpi::Session& session) {
  Sequential model{LSTM{32, return_sequences}, LSTM{32}, Dense{1}};
  model.compile(Adam{.learning_rate = 5e-3}, MeanSquaredError{});
  mpi::fit(model, Sines{4096, 1}, {.epochs = 4, .batch_size = 256, .verbose = 2});
  const double loss = mpi::evaluate(model, Sines{512, 2}).loss;
  if (session.rank() == 0) {
    std::printf("%d processes, loss on other samples: %.5f\n", session.size(), loss);
  }
  // The mean of the targets would have 0.5.
  return loss < 0.02 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Session session(argc, argv);
  try {
    return run(session);
  } catch (const std::exception& error) {
    // Every process throws the same error.
    if (session.rank() == 0) std::fprintf(stderr, "16_several_processes: %s\n", error.what());
    return 1;
  }
}
