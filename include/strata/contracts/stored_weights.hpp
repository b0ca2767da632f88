#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/initializers.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// A list of weight arrays by name, for cells and layers whose sizes are known at run time only.
template <class Scalar>
class StoredWeights {
 public:
  struct Array {
    std::string name;
    Shape shape;
    std::vector<Scalar> values;
  };

  void clear() { arrays_.clear(); }

  /// Appends an array, without memory yet.
  void add(std::string name, const Shape& shape) {
    arrays_.push_back({std::move(name), shape, {}});
  }
  /// Zeros for all arrays: the largest first, so that what memory cannot hold is refused before
  /// much is written. Throws ShapeError or MemoryError then.
  void allocate() {
    std::vector<Array*> order;
    for (Array& array : arrays_) {
      (void)sizes::count(array.shape);
      order.push_back(&array);
    }
    std::ranges::sort(order, std::greater(),
                      [](const Array* array) { return array->shape.size(); });
    for (Array* const array : order) sizes::assign(array->values, array->shape.size(), Scalar(0));
  }

  [[nodiscard]] std::size_t size() const noexcept { return arrays_.size(); }
  [[nodiscard]] Scalar* data(std::size_t i) noexcept { return arrays_[i].values.data(); }
  [[nodiscard]] const Scalar* data(std::size_t i) const noexcept {
    return arrays_[i].values.data();
  }

  /// Draws a matrix, or a vector as one row.
  void draw(std::size_t i, const Initializer& initializer, Random random) {
    auto& [name, shape, values] = arrays_[i];
    const Index columns = shape.back();
    strata::initialize(initializer, WeightMatrix<Scalar>{values, shape.size() / columns, columns},
                       random);
  }
  void fill(std::size_t i, Scalar value) {
    std::fill(arrays_[i].values.begin(), arrays_[i].values.end(), value);
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for (auto& array : arrays_) list.push_back({array.name, array.shape, array.values});
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    Index count = 0;
    for (const auto& array : arrays_) count += static_cast<Index>(array.values.size());
    return count;
  }

  /// Where the gradient of an array begins among those of all.
  [[nodiscard]] Scalar* gradient(std::size_t i, std::span<Scalar> all) const noexcept {
    Scalar* at = all.data();
    for (std::size_t k = 0; k < i; ++k) at += arrays_[k].values.size();
    return at;
  }

  template <class Other>
  void copy_to(StoredWeights<Other>& other) const {
    for (std::size_t i = 0; i < size(); ++i) {
      std::transform(arrays_[i].values.begin(), arrays_[i].values.end(), other.data(i),
                     [](Scalar value) { return static_cast<Other>(value); });
    }
  }

 private:
  std::vector<Array> arrays_;
};

}  // namespace strata::inline STRATA_TARGET::detail
