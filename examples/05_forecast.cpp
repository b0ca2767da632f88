// Forecast a real series: from a file of numbers to a trained network, a table and a picture.
//
// Teaches the whole way: cut a series into windows, split it in time, train with a validation part,
// compare with simple methods, and let the network run freely on its own forecasts.
//
// The series is the intensity of a chaotic laser (Santa Fe competition, 1991). It swings up, then
// collapses, and no linear method sees the collapse coming. On screen: a progress bar for some ten
// seconds, then the errors of three methods on the last 15 % of the series. In forecast.svg: truth,
// forecasts and the course of the training; open it in a browser.
//
//   05_forecast [series.txt] [--epochs N]      a file of numbers; comments begin with #

#include <strata/strata.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace strata;

namespace {

constexpr Index window = 40;          // values that a forecast looks at
constexpr Index free_steps = 200;     // length of a free run
constexpr Index stride = 25;          // from the start of one free run to that of the next
constexpr double good_enough = 0.08;  // the program fails when its error is not below

struct Arguments {
  std::filesystem::path series;
  int epochs = 40;
};

Arguments read_arguments(int count, char** words);
Eigen::VectorXf read_series(const std::filesystem::path& path);

struct Samples {
  Tensor<float> x;  // (B, 40, 1): windows
  Tensor<float> y;  // (B, 1): the value after each window
};

// One sample for each value from `first` to before `last`.
Samples cut(const Eigen::VectorXf& series, Index first, Index last) {
  Samples samples{Tensor<float>({last - first, window, 1}), Tensor<float>({last - first, 1})};
  for (Index i = first; i < last; ++i) {
    samples.x.sequence(i - first) = series.segment(i - window, window);
    samples.y(i - first, 0) = series(i);
  }
  return samples;
}

double rms(const Eigen::MatrixXf& errors) {
  return std::sqrt(errors.cast<double>().squaredNorm() / static_cast<double>(errors.size()));
}

// The series and its parts in time: 70 % to train, 15 % to validate, 15 % to test. The network sees
// it with mean 0 and deviation 1, as measured on the training part: the rest is the future.
struct Problem {
  explicit Problem(const Eigen::VectorXf& raw)
      : train_end(raw.size() * 70 / 100), test_begin(raw.size() * 85 / 100) {
    mean = raw.head(train_end).mean();
    deviation = static_cast<float>(rms(raw.head(train_end).array() - mean));
    series = (raw.array() - mean) / deviation;
    train = cut(series, window, train_end);
    validation = cut(series, train_end, test_begin);
    test = cut(series, test_begin, series.size());
    truth = series.tail(series.size() - test_begin);
    spread = rms(truth.array() - truth.mean());

    // Free runs begin all over the test part, so that no lucky start decides.
    const Index starts = (truth.size() - free_steps) / stride + 1;
    start_windows = Tensor<float>({starts, window, 1});
    continuations.resize(starts, free_steps);
    for (Index s = 0; s < starts; ++s) {
      start_windows.sequence(s) = test.x.sequence(s * stride);
      continuations.row(s) = truth.segment(s * stride, free_steps).transpose();
    }
  }

