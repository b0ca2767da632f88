// Many sessions over one model: a server that follows a thousand sensors at once.
//
// Teaches StreamBatch. Every sensor is a session with a state of its own, which joins and leaves
// whenever it likes. A tick brings one new reading for each, and one call makes the next step of
// all of them, layer by layer, so that the weights are read once for many sessions instead of once
// for each. Some sensors are slow: those that have no new reading are left out of a step. On
// screen: how many came and went, that every session gets what a Stream of its own would give, and
// the time that a step of one session takes both ways. The weights are random: a trained model
// would be loaded here.

#include <strata/strata.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <vector>

using namespace strata;

namespace {

constexpr std::size_t sensors = 1000;
constexpr int ticks = 60;

double nanoseconds_of(auto work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began).count();
}

int run() {
  // Three readings in, one number out: how unusual they are, say.
  Sequential<> model;
  model.add(Input{Dynamic, 3});
  model.add(LSTM{32, return_sequences});
  model.add(LSTM{32, return_sequences});
  model.add(Dense{1, Activation::sigmoid});

  // A session of the batch, and a stream of its own to compare with.
  struct Session {
    StreamId id;
    Stream<Sequential<>> alone;
    bool slow = false;
  };
  StreamBatch batch{model};
  batch.reserve(sensors);
  std::vector<Session> sessions;
  Random random(11);
  // Copies of a stream share its weights, as the sessions of the batch do.
  const Stream fresh{model};
  const auto join = [&] { return Session{batch.join(), fresh, random.uniform() < 0.2}; };
  while (sessions.size() < sensors) sessions.push_back(join());

  int left = 0;
  float difference = 0;
  double together = std::numeric_limits<double>::infinity();
  double one_by_one = together;
  std::vector<StreamId> ready;
  std::vector<float> expected;
  for (int tick = 0; tick < ticks; ++tick) {
    // Now and then a sensor is switched off, and another takes its place.
    for (auto& session : sessions) {
      if (random.uniform() < 0.99) continue;
      batch.leave(session.id);
      session = join();
      ++left;
    }

    // Slow sensors have a reading in every fourth tick only.
    ready.clear();
    for (const auto& session : sessions) {
      if (session.slow && tick % 4 != 0) continue;
      ready.push_back(session.id);
      for (float& reading : batch.input(session.id)) reading = static_cast<float>(random.normal());
    }
    const auto steps = static_cast<double>(ready.size());
    together = std::min(together, nanoseconds_of([&] { batch.step(ready); }) / steps);

    expected.clear();
    const auto step_alone = [&] {
      for (auto& session : sessions) {
        if (session.slow && tick % 4 != 0) continue;
        expected.push_back(session.alone.step(batch.input(session.id))[0]);
      }
    };
    one_by_one = std::min(one_by_one, nanoseconds_of(step_alone) / steps);
    for (std::size_t i = 0; i < ready.size(); ++i) {
      difference = std::max(difference, std::abs(batch.output(ready[i])[0] - expected[i]));
    }
  }

  std::printf("%zu sessions, %d ticks; %d sessions left, and as many joined\n", sensors, ticks,
              left);
  std::printf("together and one by one: largest difference %.1e\n\n", difference);
  std::printf("a step of one session, StreamBatch:    %5.0f ns\n", together);
  std::printf("a step of one session, single Streams: %5.0f ns, %.1f times as long\n", one_by_one,
              one_by_one / together);
  return difference < 1e-5f ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
