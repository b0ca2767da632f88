#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/initializers.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A list of weight arrays by name, for cells and layers whose sizes are known at run time only.
template <class Scalar>
class StoredWeights {
 public:
  void clear() { arrays_.clear(); }

  /// Appends a matrix, or a vector, without memory yet. `initializer` draws its first values from
  /// the random numbers that `key` forks off.
  void add(std::string name, const Shape& shape, const Initializer& initializer,
           std::uint64_t key) {
    arrays_.push_back({std::move(name), shape, initializer, key, {}});
  }
  /// The same, with its place in the list as the key.
  void add(std::string name, const Shape& shape, const Initializer& initializer) {
    add(std::move(name), shape, initializer, arrays_.size());
  }
  /// Zeros for all arrays: the largest first, so that what memory cannot hold is refused before
  /// much is written. Throws ShapeError or MemoryError then.
  void allocate() {
    std::vector<Array*> order;
    for (Array& array : arrays_) {
      (void)sizes::count(array.shape);
      order.push_back(&array);
    }
    std::sort(order.begin(), order.end(),
              [](const Array* a, const Array* b) { return a->shape.size() > b->shape.size(); });
    for (Array* const array : order) sizes::assign(array->values, array->shape.size(), Scalar(0));
  }

  [[nodiscard]] std::size_t size() const noexcept { return arrays_.size(); }
  [[nodiscard]] const Shape& shape(std::size_t i) const noexcept { return arrays_[i].shape; }
  [[nodiscard]] Scalar* data(std::size_t i) noexcept { return arrays_[i].values.data(); }
  [[nodiscard]] const Scalar* data(std::size_t i) const noexcept {
    return arrays_[i].values.data();
  }

  /// Draws the first values of all arrays; an initializer sees a vector as one row.
  void initialize(const Random& random) {
    for (Array& array : arrays_) {
      const Index columns = array.shape.back();
      Random own = random.fork(array.key);
      strata::initialize(array.initializer,
                         WeightMatrix<Scalar>{array.values, array.shape.size() / columns, columns},
                         own);
    }
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

  /// Where the gradient of an array begins among the gradients of all arrays.
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
  struct Array {
    std::string name;
    Shape shape;
    Initializer initializer;
    std::uint64_t key;
    std::vector<Scalar> values;
  };

  std::vector<Array> arrays_;
};

}  // namespace strata::detail::inline STRATA_TARGET
