// A recurrent cell of your own, beside the LSTM.
//
// Teaches GatedCell: a cell is the equations of one unit, written once, for registers and for
// derivatives, which are taken automatically. This one is JANET (van der Westhuizen & Lasenby
// 2018), an LSTM with a forget gate and no others, so with half its weights. Recurrent makes a
// layer of it that trains, streams, and takes masks, dropout and states. On screen: how well both
// add the two marked ones of 30 numbers, after the same training.

#include <strata/strata.hpp>

#include <cstdio>
#include <exception>
#include <iostream>

using namespace strata;

struct Janet {
  static constexpr const char* kind = "JANET";
  static constexpr GateLayout layout{.gates = 2};
  // z: W x + U h + b of each gate; h: the output of the step before. It gives the new output.
  auto operator()(auto& step) const {
    const auto forget = activate(Activation::sigmoid, step.z[0]);
    const auto fresh = activate(Activation::tanh, step.z[1]);
    return forget * (step.h - fresh) + fresh;
  }
};

// The mean absolute error on sequences that training did not see; 0.33 for always answering 1.
double error_of(const char* name, auto model) {
  Random random(1);
  Tensor<float> x({4000, 30, 2}), y({4000, 1});
  for (Index b = 0; b < x.batch(); ++b) {
    for (Index t = 0; t < 30; ++t) x(b, t, 0) = static_cast<float>(random.uniform());
    for (const Index t : {random.below(15), 15 + random.below(15)}) {
      x(b, t, 1) = 1;
      y(b, 0) += x(b, t, 0);
    }
  }
  model.compile(Adam{.learning_rate = 1e-2, .clip = {.global_norm = 1}}, MeanSquaredError{},
                {MeanAbsoluteError{}});
  const auto history =
      model.fit(x, y, {.epochs = 20, .validation_split = 0.1, .callbacks = {CosineDecay{}}});
  const double error = history["val_mae"].back();
  std::printf("\n%s: %d weights, mean error %.3f\n\n", name,
              static_cast<int>(model.parameter_count()), error);
  return error;
}

int main() {
  try {
    const GatedCell<Janet> janet(32, {}, {.unit_bias_gate = 0});  // it starts by remembering
    const double own = error_of("JANET", Sequential{Recurrent{janet}, Dense{1}});
    const double lstm = error_of("LSTM", Sequential{LSTM{32}, Dense{1}});
    return own < 0.05 && lstm < 0.05 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
