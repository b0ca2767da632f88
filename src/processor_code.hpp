#pragma once

#include <array>

#include <strata/contracts/layer_tables.hpp>
#include <strata/processor.hpp>

// What exists once for each instruction set. The files processor_*.cpp are compiled for each, and
// their objects are joined to one that shows nothing but its function strata_code_<set>, so that no
// function of theirs is shared with anything that is compiled for less (docs/instruction_sets.md).

namespace strata::detail {

/// The code for a scalar. All of it is reached by pointers to functions.
template <class Scalar>
struct ProcessorCode {
  /// By Held::number.
  std::array<LayerTables<Scalar>, held_layers> layers;
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