  Index train_end, test_begin;
  float mean, deviation;
  Eigen::VectorXf series;
  Samples train, validation, test;
  Eigen::VectorXf truth;          // of the test part
  double spread;                  // its deviation: the error of a forecast that says its mean
  Tensor<float> start_windows;    // where the free runs begin ...
  Eigen::MatrixXf continuations;  // ... and what comes then, a row for each
};

// Any method: windows (B, 40, 1) to next values (B, 1).
using Forecaster = std::function<Tensor<float>(const Tensor<float>&)>;

// The windows as a matrix, B x 40.
Eigen::Map<const Tensor<float>::RowMajor> rows_of(const Tensor<float>& x) {
  return {x.data(), x.batch(), x.steps()};
}

// The next value will be as the last one.
Tensor<float> persistence(const Tensor<float>& x) {
  Tensor<float> next({x.batch(), 1});
  next.matrix() = x.step(x.steps() - 1);
  return next;
}

// The best linear method: next = a0 + a1 x1 + ... + a40 x40, by least squares.
Forecaster autoregression(const Samples& samples) {
  Eigen::MatrixXd x(samples.x.batch(), window + 1);
  x << Eigen::VectorXd::Ones(x.rows()), rows_of(samples.x).cast<double>();
  const Eigen::VectorXd y = samples.y.matrix().cast<double>();
  const Eigen::VectorXf a = (x.transpose() * x).ldlt().solve(x.transpose() * y).cast<float>();
  return [a](const Tensor<float>& windows) {
    Tensor<float> next({windows.batch(), 1});
    next.matrix().noalias() = rows_of(windows) * a.tail(window);
    next.matrix().array() += a(0);
    return next;
  };
}

// Each forecast becomes the newest value of its window. A row of forecasts for each window.
Eigen::MatrixXf free_run(const Forecaster& forecast, const Tensor<float>& windows) {
  Tensor<float>::RowMajor run(windows.batch(), window + free_steps);
  run.leftCols(window) = rows_of(windows);
  for (Index t = 0; t < free_steps; ++t) {
    const Tensor<float>::RowMajor now = run.middleCols(t, window);
    const auto next = forecast(Tensor<float>::view(now.data(), windows.shape()));
    run.col(window + t) = next.matrix();
  }
  return run.rightCols(free_steps);
}

struct Method {
  std::string name;
  std::string colour;
  Forecaster forecast;
  Eigen::VectorXf one_step = {};  // over the test part
  Eigen::MatrixXf free_runs = {};
  double error = 0;                   // of one_step
  std::vector<double> free_errors{};  // over the first 1, 2, ... 200 steps, median run
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Errors are NRMSE: the root of the mean squared error, by the deviation of the truth.
void judge(Method& method, const Problem& problem) {
  const auto one_step = method.forecast(problem.test.x);
  method.one_step = one_step.matrix();
  method.error = rms(method.one_step - problem.truth) / problem.spread;
  method.free_runs = free_run(method.forecast, problem.start_windows);
  const Eigen::MatrixXf errors = method.free_runs - problem.continuations;
  for (Index steps = 1; steps <= free_steps; ++steps) {
    std::vector<double> of_runs;
    for (Index s = 0; s < errors.rows(); ++s) {
      of_runs.push_back(rms(errors.row(s).head(steps)) / problem.spread);
    }
    method.free_errors.push_back(median(of_runs));
  }
}

void print_table(const std::vector<Method>& methods, const Problem& problem) {
  std::printf("\nErrors on the last 15 %% (NRMSE; 0 is perfect, 1 is no better than the mean)\n\n");
  std::printf("                   one step    free run over the first\n");
  std::printf("                      ahead     50 steps    100 steps    200 steps\n");
  for (const Method& method : methods) {
    std::printf("  %-14s  %9.3f    %9.3f    %9.3f    %9.3f\n", method.name.c_str(), method.error,
                method.free_errors[49], method.free_errors[99], method.free_errors[199]);
  }
  std::printf(
      "\nIn a free run a method sees its own forecasts only; median of %d runs, which begin "
      "all over the\ntest part.\n",
      static_cast<int>(problem.continuations.rows()));
}

void draw_picture(const std::string& file, const Problem& problem,
                  const std::vector<Method>& methods, const History& history);

int run(const Arguments& arguments) {
  const Problem problem(read_series(arguments.series));
  std::printf("%s: %d values; %d windows to train, %d to validate, %d to test\n\n",
              arguments.series.filename().string().c_str(), static_cast<int>(problem.series.size()),
              static_cast<int>(problem.train.x.batch()),
              static_cast<int>(problem.validation.x.batch()),
              static_cast<int>(problem.test.x.batch()));

  Sequential model{Input{window, 1}, LSTM{32, return_sequences}, LSTM{32}, Dense{1}};
  std::printf("%s\n", model.summary().c_str());
  model.compile(Adam{.learning_rate = 5e-3}, MeanSquaredError{});
  const History history =
      model.fit(problem.train.x, problem.train.y,
                {.epochs = arguments.epochs,
                 .batch_size = 32,
                 .validation_data = {{problem.validation.x, problem.validation.y}},
                 // At the end, the weights of the best epoch come back.
                 .callbacks = {CosineDecay{}, EarlyStopping{.patience = 20}}});

  std::vector<Method> methods{
      {"persistence", "#8a94a0", persistence},
      {"linear AR(40)", "#00936b", autoregression(problem.train)},
      {"stacked LSTM", "#d1480f", [&](const Tensor<float>& x) { return model.predict(x); }}};
  for (Method& method : methods) judge(method, problem);
  print_table(methods, problem);

  const std::filesystem::path picture = "forecast.svg";
  draw_picture(picture.string(), problem, methods, history);
  std::printf("The picture: %s\n", absolute(picture).string().c_str());

  const double error = methods.back().error;
  if (error < good_enough) return 0;
  std::printf("The network's error of %.3f is not below %.2f.\n", error, good_enough);
  return 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(read_arguments(count, words));
  } catch (const std::exception& error) {
    std::cerr << "05_forecast: " << error.what() << '\n';
    return 1;
  }
}

// That was the forecast. The rest reads the file and draws the picture.
namespace {

Arguments read_arguments(int count, char** words) {
  const auto data = std::filesystem::path("data") / "santafe_laser.txt";
  Arguments arguments;
  arguments.series = std::filesystem::path(__FILE__).parent_path() / data;
  if (!exists(arguments.series)) arguments.series = "examples" / data;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--epochs" && i + 1 < count) {
      arguments.epochs = std::atoi(words[++i]);
    } else if (word.starts_with("-")) {
      throw std::runtime_error("usage: 05_forecast [series.txt] [--epochs N]");
    } else {
      arguments.series = word;
    }
  }
  return arguments;
}

