#pragma once

#include <Eigen/Core>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/shape.hpp>

namespace strata {

/// A dense array of rank 2, (B, F), or rank 3, (B, T, F), in the memory order of a C-order NumPy
/// array: features fastest, then steps, then batch. It owns its memory, or is a view of the user's.
///
/// A copy always owns its memory; a moved view stays a view. Element access is not checked for
/// range in Release builds, as in Eigen.
///
/// Functions that return a pointer, span or map into the memory do not compile for a temporary
/// tensor, since its memory ends with the expression: `for (float v : model.predict(x).values())`
/// would read memory that is freed. Give the tensor a name first. A temporary view is refused as
/// well, since its type does not say who owns the memory: write `const auto part = x.rows(0, 2);
/// part.values()`.
template <class Scalar>
class Tensor {
 public:
  using value_type = Scalar;
  using RowMajor = Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::RowMajor>;
  using MatrixMap = Eigen::Map<RowMajor>;
  using ConstMatrixMap = Eigen::Map<const RowMajor>;
  using StepMap = Eigen::Map<RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;
  using ConstStepMap = Eigen::Map<const RowMajor, Eigen::Unaligned, Eigen::OuterStride<>>;

  /// An empty tensor, of rank 0.
  Tensor() = default;

  /// A tensor of zeros. Throws ShapeError when the rank is not 2 or 3, a size is negative or there
  /// are more elements than memory has addresses; MemoryError when there is no memory for them.
  explicit Tensor(const Shape& shape) { resize(shape); }

  /// A tensor of the given values, in C order. Throws ShapeError when there are not shape.size().
  Tensor(const Shape& shape, std::vector<Scalar> values)
      : storage_(std::move(values)), data_(storage_.data()), shape_(sizes::of_tensor(shape)) {
    sizes::check_count(shape_, static_cast<Index>(storage_.size()));
  }

  Tensor(const Shape& shape, std::initializer_list<Scalar> values)
      : Tensor(shape, std::vector<Scalar>(values)) {}

  /// A view of the user's memory, which must outlive the view and hold shape.size() values.
  [[nodiscard]] static Tensor view(Scalar* data, const Shape& shape) {
    Tensor tensor;
    tensor.shape_ = sizes::of_tensor(shape);
    tensor.data_ = data;
    return tensor;
  }

  /// A read-only view of the user's memory. Where it is moved into a tensor that is not const, the
  /// tensor's functions for writing throw ValueError.
  [[nodiscard]] static const Tensor view(const Scalar* data, const Shape& shape) {
    Tensor tensor = view(const_cast<Scalar*>(data), shape);
    tensor.read_only_ = true;
    return tensor;
  }

  Tensor(const Tensor& other)
      : storage_(sizes::allocate(
            other.size(), sizeof(Scalar),
            [&] { return std::vector<Scalar>(other.data_, other.data_ + other.size()); })),
        data_(storage_.data()),
        shape_(other.shape_) {}

  Tensor(Tensor&& other) noexcept { swap(other); }

  /// Takes over a const tensor that a function returned: a read-only view stays a view, any other
  /// tensor is copied.
  Tensor(const Tensor&& other) : Tensor() {
    if (other.read_only_) {
      data_ = other.data_;
      shape_ = other.shape_;
      read_only_ = true;
    } else {
      *this = other;
    }
  }

  Tensor& operator=(Tensor other) noexcept {
    swap(other);
    return *this;
  }

  ~Tensor() = default;

  /// Gives the tensor another shape and memory of its own, which is reused where it suffices. The
  /// values are unspecified afterwards. Throws what Tensor(shape) throws; the tensor is unchanged
  /// then.
  void resize(const Shape& shape) {
    const Shape wanted = sizes::of_tensor(shape);
    sizes::resize(storage_, wanted.size());
    shape_ = wanted;
    data_ = storage_.data();
    read_only_ = false;
  }

