// strata's side of compare.sh. It is started once and answers one request after another on the
// standard input, each by one line; by hand, one request is the command line. A case is B T F U and
// the number of layers; with "recompute" its LSTM layers compute a part of their tape again.
//
//   compare_worker [--threads N] [--clock processor|wall] <request>
//     info
//     threads                             how many threads this strata uses
//     peak <seconds>                      flop/s of multiply-adds
//     bandwidth <bytes> <seconds>         bytes/s of reading <bytes> again and again
//     chain <seconds>                     nanoseconds of a step that has nothing to multiply
//     train <case> <seconds> [recompute]  nanoseconds of each training step
//     predict <case> <seconds>            nanoseconds of each call
//     stream <kind> <layers> <U> <seconds>
//                                         nanoseconds of a step, block by block; the kind is fixed,
//                                         dynamic, half, int16 (both dynamic) or prototype
//     stream_outputs <precision> <layers> <U> <steps>
//                                         the outputs of the first steps
//     stream_batch <precision> <layers> <U> <N> <seconds>
//                                         nanoseconds of a step of N streams in a StreamBatch
//     predictor <precision> <case> <seconds>
//                                         nanoseconds of each call of a Predictor for the B samples
//                                         as one batch
//     losses <case> <steps>               the losses of the first training steps
//     outputs <case> [precision]          the predictions for the B samples; in a precision, one
//                                         sequence after the other
//     memory <case> <steps> [recompute]   trains; kB resident before it and at most
//     forget                              drops the models of all cases

#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "../limits.hpp"
#include "streams.hpp"

namespace {

using strata::Index;
using strata::Precision;
using strata::Tensor;

/// False where this strata knows no threads.
template <class Model>
bool set_threads(Model& model, int threads) {
  if constexpr (requires { model.set_threads(threads); }) {
    model.set_threads(threads);
    return true;
  } else {
    return threads == 1;
  }
}

struct Subject {
  using Model = strata::Sequential<>;

  Subject(const bench::Case& c, int threads, double epsilon = strata::Adam{}.epsilon,
          bool recompute = false)
      : model(bench::stacked_model(c, recompute)),
        trainer(model, strata::Adam{.epsilon = epsilon}, strata::MeanSquaredError{}),
        x(bench::noise_tensor({c.batch, c.steps, c.features}, 1)),
        y(bench::noise_tensor({c.batch, 1}, 2)) {
    set_threads(model, threads);
  }

  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  double train() { return trainer.step(x, y); }
  [[nodiscard]] Tensor<float> predict() const {
    return model.predict(x, {.batch_size = x.batch()});
  }

  Model model;
  strata::Trainer<Model> trainer;
  Tensor<float> x;
  Tensor<float> y;
};

/// A line of /proc/self/status in kB; 0 where there is no such file.
long status_kb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kb = 0;
    if (word == name + ":" && status >> kb) return kb;
  }
  return 0;
}

class Worker {
 public:
  Worker(int threads, bench::Clock clock) : threads_(threads), clock_(clock) {}