Eigen::VectorXf read_series(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string() +
                             "; give the path of a series as an argument, such as that of "
                             "examples/data/santafe_laser.txt in strata's sources");
  }
  std::vector<float> values;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (float value; words >> value;) values.push_back(value);
    if (!words.eof()) throw std::runtime_error(path.string() + ": not a number in: " + line);
  }
  constexpr std::size_t least = 2000;  // so that free runs fit into the test part
  if (values.size() < least) {
    throw std::runtime_error(path.string() + ": expects at least " + std::to_string(least) +
                             " values, found " + std::to_string(values.size()));
  }
  return Eigen::VectorXf::Map(values.data(), static_cast<Index>(values.size()));
}

struct Curve {
  std::string name;
  std::string colour;
  std::vector<double> y;
  double first_x = 1;  // of the first y; the next ones are one apart
  double width = 2;
};

struct Panel {
  double left, top, width, height;
  std::string title, x_label, y_label;
  std::vector<Curve> curves;
  bool logarithmic = false;
  std::optional<double> mark = {};  // a vertical line at this x
};

void draw(const std::string& file, const std::string& title, const std::string& subtitle,
          const std::vector<Panel>& panels);

void draw_picture(const std::string& file, const Problem& problem,
                  const std::vector<Method>& methods, const History& history) {
  const Method& linear = methods[1];
  const Method& lstm = methods[2];

  // A typical free run, neither the best nor the worst: the one with the median error.
  std::vector<Index> order(static_cast<std::size_t>(lstm.free_runs.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  const auto error = [&](Index s) {
    return (lstm.free_runs.row(s) - problem.continuations.row(s)).squaredNorm();
  };
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return error(a) < error(b); });
  const Index typical = order[order.size() / 2];

  // The picture shows that run and the 60 values before it.
  const Index start = typical * stride;
  const Index first = std::max<Index>(0, start - 60);
  const Index count = start + free_steps - first;
  const auto x = [&](Index i) { return static_cast<double>(problem.test_begin + i); };
  const auto intensity = [&](const Eigen::VectorXf& values) {
    const Eigen::VectorXd y = (values.array() * problem.deviation + problem.mean).cast<double>();
    return std::vector<double>(y.begin(), y.end());
  };
  const Curve truth{"truth", "#bcc6d2", intensity(problem.truth.segment(first, count)), x(first),
                    5};
  std::vector<Curve> free_errors;
  for (const Method& method : methods) {
    free_errors.push_back({method.name, method.colour, method.free_errors});
  }

  char errors[200];
  std::snprintf(errors, sizeof errors,
                "Error one step ahead on the last 15 %% of the series (NRMSE): persistence %.3f, "
                "linear AR(40) %.3f, stacked LSTM %.3f",
                methods[0].error, linear.error, lstm.error);
  draw(file, "A chaotic laser, forecast by two stacked LSTM layers", errors,
       {{90,
         144,
         1074,
         200,
         "One step ahead, each from the 40 true values before it",
         "sample of the series",
         "intensity (8-bit units)",
         {truth,
          {linear.name, linear.colour, intensity(linear.one_step.segment(first, count)), x(first)},
          {lstm.name, lstm.colour, intensity(lstm.one_step.segment(first, count)), x(first)}}},
        {90,
         456,
         1074,
         200,
         "Free run: from the line on, the network sees its own forecasts only (median of " +
             std::to_string(order.size()) + " runs)",
         "sample of the series",
         "intensity (8-bit units)",
         {truth, {"free run", lstm.colour, intensity(lstm.free_runs.row(typical)), x(start)}},
         false,
         x(start)},
        {90,
         768,
         474,
         200,
         "Training",
         "epoch",
         "mean squared error",
         {{"training", "#0068b5", history["loss"]}, {"validation", "#d1480f", history["val_loss"]}},
         true},
        {670, 768, 494, 200, "Free runs", "length of the run in samples", "NRMSE, median",
         free_errors}});
}

std::string number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string text_at(double x, double y, const std::string& text, const std::string& style = "") {
  return "<text x='" + number(x) + "' y='" + number(y) + "' " + style + ">" + text + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return "<line x1='" + number(x1) + "' y1='" + number(y1) + "' x2='" + number(x2) + "' y2='" +
         number(y2) + "' class='" + kind + "'/>\n";
}

