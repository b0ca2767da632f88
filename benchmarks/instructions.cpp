// Runs one of a few fixed cases for instructions.sh, which counts its instructions with callgrind:
//
//   instructions <case>     the function `counted` is the case, after a warm-up outside of it
//   instructions            lists the cases
//   instructions versions   says what it was built with

#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared.hpp"

namespace {

using strata::Dense;
using strata::Index;
using strata::LSTM;
using strata::return_sequences;
using strata::Sequential;
using strata::Tensor;

using Work = std::function<void()>;

/// 256 steps of LSTM(1 to Units) and Dense, with sizes in the type.
template <Index Units>
Work stream() {
  using Model = Sequential<LSTM<float, 1, Units, return_sequences>, Dense<float, Units, 1>>;
  const auto model = std::make_unique<Model>();
  bench::set_noise_weights(*model, Units);
  return [stream = strata::Stream{*model}, x = bench::noise_tensor({1, 256}, 3)]() mutable {
    volatile float sink = 0;
    for (const float value : x.values()) sink = stream(value);
    (void)sink;
  };
}

Work predict(const bench::Case& c) {
  return [model = bench::stacked_model(c),
          x = bench::noise_tensor({c.batch, c.steps, c.features}, 1)] { (void)model.predict(x); };
}

struct Trained {
  explicit Trained(const bench::Case& c)
      : model(bench::stacked_model(c)),
        trainer(model, strata::Adam{}, strata::MeanSquaredError{}),
        x(bench::noise_tensor({c.batch, c.steps, c.features}, 1)),
        y(bench::noise_tensor({c.batch, 1}, 2)) {}

  Sequential<> model;
  strata::Trainer<Sequential<>> trainer;
  Tensor<float> x;
  Tensor<float> y;
};

Work train(const bench::Case& c) {
  return [all = std::make_shared<Trained>(c)] { all->trainer.step(all->x, all->y); };
}

const std::vector<std::pair<std::string, Work (*)()>> cases = {
    {"stream-20", [] { return stream<20>(); }},
    {"stream-32", [] { return stream<32>(); }},
    {"predict-1x100x64x64",
     [] {
       return predict({1, 100, 64, 64});
     }},
    {"predict-32x20x64x64",
     [] {
       return predict({32, 20, 64, 64});
     }},
    {"train-8x20x8x32",
     [] {
       return train({8, 20, 8, 32});
     }},
};

}  // namespace

/// callgrind counts from where this function is entered to where it is left.
extern "C" __attribute__((noinline)) void counted(const Work& work) { work(); }

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const auto& one : cases) std::cout << one.first << '\n';
    return 0;
  }
  if (argv[1] == std::string("versions")) {
    std::cout << bench::versions() << '\n';
    return 0;
  }
  for (const auto& [name, make] : cases) {
    if (name != argv[1]) continue;
    const Work work = make();
    work();
    counted(work);
    return 0;
  }
  std::cerr << "instructions: no case " << argv[1] << '\n';
  return 2;
}
