// Measures strata's side of compare_training.sh: training steps and predictions of two LSTM layers
// and Dense, and streams. training_step.py starts it and asks for one measurement after another on
// the standard input; by hand, one request is the command line:
//
//   training_step info
//   training_step peak <seconds>
//   training_step train <B> <T> <F> <U> <seconds>      nanoseconds of each step
//   training_step predict <B> <T> <F> <U> <seconds>    nanoseconds of each call
//   training_step stream <U> <seconds>                 nanoseconds of a step, block by block
//   training_step losses <B> <T> <F> <U> <steps>       the losses of the first training steps

#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "shared.hpp"

namespace {

using strata::Dense;
using strata::Index;
using strata::LSTM;
using strata::Sequential;
using strata::Tensor;

struct Subject {
  using Model = decltype(bench::stacked_model({}));

  explicit Subject(const bench::Case& c, double epsilon = strata::Adam{}.epsilon)
      : model(bench::stacked_model(c)),
        trainer(model, strata::Adam{.epsilon = epsilon}, strata::MeanSquaredError{}),
        x(bench::noise_tensor({c.batch, c.steps, c.features}, 1)),
        y(bench::noise_tensor({c.batch, 1}, 2)) {}

  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  Model model;
  strata::Trainer<Model> trainer;
  Tensor<float> x;
  Tensor<float> y;
};

/// Times of single calls for a while; the first is a warm-up and does not count.
template <class F>
std::vector<double> measure(double seconds, F&& call) {
  constexpr std::size_t fewest = 3;
  std::vector<double> times;
  call();
  double begin = bench::now();
  for (const double end = begin + seconds; begin < end || times.size() < fewest;) {
    call();
    const double after = bench::now();
    times.push_back(after - begin);
    begin = after;
  }
  return times;
}

/// Seconds of a stream's step, each the mean over a block of 4096.
template <Index Units>
std::vector<double> measure_stream(double seconds) {
  using Model = Sequential<LSTM<float, 1, Units, strata::return_sequences>, Dense<float, Units, 1>>;
  auto model = std::make_unique<Model>();
  bench::set_noise_weights(*model, 1.0f / std::sqrt(static_cast<float>(Units)));
  strata::Stream stream{*model};
  const Tensor<float> x = bench::noise_tensor({1, 4096}, 3);
  volatile float sink = 0;
  std::vector<double> times = measure(seconds, [&] {
    for (const float value : x.values()) sink = stream(value);
  });
  (void)sink;
  for (double& time : times) time /= static_cast<double>(x.size());
  return times;
}

std::vector<double> measure_stream(Index units, double seconds) {
  switch (units) {
    case 8:
      return measure_stream<8>(seconds);
    case 16:
      return measure_stream<16>(seconds);
    case 20:
      return measure_stream<20>(seconds);
    case 24:
      return measure_stream<24>(seconds);
    case 32:
      return measure_stream<32>(seconds);
    case 40:
      return measure_stream<40>(seconds);
    case 64:
      return measure_stream<64>(seconds);
    case 96:
      return measure_stream<96>(seconds);
    case 128:
      return measure_stream<128>(seconds);
    default:
      throw std::invalid_argument("stream: U is one of 8, 16, 20, 24, 32, 40, 64, 96, 128");
  }
}

std::string compiler() {
#ifdef __clang__
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

class Worker {
 public:
  /// Answers one request by one line.
  std::string answer(const std::string& request) {
    std::istringstream in(request);
    std::string what;
    in >> what;
    if (what == "info") {
      std::ostringstream out;
      out << "strata " << strata::version_string << "; " << compiler() << "; Eigen "
          << EIGEN_WORLD_VERSION << '.' << EIGEN_MAJOR_VERSION << '.' << EIGEN_MINOR_VERSION << "; "
          << strata::detail::Pack<float>::width << " floats per register";
      return out.str();
    }
    if (what == "peak") return std::to_string(bench::peak_flops(read<double>(in)));
    if (what == "stream") {
      const auto units = read<Index>(in);
      return nanoseconds(measure_stream(units, read<double>(in)));
    }
    if (what == "train" || what == "predict") {
      const bench::Case c = read_case(in);
      const auto seconds = read<double>(in);
      Subject& s = subject(c);
      if (what == "train") {
        return nanoseconds(measure(seconds, [&] { s.trainer.step(s.x, s.y); }));
      }
      return nanoseconds(
          measure(seconds, [&] { (void)s.model.predict(s.x, {.batch_size = c.batch}); }));
    }
    if (what == "losses") {
      const bench::Case c = read_case(in);
      // Keras and PyTorch add epsilon in different places: a tiny one makes them the same.
      Subject fresh(c, 1e-12);
      std::ostringstream out;
      out.precision(9);
      for (int steps = read<int>(in); steps > 0; --steps) {
        out << fresh.trainer.step(fresh.x, fresh.y) << ' ';
      }
      return out.str();
    }
    throw std::invalid_argument("unknown request: " + request);
  }

 private:
  template <class T>
  static T read(std::istream& in) {
    T value;
    if (!(in >> value)) throw std::invalid_argument("a number is missing in the request");
    return value;
  }

  static bench::Case read_case(std::istream& in) {
    const auto b = read<Index>(in);
    const auto t = read<Index>(in);
    const auto f = read<Index>(in);
    return {b, t, f, read<Index>(in)};
  }

  static std::string nanoseconds(const std::vector<double>& times) {
    std::ostringstream out;
    out.precision(10);
    for (const double time : times) out << time * 1e9 << ' ';
    return out.str();
  }

  Subject& subject(const bench::Case& c) {
    auto& place = subjects_[{c.batch, c.steps, c.features, c.units}];
    if (!place) place = std::make_unique<Subject>(c);
    return *place;
  }

  std::map<std::tuple<Index, Index, Index, Index>, std::unique_ptr<Subject>> subjects_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    Worker worker;
    std::string request;
    if (argc > 1) {
      for (int i = 1; i < argc; ++i) request += std::string(argv[i]) + ' ';
      std::cout << worker.answer(request) << '\n';
      return 0;
    }
    while (std::getline(std::cin, request)) std::cout << worker.answer(request) << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "training_step: " << error.what() << '\n';
    return 1;
  }
}