// Values from low to high, laid out from one place of the picture to another.
struct Axis {
  double low, high, from, to;
  bool logarithmic = false;

  double operator()(double value) const {
    const double share =
        logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }

  // Powers of ten, or some `count` multiples of 1, 2 or 5 times one.
  std::vector<double> ticks(double count) const {
    std::vector<double> all;
    if (logarithmic) {
      double tick = std::pow(10, std::ceil(std::log10(low)));
      for (; tick <= high; tick *= 10) all.push_back(tick);
      return all;
    }
    const double power = std::pow(10, std::floor(std::log10((high - low) / count)));
    double step = power;
    for (const double times : {2, 5, 10}) {
      if ((high - low) / step > 1.5 * count) step = times * power;
    }
    for (double i = std::ceil(low / step); i * step <= high; ++i) all.push_back(i * step + 0.0);
    return all;
  }
};

std::string drawn(const Panel& panel) {
  double low = panel.curves[0].y[0], high = low;
  double first = panel.curves[0].first_x, last = first + 1;
  for (const Curve& curve : panel.curves) {
    const auto [smallest, largest] = std::minmax_element(curve.y.begin(), curve.y.end());
    low = std::min(low, *smallest);
    high = std::max(high, *largest);
    first = std::min(first, curve.first_x);
    last = std::max(last, curve.first_x + static_cast<double>(curve.y.size()) - 1);
  }
  if (!panel.logarithmic) low = std::min(0.0, 1.1 * low);
  const double right = panel.left + panel.width;
  const double bottom = panel.top + panel.height;
  const Axis x{first, last, panel.left, right};
  const Axis y{low, 1.1 * high, bottom, panel.top, panel.logarithmic};

  std::string out = text_at(panel.left, panel.top - 18, panel.title, "class='title'");
  for (const double tick : y.ticks(4)) {
    out += line(panel.left, y(tick), right, y(tick), "grid");
    out += text_at(panel.left - 9, y(tick) + 5, number(tick), "text-anchor='end'");
  }
  for (const double tick : x.ticks(panel.width / 120)) {
    out += line(x(tick), bottom, x(tick), bottom + 5, "axis");
    out += text_at(x(tick), bottom + 22, number(tick), "text-anchor='middle'");
  }
  out += line(panel.left, bottom, right, bottom, "axis");
  out += text_at((panel.left + right) / 2, bottom + 45, panel.x_label, "text-anchor='middle'");
  out += "<g transform='translate(" + number(panel.left - 56) + " " +
         number((panel.top + bottom) / 2) + ") rotate(-90)'>" +
         text_at(0, 0, panel.y_label, "text-anchor='middle'") + "</g>\n";
  if (panel.mark) out += line(x(*panel.mark), panel.top, x(*panel.mark), bottom, "mark");

  std::string legend;
  for (const Curve& curve : panel.curves) {
    legend += "&#160;&#160;&#160;&#160;<tspan fill='" + curve.colour + "'>&#9632;</tspan>&#160;" +
              curve.name;
    out += "<polyline stroke='" + curve.colour + "' stroke-width='" + number(curve.width) +
           "' points='";
    for (double at = curve.first_x; const double value : curve.y) {
      out += number(x(at++)) + "," + number(y(value)) + " ";
    }
    out += "'/>\n";
  }
  return out + text_at(right, panel.top - 18, legend, "text-anchor='end'");
}

void draw(const std::string& file, const std::string& title, const std::string& subtitle,
          const std::vector<Panel>& panels) {
  std::ofstream svg(file);
  svg << R"(<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1200 1040' width='1200'>
<style>
  text { font: 15px 'Helvetica Neue', Helvetica, Arial, sans-serif; fill: #525d69 }
  text.head { font-size: 27px; font-weight: bold; fill: #1f2832 }
  text.title { font-size: 16px; font-weight: bold; fill: #1f2832 }
  .grid { stroke: #e3e7eb } .axis { stroke: #8f9aa6 }
  .mark { stroke: #1f2832; stroke-dasharray: 5 4 }
  polyline { fill: none; stroke-linejoin: round }
</style>
<rect width='1200' height='1040' rx='12' fill='#fdfdfb'/>
)"
      << "<title>" << title << "</title>\n"
      << text_at(36, 52, title, "class='head'") << text_at(36, 82, subtitle);
  for (const Panel& panel : panels) svg << drawn(panel);
  svg << "</svg>\n";
  svg.close();
  if (!svg) throw std::runtime_error("cannot write " + file);
}

}  // namespace
