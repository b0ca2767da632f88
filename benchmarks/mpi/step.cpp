// The time of a training step on several processes, of one thread each:
//
//   mpirun -n 2 mpi_step <U> [--batch 64] [--steps 30] [--latency seconds --bandwidth bytes/s]
//
// Two LSTM layers of U units and Dense, T = 100, F = 32, Adam. The process of rank 0 prints, on one
// line: U, processes, B, the median and the least time of a step in ms, the bytes of the weights,
// and latency in microseconds and bandwidth in GB/s of messages between two processes, as measured
// here. With --latency and --bandwidth, messages take longer, as if a slower network lay between.

#include <strata/mpi.hpp>
#include <strata/strata.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "slow_peers.hpp"

using namespace strata;
using Clock = std::chrono::steady_clock;

namespace {

struct Times {
  std::vector<double>* milliseconds;
  Clock::time_point last{};
  void on_epoch_begin(TrainingRun&, int) { last = Clock::now(); }
  void on_batch_end(TrainingRun&, Index, const Logs&) {
    const auto now = Clock::now();
    milliseconds->push_back(std::chrono::duration<double, std::milli>(now - last).count());
    last = now;
  }
};

/// Seconds for a message of `bytes` from rank 0 to rank 1, the median of many there and back.
double message_time(detail::Peers& peers, std::size_t bytes) {
  if (peers.size() < 2) return 0;
  std::vector<std::byte> buffer(bytes);
  std::vector<double> times;
  const auto finish = [&](std::size_t message) {
    while (!peers.is_done(message)) {
    }
    peers.forget_messages();
  };
  for (int i = 0; i < 60; ++i) {
    const auto begin = Clock::now();
    if (peers.rank() == 0) {
      finish(peers.send(1, 0, buffer));
      finish(peers.receive(1, 0, buffer));
    } else if (peers.rank() == 1) {
      finish(peers.receive(0, 0, buffer));
      finish(peers.send(0, 0, buffer));
    }
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count() / 2);
  }
  std::nth_element(times.begin(), times.begin() + 30, times.end());
  return times[30];
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Session session(argc, argv);
  if (argc < 2) {
    std::fprintf(stderr, "see the first lines of step.cpp\n");
    return 2;
  }
  const Index units = std::atoi(argv[1]);
  std::map<std::string, double> options{
      {"--batch", 64}, {"--steps", 30}, {"--latency", 0}, {"--bandwidth", 1e15}};
  for (int i = 2; i + 1 < argc; i += 2) options[argv[i]] = std::atof(argv[i + 1]);
  const auto batch = static_cast<Index>(options["--batch"]);
  const auto steps = static_cast<Index>(options["--steps"]);

  Tensor<float> x({batch * steps, 100, 32}), y({batch * steps, 1});
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  Sequential model{LSTM{units, return_sequences}, LSTM{units}, Dense{1}};
  model.compile(Adam{}, MeanSquaredError{});
  std::vector<double> times;
  const FitOptions<float> fit{.epochs = 1,
                              .batch_size = batch,
                              .shuffle = false,
                              .callbacks = {Times{&times}},
                              .verbose = 0};
  mpi::Group group(MPI_COMM_WORLD);
  SlowPeers peers(group, options["--latency"], options["--bandwidth"]);
  auto& setup = model.trainable_network().setup();
  if (group.size() > 1) setup.peers.set(&peers);
  model.fit(x, y, fit);
  setup.peers.set(nullptr);
  const double latency = message_time(peers, 8);
  const double large = message_time(peers, 4'000'000);
  if (session.rank() != 0) return 0;
  times.erase(times.begin(), times.begin() + std::min<std::ptrdiff_t>(3, std::ssize(times)));
  std::sort(times.begin(), times.end());
  std::printf("%d %d %d %.3f %.3f %d %.2f %.3f\n", static_cast<int>(units), session.size(),
              static_cast<int>(batch), times[times.size() / 2], times.front(),
              static_cast<int>(sizeof(float) * model.weights().size()), 1e6 * latency,
              large > latency ? 4e-3 / (large - latency) : 0.0);
}