  /// Answers one request by one line.
  std::string answer(const std::string& request) {
    std::istringstream in(request);
    const auto what = read<std::string>(in);
    if (what == "info") return bench::versions();
    if (what == "threads") {
      strata::Sequential<> model;
      return set_threads(model, threads_) ? std::to_string(threads_) : "1";
    }
    if (what == "peak") return text(bench::peak_flops(read<double>(in)));
    if (what == "bandwidth") {
      const auto bytes = read<std::size_t>(in);
      return text(bench::read_bandwidth(bytes, read<double>(in)));
    }
    if (what == "chain") return text(bench::chain_seconds(read<double>(in)) * 1e9);
    if (what == "stream") {
      const auto kind = read<std::string>(in);
      const auto layers = read<Index>(in);
      const auto units = read<Index>(in);
      const auto seconds = read<double>(in);
      if (kind == "fixed") return nanoseconds(bench::measure_fixed_stream(layers, units, seconds));
      if (kind == "prototype") return nanoseconds(bench::measure_prototype(layers, units, seconds));
      const Precision precision = kind == "dynamic" ? Precision::full : precision_of(kind);
      return nanoseconds(bench::measure_dynamic_stream(layers, units, seconds, precision));
    }
    if (what == "stream_outputs") {
      const Precision precision = precision_of(read<std::string>(in));
      const auto layers = read<Index>(in);
      const auto units = read<Index>(in);
      return text(bench::stream_outputs(layers, units, read<Index>(in), precision));
    }
    if (what == "stream_batch") {
      const Precision precision = precision_of(read<std::string>(in));
      const auto layers = read<Index>(in);
      const auto units = read<Index>(in);
      const auto streams = read<Index>(in);
      return nanoseconds(
          bench::measure_stream_batch(layers, units, streams, read<double>(in), precision));
    }
    if (what == "predictor") {
      const Precision precision = precision_of(read<std::string>(in));
      const bench::Case c = read_case(in);
      const auto seconds = read<double>(in);
      const Subject& s = subject(c);
      const strata::Predictor predictor{s.model, precision};
      return nanoseconds(
          bench::measure(seconds, clock_, [&] { (void)predictor(s.x, {.batch_size = c.batch}); }));
    }
    if (what == "train") {
      const bench::Case c = read_case(in);
      const auto seconds = read<double>(in);
      Subject& s = subject(c, read_recompute(in));
      return nanoseconds(bench::measure(seconds, clock_, [&] { s.train(); }));
    }
    if (what == "predict") {
      const Subject& s = subject(read_case(in));
      return nanoseconds(bench::measure(read<double>(in), clock_, [&] { (void)s.predict(); }));
    }
    if (what == "losses") {
      // Keras and PyTorch add epsilon in different places: a tiny one makes them the same.
      Subject fresh(read_case(in), threads_, 1e-12);
      std::vector<double> losses(read<std::size_t>(in));
      for (double& loss : losses) loss = fresh.train();
      return text(losses);
    }
    if (what == "outputs") {
      const Subject& s = subject(read_case(in));
      std::string precision;
      const Tensor<float> outputs =
          in >> precision
              ? s.model.predict(s.x, {.batch_size = 1, .precision = precision_of(precision)})
              : s.predict();
      return text(std::vector<double>(outputs.values().begin(), outputs.values().end()));
    }
    if (what == "memory") {
      const bench::Case c = read_case(in);
      const auto steps = read<int>(in);
      const long before = status_kb("VmRSS");
      Subject fresh(c, threads_, strata::Adam{}.epsilon, read_recompute(in));
      for (int step = 0; step < steps; ++step) fresh.train();
      return std::to_string(before) + ' ' + std::to_string(status_kb("VmHWM"));
    }
    if (what == "forget") {
      subjects_.clear();
      return "forgotten";
    }
    throw std::invalid_argument("unknown request: " + request);
  }

 private:
  template <class T>
  static T read(std::istream& in) {
    T value;
    if (!(in >> value)) throw std::invalid_argument("a word is missing in the request");
    return value;
  }

  static bench::Case read_case(std::istream& in) {
    bench::Case c{};
    for (Index* size : {&c.batch, &c.steps, &c.features, &c.units, &c.layers}) {
      *size = read<Index>(in);
    }
    return c;
  }

  /// True where the last word says so.
  static bool read_recompute(std::istream& in) {
    std::string word;
    if (!(in >> word)) return false;
    if (word != "recompute") throw std::invalid_argument("not \"recompute\": " + word);
    return true;
  }

  static Precision precision_of(const std::string& word) {
    for (const Precision one : {Precision::full, Precision::half, Precision::int16}) {
      if (word == name(one)) return one;
    }
    throw std::invalid_argument("not a precision: " + word);
  }

  static std::string text(double number) { return text(std::vector<double>{number}); }
  static std::string text(const std::vector<double>& numbers) {
    std::ostringstream out;
    out.precision(10);
    for (const double number : numbers) out << number << ' ';
    return out.str();
  }
  static std::string nanoseconds(std::vector<double> seconds) {
    for (double& time : seconds) time *= 1e9;
    return text(seconds);
  }

  Subject& subject(const bench::Case& c, bool recompute = false) {
    auto& place = subjects_[{c.batch, c.steps, c.features, c.units, c.layers, recompute}];
    if (!place) place = std::make_unique<Subject>(c, threads_, strata::Adam{}.epsilon, recompute);
    return *place;
  }

  int threads_;
  bench::Clock clock_;
  std::map<std::tuple<Index, Index, Index, Index, Index, bool>, std::unique_ptr<Subject>> subjects_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    int threads = 1;
    auto clock = bench::Clock::processor;
    int i = 1;
    for (; i + 1 < argc && std::string_view(argv[i]).starts_with("--"); i += 2) {
      const std::string option = argv[i];
      const std::string value = argv[i + 1];
      if (option == "--threads") threads = std::stoi(value);
      if (option == "--clock" && value == "wall") clock = bench::Clock::wall;
    }
    Worker worker(threads, clock);
    std::string request;
    for (; i < argc; ++i) request += std::string(argv[i]) + ' ';
    if (!request.empty()) {
      std::cout << worker.answer(request) << '\n';
      return 0;
    }
    while (std::getline(std::cin, request)) std::cout << worker.answer(request) << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "compare_worker: " << error.what() << '\n';
    return 1;
  }
}
