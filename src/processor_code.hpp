#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <strata/contracts/layer_tables.hpp>
#include <strata/processor.hpp>
#include <strata/random.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/update_rule.hpp>
#include <strata/train/weight_rules.hpp>

// What exists once for each instruction set. The files processor_*.cpp are compiled for each. Their
// objects become one object, or one shared library, that shows nothing but its function
// strata_code_<set>, so that no function of theirs is shared with anything that is compiled for
// less (docs/instruction_sets.md).

namespace strata::detail {

/// The code for a scalar. All of it is reached by pointers to functions.
template <class Scalar>
struct ProcessorCode {
  /// By Held::number.
  std::array<LayerTables<Scalar>, held_layers> layers;

  // By Held::number; each makes a loss, metric or rule from its settings.
  std::array<std::shared_ptr<const AnyLoss<Scalar>> (*)(const void*), held_losses> losses;
  std::array<std::shared_ptr<const AnyMetric<Scalar>> (*)(const void*), held_figures> metrics;
  std::array<std::shared_ptr<const AnyUpdateRule<Scalar>> (*)(const void*), held_rules> rules;

  // Of strata/train/transducer_loss.hpp.
  double (*transducer_loss)(const Tensor<Scalar>&, std::span<const Index>, double, Tensor<Scalar>&);

  // The functions of strata/train/arithmetic.hpp.
  double (*sum_of_squares)(std::span<const Scalar>, std::size_t, double);
  double (*add_penalty)(const L1L2&, std::span<const Scalar>, std::span<Scalar>, double);
  void (*add_noise)(std::span<Scalar>, double, Random&);
  void (*add_to)(std::span<Scalar>, std::span<const Scalar>) noexcept;
};

/// The code for one instruction set.
struct Code {
  const ProcessorCode<float>* of_float;
  const ProcessorCode<double>* of_double;
};

/// The code in use; chooses it on the first call.
[[nodiscard]] const Code& code();

template <class Scalar>
[[nodiscard]] const ProcessorCode<Scalar>& code_of() {
  if constexpr (sizeof(Scalar) == sizeof(float)) {
    return *code().of_float;
  } else {
    return *code().of_double;
  }
}

}  // namespace strata::detail
