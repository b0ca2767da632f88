// The time of a training step on several processes, of one thread each:
//
//   mpirun -n 2 mpi_step <U> [--batch 64] [--length 100] [--steps 30]
//                            [--latency seconds --bandwidth bytes/s]
//
// Two LSTM layers of U units and Dense, F = 32, T = `length`, Adam. The process of rank 0 prints,
// on one line, JSON: the median and the least time of a step, and what messages between two
// processes take: the latency, the time that each of many small ones takes (both in seconds), and
// the bandwidth in bytes per second. With --latency and --bandwidth, messages take longer, as if a
// slower network lay between.

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
  std::vector<double>* seconds;
  Clock::time_point last{};
  void on_epoch_begin(TrainingRun&, int) { last = Clock::now(); }
  void on_batch_end(TrainingRun&, Index, const Logs&) {
    const auto now = Clock::now();
    seconds->push_back(std::chrono::duration<double>(now - last).count());
    last = now;
  }
};

/// Seconds for `count` messages of `bytes` each, sent together from rank 0 to rank 1: the median of
/// some there and back.
double message_time(detail::Peers& peers, std::size_t bytes, int count, int repetitions) {
  if (peers.size() < 2) return 0;
  std::vector<std::byte> buffer(bytes);
  std::vector<double> times;
  const auto move = [&](bool sends) {
    std::vector<std::size_t> messages;
    for (int i = 0; i < count; ++i) {
      messages.push_back(sends ? peers.send(1 - peers.rank(), i, buffer)
                               : peers.receive(1 - peers.rank(), i, buffer));
    }
    for (const std::size_t message : messages) {
      while (!peers.is_done(message)) {
      }
    }
    peers.forget_messages();
  };
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = Clock::now();
    if (peers.rank() < 2) {
      move(peers.rank() == 0);
      move(peers.rank() != 0);
    }
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count() / 2);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
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
      {"--batch", 64}, {"--length", 100}, {"--steps", 30}, {"--latency", 0}, {"--bandwidth", 1e15}};
  for (int i = 2; i + 1 < argc; i += 2) options[argv[i]] = std::atof(argv[i + 1]);
  const auto batch = static_cast<Index>(options["--batch"]);
  const auto steps = static_cast<Index>(options["--steps"]);

  const auto length = static_cast<Index>(options["--length"]);

  Tensor<float> x({batch * steps, length, 32}), y({batch * steps, 1});
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
  constexpr int many = 200;
  constexpr std::size_t large = 4'000'000;
  const double latency = message_time(peers, 8, 1, 100);
  const double overhead = (message_time(peers, 8, many, 50) - latency) / many;
  const double bandwidth = large / (message_time(peers, large, 1, 10) - latency);
  if (session.rank() != 0) return 0;
  times.erase(times.begin(), times.begin() + (std::min)(std::ptrdiff_t{3}, std::ssize(times) - 1));
  std::sort(times.begin(), times.end());
  std::printf(
      "{\"median\": %.6g, \"least\": %.6g, \"weights\": %zu, \"latency\": %.3g, "
      "\"overhead\": %.3g, \"bandwidth\": %.4g}\n",
      times[times.size() / 2], times.front(), sizeof(float) * model.weights().size(), latency,
      (std::max)(0.0, overhead), group.size() > 1 ? bandwidth : 0.0);
}