  [[nodiscard]] Index rank() const noexcept { return shape_.rank(); }
  [[nodiscard]] Shape shape() const noexcept { return shape_; }
  [[nodiscard]] Index size() const noexcept { return shape_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// B: the number of sequences or samples.
  [[nodiscard]] Index batch() const noexcept { return rank() == 0 ? 0 : shape_[0]; }
  /// T: the number of steps of a sequence; 1 for rank 2.
  [[nodiscard]] Index steps() const noexcept { return rank() == 3 ? shape_[1] : 1; }
  /// F: the number of features, the innermost size.
  [[nodiscard]] Index features() const noexcept { return rank() == 0 ? 0 : shape_.back(); }

  /// The first value. Here as in all functions below, the one that is not const throws ValueError
  /// on a read-only view.
  [[nodiscard]] const Scalar* data() const& noexcept { return data_; }
  [[nodiscard]] Scalar* data() & {
    if (read_only_)
      detail::raise<ValueError>("this tensor views memory that may not be written; copy it");
    return data_;
  }

  /// All values, in C order.
  [[nodiscard]] std::span<const Scalar> values() const& noexcept {
    return {data_, static_cast<std::size_t>(size())};
  }
  [[nodiscard]] std::span<Scalar> values() & { return {data(), static_cast<std::size_t>(size())}; }

  [[nodiscard]] Scalar operator()(Index b, Index f) const& noexcept {
    eigen_assert(rank() == 2);
    return data_[b * features() + f];
  }
  [[nodiscard]] Scalar& operator()(Index b, Index f) & {
    eigen_assert(rank() == 2);
    return data()[b * features() + f];
  }
  [[nodiscard]] Scalar operator()(Index b, Index t, Index f) const& noexcept {
    eigen_assert(rank() == 3);
    return data_[(b * steps() + t) * features() + f];
  }
  [[nodiscard]] Scalar& operator()(Index b, Index t, Index f) & {
    eigen_assert(rank() == 3);
    return data()[(b * steps() + t) * features() + f];
  }

  /// The tensor as an Eigen matrix: (B, F) for rank 2; (B T, F), a row for each step, for rank 3.
  [[nodiscard]] ConstMatrixMap matrix() const& noexcept {
    return {data_, batch() * steps(), features()};
  }
  [[nodiscard]] MatrixMap matrix() & { return {data(), batch() * steps(), features()}; }

  /// Sequence b as an Eigen matrix (T, F).
  [[nodiscard]] ConstMatrixMap sequence(Index b) const& noexcept {
    return {data_ + b * steps() * features(), steps(), features()};
  }
  [[nodiscard]] MatrixMap sequence(Index b) & {
    return {data() + b * steps() * features(), steps(), features()};
  }

  /// Time step t of all sequences as an Eigen matrix (B, F).
  [[nodiscard]] ConstStepMap step(Index t) const& noexcept {
    return {data_ + t * features(), batch(), features(),
            Eigen::OuterStride<>(steps() * features())};
  }
  [[nodiscard]] StepMap step(Index t) & {
    return {data() + t * features(), batch(), features(),
            Eigen::OuterStride<>(steps() * features())};
  }

  /// A view of `count` samples from sample `first` on. Throws ShapeError when the range leaves the
  /// tensor.
  [[nodiscard]] const Tensor rows(Index first, Index count) const& {
    const Shape part = rows_shape(first, count);
    return view(static_cast<const Scalar*>(data_) + first * steps() * features(), part);
  }
  [[nodiscard]] Tensor rows(Index first, Index count) & {
    const Shape part = rows_shape(first, count);
    return view(data() + first * steps() * features(), part);
  }

  // The tensor is a temporary: give it a name first.
  const Scalar* data() const&& = delete;
  std::span<const Scalar> values() const&& = delete;
  ConstMatrixMap matrix() const&& = delete;
  ConstMatrixMap sequence(Index b) const&& = delete;
  ConstStepMap step(Index t) const&& = delete;
  const Tensor rows(Index first, Index count) const&& = delete;

  void swap(Tensor& other) noexcept {
    std::swap(storage_, other.storage_);
    std::swap(data_, other.data_);
    std::swap(shape_, other.shape_);
    std::swap(read_only_, other.read_only_);
  }

 private:
  [[nodiscard]] Shape rows_shape(Index first, Index count) const {
    sizes::check_range<ShapeError>("samples", first, count, "a tensor", batch());
    Shape part = shape_;
    part[0] = count;
    return part;
  }

  std::vector<Scalar> storage_;
  Scalar* data_ = nullptr;
  Shape shape_;
  bool read_only_ = false;
};

}  // namespace strata
