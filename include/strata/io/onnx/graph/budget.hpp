#pragma once

#include <cstddef>

#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Bounds how many constants a graph may compute. Without a bound, a file with a few nodes could
/// ask for any amount of memory.
class OnnxBudget {
 public:
  /// `numbers`: the count of numbers in all constants of the file. The graph may compute 16 times
  /// as many, and always some thousands.
  explicit OnnxBudget(std::size_t numbers) : left_(16 * (numbers + 1024)) {}

  void spend(std::size_t numbers, const Where& where) {
    if (numbers > left_) where.refuse("the graph computes more constants than weights could need");
    left_ -= numbers;
  }

 private:
  std::size_t left_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
