#pragma once

#include <cstddef>

// What each unit offers: the same work, compiled for one instruction set. Only plain data goes in
// and out.

namespace targets {

/// Computes with a model whose weights and inputs `number` makes from their place. Writes to `out`
/// the outputs of predict and of streams, and the loss and the weights after steps of training, at
/// most `room` numbers, and returns their count.
using Work = std::size_t(double* out, std::size_t room);

struct Unit {
  const char* name;
  Work* work;
};

/// A number in (-1, 1), which depends on its place alone.
inline double number(std::size_t place) {
  return static_cast<double>(place * 7919 % 2003) / 1001.5 - 1;
}

}  // namespace targets
