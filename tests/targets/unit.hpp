#pragma once

#include <cstddef>

// What each unit offers: the same work, compiled for one instruction set. Only plain data goes in
// and out.

namespace targets {

/// What a model computes with the weights and inputs that `number` makes from their place: the
/// outputs of predict, those of streams, and loss and weights after steps of training. Returns how
/// many numbers it wrote to `out`, of at most `room`.
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
