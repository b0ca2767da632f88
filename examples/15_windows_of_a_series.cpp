// Forecasts from a CSV file with gaps, window by window.
//
// Teaches sources of samples: windows, Standardizer, and a source of your own. A file has two
// columns of numbers, some of which are missing. Windows are cut out of the series while the
// network trains, so that a series of any length costs no memory but its own; a window whose next
// value is missing weighs nothing. On screen: the first lines of the file, and the errors of the
// forecasts, in the unit of the file, beside those of a forecast that repeats the last value.

#include <strata/strata.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace strata;

namespace {

// So that the program runs by itself, it writes the file that it reads: a temperature with a daily
// course and slow weather, and the sunshine that drives it. A sensor fails now and then.
void write_file(const char* path) {
  std::ofstream file(path);
  file << "temperature,sunshine\n";
  Random random(1);
  double weather = 0, temperature = 12;
  for (int hour = 0; hour < 4000; ++hour) {
    weather = 0.98 * weather + 0.2 * (random.uniform() - 0.5);
    const double day = std::sin(2 * 3.14159265 * hour / 24);
    const double sunshine = std::max(0.0, day) * (1 + weather);
    temperature += 0.15 * (10 + 4 * weather + 12 * sunshine - temperature);
    const auto field = [&](double value) {
      char text[32];
      std::snprintf(text, sizeof text, "%.2f", value);
      return random.uniform() < 0.03 ? std::string() : std::string(text);
    };
    file << field(temperature) << ',' << field(sunshine) << '\n';
  }
}

struct Series {
  Tensor<float> values;     // (1, T, 2), gaps filled with the value before
  std::vector<bool> known;  // whether the temperature of a step was measured
};

float number_of(std::string_view field) {
  float value = std::numeric_limits<float>::quiet_NaN();
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (!field.empty() && (error != std::errc{} || stop != field.data() + field.size())) {
    throw std::runtime_error("not a number: " + std::string(field));
  }
  return value;
}

Series read_file(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error(std::string(path) + ": is empty");
  std::vector<float> values;
  Series series;
  float last[2] = {0, 0};
  while (std::getline(file, line)) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos) throw std::runtime_error("expected two fields: " + line);
    const std::string_view fields[2] = {std::string_view(line).substr(0, comma),
                                        std::string_view(line).substr(comma + 1)};
    series.known.push_back(!fields[0].empty());
    for (int i = 0; i < 2; ++i) {
      const float value = number_of(fields[i]);
      if (!std::isnan(value)) last[i] = value;
      values.push_back(last[i]);
    }
  }
  const auto steps = static_cast<Index>(series.known.size());
  series.values = Tensor<float>({1, steps, 2}, std::move(values));
  return series;
}

constexpr Index length = 48, train_end = 3000, valid_end = 3500;

WindowOptions part(Index begin, Index end) {
  return {.length = length, .horizon = 1, .targets = {0}, .begin = begin, .end = end};
}

// Windows of which only those count whose next temperature was measured.
struct KnownWindows {
  SeriesWindows<float> windows;
  const std::vector<bool>* known;

  Index size() const { return windows.size(); }
  bool counts(Index number) const {
    return (*known)[static_cast<std::size_t>(windows.first_step(number) + length)];
  }
  void fill(std::span<const Index> numbers, Batch<float>& batch) const {
    windows.fill(numbers, batch);
    std::vector<float> weights;
    for (const Index number : numbers) weights.push_back(counts(number) ? 1.f : 0.f);
    batch.sample_weight = std::move(weights);
  }
};

int run() {
  const char* const path = "weather.csv";
  write_file(path);
  const Series series = read_file(path);
  std::ifstream file(path);
  for (std::string line; file.tellg() < 60 && std::getline(file, line);) {
    std::cout << line << '\n';
  }

  Standardizer<float> standard;
  standard.fit(series.values, {.end = train_end});
  const Tensor<float> scaled = standard.transform(series.values);
  const KnownWindows train{windows(scaled, part(0, train_end)), &series.known};
  const KnownWindows valid{windows(scaled, part(train_end - length, valid_end)), &series.known};
  const KnownWindows test{windows(scaled, part(valid_end - length, 0)), &series.known};

  Sequential<> model;
  model.add(Input{length, 2});
  model.add(LSTM{24});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 5e-3}, MeanSquaredError{});
  model.fit(train, {.epochs = 6,
                    .batch_size = 32,
                    .validation_data = valid,
                    .callbacks = {CosineDecay{}},
                    .read_ahead = 2,
                    .verbose = 2});

  const Tensor<float> forecast = model.predict(test);
  const Tensor<float> truth = test.windows.targets();
  double ours = 0, repeated = 0, count = 0;
  for (Index i = 0; i < test.size(); ++i) {
    if (!test.counts(i)) continue;
    const float last = scaled(0, test.windows.first_step(i) + length - 1, 0);
    ours += std::pow(static_cast<double>(forecast(i, 0) - truth(i, 0)), 2);
    repeated += std::pow(static_cast<double>(last - truth(i, 0)), 2);
    ++count;
  }
  const double unit = standard.deviation()[0];
  std::printf(
      "root mean squared error of the next hour, in degrees: %.2f; of the last value: %.2f\n",
      unit * std::sqrt(ours / count), unit * std::sqrt(repeated / count));
  return ours < 0.5 * repeated ? 0 : 1;
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
