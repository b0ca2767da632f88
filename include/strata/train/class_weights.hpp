#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ShapeError or ValueError unless weights are empty, or finite numbers for the samples, or
/// for the steps, of outputs of a shape.
template <class Scalar>
void check_sample_weights(const char* what, const SampleWeights<Scalar>& weights,
                          const Shape& output, const Loss<Scalar>& loss) {
  if (weights.empty()) return;
  if (weights.batch() != output[0]) {
    fail<ShapeError>(
        {what, ": x has ", output[0], " samples, found ", weights.batch(), " weights"});
  }
  if (weights.steps() > 1) {
    if (!loss.is_of_rows()) {
      fail<ShapeError>({what, ": the loss ", loss.name(),
                        " sees whole sequences, so it takes one weight for each sample, (",
                        output[0], ", 1); found ", Shape{weights.batch(), weights.steps()}});
    }
    if (output.rank() != 3 || weights.steps() != output[1]) {
      fail<ShapeError>(
          {what, ": the model's output has the shape ", output, ", so weights have the shape ",
           Shape{output[0], 1},
           output.rank() == 3 ? message({" or ", Shape{output[0], output[1]}}) : std::string(),
           "; found ", Shape{weights.batch(), weights.steps()}});
    }
  }
  for (std::size_t i = 0; i < weights.values().size(); ++i) {
    if (is_finite(weights.values()[i])) continue;
    const auto number = static_cast<Index>(i);
    fail<ValueError>({what, ": the weight of ",
                      weights.steps() > 1 ? message({"sample ", number / weights.steps(), ", step ",
                                                     number % weights.steps()})
                                          : message({"sample ", number}),
                      " is ", is_nan(weights.values()[i]) ? "not a number" : "infinite"});
  }
}

/// Throws ValueError on weights of classes that are not finite or of no class, and where the loss
/// has no classes.
template <class Scalar>
void check_class_weights(const ClassWeights& weights, const Shape& output,
                         const Loss<Scalar>& loss) {
  if (weights.empty()) return;
  if (!loss.is_of_rows() ||
      (loss.targets() == Targets::values && loss.predictions() == Predictions::values)) {
    fail<ValueError>({"class_weight: the loss ", loss.name(), " has no classes"});
  }
  // One output is the probability of class 1.
  const Index classes = output.back() == 1 ? 2 : output.back();
  for (const auto& [number, weight] : weights) {
    if (number < 0 || number >= classes) {
      fail<ValueError>(
          {"class_weight: class ", number, " does not exist; the classes are 0 to ", classes - 1});
    }
    if (!is_finite(weight)) {
      fail<ValueError>({"class_weight: the weight of class ", number, " is ",
                        is_nan(weight) ? "not a number" : "infinite"});
    }
  }
}

/// The class of a row of targets: the label; of a single value 0 or 1, the value; of several
/// values, the place of the largest. Nothing where all are zero, as in padding. Throws ValueError
/// where there is no such class.
template <class Scalar>
[[nodiscard]] std::optional<Index> class_of(const Scalar* target, Index size, Targets targets) {
  if (targets == Targets::classes) return static_cast<Index>(*target);
  if (size == 1) {
    if (*target == Scalar(0) || *target == Scalar(1)) return static_cast<Index>(*target);
    fail<ValueError>({"is ", *target, ", which is no class, 0 or 1"});
  }
  Index largest = 0;
  bool has_equal = false;
  for (Index i = 1; i < size; ++i) {
    if (target[i] == target[largest]) has_equal = true;
    if (target[i] > target[largest]) {
      largest = i;
      has_equal = false;
    }
  }
  if (!has_equal) return largest;
  if (target[largest] == Scalar(0)) return std::nullopt;
  fail<ValueError>(
      {"has no single class: its largest value, ", target[largest], ", is there more than once"});
}

/// The weights of samples or steps, each times the weight of its class. y fits the outputs.
template <class Scalar>
[[nodiscard]] SampleWeights<Scalar> times_class_weights(SampleWeights<Scalar> weights,
                                                        const ClassWeights& classes,
                                                        const Tensor<Scalar>& y,
                                                        const Shape& output,
                                                        const Loss<Scalar>& loss) {
  if (classes.empty()) return weights;
  const Index batch = output[0];
  const Index steps = output.rank() == 3 ? output[1] : 1;
  const Index size = y.size() / (batch * steps);
  Tensor<Scalar> all({batch, steps});
  for (Index row = 0; row < batch * steps; ++row) {
    double weight = 1;
    const auto find_weight = [&] {
      if (const auto number = class_of(y.data() + row * size, size, loss.targets())) {
        const auto found = classes.find(*number);
        if (found != classes.end()) weight = found->second;
      }
    };
    on_error<ValueError>(find_weight, [&](const ValueError& error) {
      fail<ValueError>({"class_weight: ", place("y", y, row * size), " ", error.what()});
    });
    const Scalar own = weights.empty() ? Scalar(1) : weights(row / steps, row % steps);
    all.data()[row] = own * static_cast<Scalar>(weight);
  }
  return SampleWeights<Scalar>(all);
}

}  // namespace strata::detail::inline STRATA_RUNTIME
