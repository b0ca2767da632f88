// Streaming: one sample in, one sample out, as in an audio plug-in.
//
// Teaches Stream. A model whose sizes are all part of its type runs sample by sample over a signal;
// a step neither allocates, locks nor throws. The model stays const, so any number of streams, each
// with a state of its own, run over it at once. On screen: that the stream gives what predict gives
// for the whole signal, that two streams on two threads do too, how a state is kept and brought
// back, and the time of a step. The weights are random: a trained model would be loaded here.

#include <strata/strata.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <span>
#include <thread>
#include <vector>

using namespace strata;

namespace {

using Amp = Sequential<LSTM<float, 1, 40, return_sequences>, LSTM<float, 40, 40, return_sequences>,
                       Dense<float, 40, 1>>;

constexpr double sample_rate = 48000;
constexpr std::size_t block_size = 64;

// One second of a plucked string.
std::vector<float> pluck(double frequency) {
  constexpr double two_pi = 6.283185307179586;
  std::vector<float> signal(static_cast<std::size_t>(sample_rate));
  for (std::size_t i = 0; i < signal.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    double value = 0;
    for (int k = 1; k <= 5; ++k) {
      value += std::sin(two_pi * k * frequency * t) * std::exp(-3 * k * t) / k;
    }
    signal[i] = static_cast<float>(0.5 * value);
  }
  return signal;
}

// What a host does: it hands over block after block, to be changed in place.
void play(Stream<Amp>& stream, std::span<float> signal) noexcept {
  for (float& sample : signal) sample = stream(sample);
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

int run() {
  Amp amp;
  amp.initialize(7);
  const Amp& model = amp;
  std::cout << model.summary() << '\n';

  // Sample by sample, in blocks, with the time of each block.
  const std::vector<float> low = pluck(110);
  const std::vector<float> high = pluck(220);
  std::vector<float> played = low;
  std::vector<double> nanoseconds;
  Stream stream{model};
  for (std::size_t first = 0; first < played.size(); first += block_size) {
    const auto began = std::chrono::steady_clock::now();
    play(stream, std::span(played).subspan(first, block_size));
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - began;
    nanoseconds.push_back(time.count() / static_cast<double>(block_size));
  }

  // The same at once.
  const auto samples = static_cast<Index>(low.size());
  const Tensor<float> whole = model.predict(Tensor<float>::view(low.data(), {1, samples, 1}));
  const float from_whole = largest_difference(played, whole.values());
  std::printf("stream and predict over %d samples: largest difference %.1e\n",
              static_cast<int>(samples), from_whole);

  // Two streams over the one model, on two threads.
  std::vector<float> left = low;
  std::vector<float> right = high;
  std::thread other([&] {
    Stream mine{model};
    play(mine, right);
  });
  Stream mine{model};
  play(mine, left);
  other.join();
  const Tensor<float> whole_right =
      model.predict(Tensor<float>::view(high.data(), {1, samples, 1}));
  const float from_threads = std::max(largest_difference(left, whole.values()),
                                      largest_difference(right, whole_right.values()));
  std::printf("two streams on two threads:            largest difference %.1e\n", from_threads);

  // A state is plain numbers: keep it, go on, come back, and hear the same again.
  const auto kept = mine.state();
  std::vector<float> first_time(low.begin(), low.begin() + block_size);
  std::vector<float> second_time = first_time;
  play(mine, first_time);
  mine.set_state(kept);
  play(mine, second_time);
  std::printf("the state kept and set again:          %s\n\n",
              first_time == second_time ? "the same samples" : "OTHER SAMPLES");

  const auto middle = nanoseconds.begin() + std::ssize(nanoseconds) / 2;
  std::nth_element(nanoseconds.begin(), middle, nanoseconds.end());
  const double median = *middle;
  std::printf("time of a step, median over %d blocks of %d samples: %.0f ns\n",
              static_cast<int>(nanoseconds.size()), static_cast<int>(block_size), median);
  std::printf("of one core, at 48 kHz: %.1f %%\n", 100 * median * 1e-9 * sample_rate);

  const bool equal = from_whole < 1e-5f && from_threads < 1e-5f && first_time == second_time;
  return equal ? 0 : 1;
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
