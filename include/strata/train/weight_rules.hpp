#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A penalty that is added to the loss: l1 times the sum of |w|, and l2 times the sum of w^2. Both
/// factors are at least 0 and, as in Keras, 0 unless they are set.
///
///   L1L2{.l1 = 1e-5, .l2 = 1e-4}
struct L1L2 {
  double l1 = 0;  ///< factor of the sum of |w|
  double l2 = 0;  ///< factor of the sum of w^2
};
/// A penalty of l1 times the sum of |w|, which draws weights to 0.
///
///   L1{1e-5}
struct L1 {
  /// At least 0. Keras' default.
  double l1 = 0.01;
  operator L1L2() const noexcept { return {l1, 0}; }
};
/// A penalty of l2 times the sum of w^2, which keeps weights small.
///
///   L2{1e-4}
struct L2 {
  /// At least 0. Keras' default.
  double l2 = 0.01;
  operator L1L2() const noexcept { return {0, l2}; }
};

/// Limits the Euclidean norm of the weights of each output; of a bias, the norm of the whole bias.
///
///   MaxNorm{.max_value = 3}
struct MaxNorm {
  /// The largest norm, above 0. Keras' default; beside dropout, 3 to 4 is usual (Srivastava et al.
  /// 2014).
  double max_value = 2;
};
/// Scales the weights of each output to the Euclidean norm 1; of a bias, the whole bias.
struct UnitNorm {};
/// Makes negative weights zero.
struct NonNegative {};
/// Moves the Euclidean norm of the weights of each output towards the range from min_value to
/// max_value, where it lies outside. Keras' defaults, which limit the norm to 1.
///
///   MinMaxNorm{.min_value = 0.5, .max_value = 2, .rate = 0.1}
struct MinMaxNorm {
  double min_value = 0;  ///< the begin of the range, at least 0; 0: no lower limit
  double max_value = 1;  ///< the end of the range, above 0 and at least min_value
  double rate = 1;  ///< the share of the way that each update goes, from 0 to 1; 1: the whole way
};
/// A limit for the weights of a parameter. A class of its own, since std::variant takes long to
/// compile.
class Constraint {
 public:
  constexpr Constraint(MaxNorm how) noexcept : norm_{.max_value = how.max_value} {}
  constexpr Constraint(UnitNorm) noexcept : norm_{.min_value = 1} {}
  constexpr Constraint(NonNegative) noexcept : is_sign_(true) {}
  constexpr Constraint(MinMaxNorm how) noexcept : norm_(how) {}

  /// Whether the limit is NonNegative; otherwise it limits norms.
  [[nodiscard]] constexpr bool is_non_negative() const noexcept { return is_sign_; }
  /// The limits of norms, of which MaxNorm and UnitNorm are cases.
  [[nodiscard]] constexpr const MinMaxNorm& norm() const noexcept { return norm_; }

 private:
  bool is_sign_ = false;
  MinMaxNorm norm_;
};

/// Penalties, limits and learning rates for parameters by name: "lstm.kernel" names one parameter,
/// "lstm" all parameters of a layer, "kernel" the kernels of all layers. A rule holds for each
/// parameter that has the rule's name, or whose name begins with it and a dot, or ends with a dot
/// and it. Rules leave parameters alone that are not trainable.
///
///   model.compile(Adam{}, MeanSquaredError{}, {}, {.regularizers = {{"kernel", L2{1e-4}}},
///                                                  .constraints = {{"lstm.bias", MaxNorm{3}}},
///                                                  .rates = {{"embedding", 0.1}}});
struct WeightRules {
  /// Penalties, by default none. A parameter that several rules name has the sum of their
  /// penalties.
  std::vector<std::pair<std::string, L1L2>> regularizers = {};
  /// Limits, by default none. They are applied after each update, in this order.
  std::vector<std::pair<std::string, Constraint>> constraints = {};
  /// Factors of the learning rate, by default 1. The model keeps them, in its copies and files too,
  /// until a later rule of the same name.
  std::vector<std::pair<std::string, double>> rates = {};

  [[nodiscard]] bool empty() const noexcept { return regularizers.empty() && constraints.empty(); }
};

}  // namespace strata::inline STRATA_RUNTIME
