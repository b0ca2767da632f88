#pragma once

#include <string>

#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/precision.hpp>

#include "catch.hpp"
#include "decibels.hpp"
#include "golden.hpp"

namespace strata::test {

/// How far outputs may be from those of Keras and PyTorch with 16-bit weights. The weights of the
/// golden files are numbers that a 16-bit float holds exactly, so that half loses nothing: found
/// -134 dB at most, which is float's rounding. int16 rounds a weight to 1/32767 of the largest of
/// its unit and numbers of at most 1 to 1/16383, which a recurrence may amplify: found -64 dB at
/// most, in a bidirectional stack of two.
[[nodiscard]] inline double most_decibels(Precision precision) {
  return precision == Precision::int16 ? -60 : -125;
}

/// Predictions of a case, one sequence at a time, in the precisions below the full one that a layer
/// of the model can run in, against the outputs of the framework. `mask` may be empty; `state` is
/// null or the state before the first step. Returns how many precisions there are.
template <class Model>
int check_predictions_in_16_bits(const Golden& golden, const std::string& name, const Model& model,
                                 const Mask& mask = {}, const State<float>* state = nullptr) {
  int count = 0;
  const auto x = golden[name + ".x"].template tensor<float>();
  for (const Precision precision : {Precision::half, Precision::int16}) {
    INFO(name << " in " << strata::name(precision));
    try {
      (void)model.summary(precision);
    } catch (const ValueError&) {
      continue;
    }
    State<float> now = state ? *state : model.zero_state(x.batch());
    const auto y =
        model.predict(x, {.batch_size = 1, .mask = mask, .state = &now, .precision = precision});
    CHECK(decibels(y.values(), golden[name + ".y"].values) < most_decibels(precision));
    ++count;
  }
  return count;
}

}  // namespace strata::test
