#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace strata::test {

/// The largest difference between values and what Keras, PyTorch or ONNX Runtime compute that the
/// program has found, absolute below 1 and relative above. The program prints it when it ends, so
/// that tools/test.sh can say how far a machine is from them.
class LargestDifference {
 public:
  /// Of the program, for numbers of one type.
  template <class Scalar>
  static void add(double actual, double expected) {
    static LargestDifference largest(sizeof(Scalar) == sizeof(float) ? "float" : "double");
    const double difference = std::abs(actual - expected) / std::max(1.0, std::abs(expected));
    if (!(difference <= largest.value_)) largest.value_ = difference;
  }

 private:
  explicit LargestDifference(const char* type) : type_(type) {}
  ~LargestDifference() { std::printf("largest difference, %s: %.2g\n", type_, value_); }

  const char* type_;
  double value_ = 0;
};

}  // namespace strata::test
