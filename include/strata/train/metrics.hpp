#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/metric.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] Index index_of_largest(const Scalar* values, Index size) {
  return static_cast<Index>(std::max_element(values, values + size) - values);
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The share of the features of a row whose prediction, taken as 1 above the threshold and as 0
/// below it, is the target.
///
///   model.compile(Adam{}, BinaryCrossentropy{}, {BinaryAccuracy{.threshold = 0.7}});
struct BinaryAccuracy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "binary_accuracy";
  static constexpr Mode mode = Mode::max;
  /// 0.5: the more probable class counts as the predicted one.
  double threshold = 0.5;

  /// Throws ValueError on a threshold that is not finite.
  void check() const { detail::check_setting(name, "threshold", threshold, true, "finite"); }
  /// A sentence about targets other than 0 and 1: no prediction is right for them, since
  /// predictions count as 0 or 1.
  template <class Scalar>
  [[nodiscard]] static std::string doubt(const Scalar* target, Index size, Index) {
    for (Index i = 0; i < size; ++i) {
      if (target[i] == Scalar(0) || target[i] == Scalar(1)) continue;
      return detail::message({"takes predictions for 0 or 1, but a target is ", target[i]});
    }
    return {};
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    Index right = 0;
    for (Index i = 0; i < size; ++i) {
      right +=
          (static_cast<double>(prediction[i]) > threshold ? Scalar(1) : Scalar(0)) == target[i];
    }
    return static_cast<double>(right) / static_cast<double>(size);
  }
};

/// 1 where the largest prediction of a row is at its largest target, else 0.
struct CategoricalAccuracy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Index target_size) const {
    return detail::index_of_largest(prediction, size) ==
           detail::index_of_largest(target, target_size);
  }
};

/// 1 where the largest prediction of a row is at the class whose number is the target, else 0.
struct SparseCategoricalAccuracy {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "sparse_categorical_accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return static_cast<Scalar>(detail::index_of_largest(prediction, size)) == *target;
  }
};

/// Keras' "accuracy": binary for one output, sparse for one target among several outputs,
/// categorical otherwise.
struct Accuracy {
  static constexpr const char* name = "accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Index target_size) const {
    if (size == 1) return BinaryAccuracy{}(prediction, target, size, target_size);
    if (target_size == 1) {
      return SparseCategoricalAccuracy{}(prediction, target, size, target_size);
    }
    return CategoricalAccuracy{}(prediction, target, size, target_size);
  }

  /// A sentence about a target that is one number but neither 0 nor 1, or several numbers of which
  /// none stands for a class.
  template <class Scalar>
  [[nodiscard]] static std::string doubt(const Scalar* target, Index size, Index target_size) {
    if (size == 1) return BinaryAccuracy::doubt(target, size, target_size);
    if (target_size == 1) return {};
    if (target_size != size) {
      return detail::message({"takes one target for each of the ", size, " outputs, or one class, ",
                              "but there are ", target_size, " targets"});
    }
    return CategoricalCrossentropy{}.doubt(target, size);
  }
};

/// The root of the mean squared error over all rows and features.
struct RootMeanSquaredError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "root_mean_squared_error";
  static constexpr Mode mode = Mode::min;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return MeanSquaredError{}(prediction, target, size, static_cast<Scalar*>(nullptr));
  }

  [[nodiscard]] static double finish(double mean) { return std::sqrt(mean); }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<BinaryAccuracy> : HeldAs<HeldFigure::binary_accuracy> {};
template <>
struct Held<CategoricalAccuracy> : HeldAs<HeldFigure::categorical_accuracy> {};
template <>
struct Held<SparseCategoricalAccuracy> : HeldAs<HeldFigure::sparse_categorical_accuracy> {};
template <>
struct Held<Accuracy> : HeldAs<HeldFigure::accuracy> {};
template <>
struct Held<RootMeanSquaredError> : HeldAs<HeldFigure::root_mean_squared_error> {};

}  // namespace strata::detail
