#pragma once

#include <strata/precision.hpp>

namespace strata {

/// How a layer is asked to run step by step, or how it does run: the precision of its weights, and
/// whether all numbers that it is given, or that it gives, lie between -1 and 1.
struct Execution {
  Precision precision = Precision::full;
  bool bounded = false;
};

}  // namespace strata
