#pragma once

#include <cstddef>

#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// Bounds what a graph may make of its constants: a few nodes could ask for any amount of memory.
class OnnxBudget {
 public:
  /// `numbers`: of all constants of the file.
  explicit OnnxBudget(std::size_t numbers) : left_(16 * (numbers + 1024)) {}

  void spend(std::size_t numbers, const Where& where) {
    if (numbers > left_) where.refuse("the graph computes more constants than weights could need");
    left_ -= numbers;
  }

 private:
  std::size_t left_;
};

}  // namespace strata::inline STRATA_TARGET::io
