#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/recurrent/cell.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/rows.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// values = activation(values).
template <class Scalar>
void activate_in_place(Activation activation, Index size, Scalar* values) noexcept {
  transform(
      size, values, [activation](auto v) { return activate(activation, v); },
      static_cast<const Scalar*>(values));
}

/// What cells of several products in a row have in common, whose equations do not go unit by unit
/// as those of a GatedCell do: weights by name with their first values and copies, and products
/// that are packed from these weights and add to their gradients.
///
/// `Cell` is the class that inherits this one. It has `add_weights(features)`, which lists its
/// arrays in the order of the parameters with `weights_.add`, and all that RecurrentCell asks for
/// besides.
template <class Cell, class Scalar, class Options>
class ProductsCell : public CellDefaults {
 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;

  [[nodiscard]] std::string kind() const { return Cell::name; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return units_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  void build(Index features) {
    weights_.clear();
    static_cast<Cell&>(*this).add_weights(features);
    weights_.allocate();
    inputs_ = features;
  }
  void initialize(const Random& random) { weights_.initialize(random); }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return weights_.parameters(); }
  [[nodiscard]] Index parameter_count() const noexcept { return weights_.parameter_count(); }

  template <class OtherCell, class OtherScalar>
  void copy_weights_to(ProductsCell<OtherCell, OtherScalar, Options>& cell) const {
    if (inputs_ == Dynamic) return;
    cell.build(inputs_);
    weights_.copy_to(cell.weights_);
  }

 protected:
  template <class, class, class>
  friend class ProductsCell;

  using Linear = detail::Linear<Scalar>;
  using Products = typename Linear::Scratch;

  /// The weights of one product, by their places in the list: a matrix or some columns of one, and
  /// a bias.
  struct Product {
    std::size_t kernel;
    std::optional<std::size_t> bias = std::nullopt;
    Index first_column = 0;
    /// 0: all.
    Index columns = 0;
  };

  /// Throws ValueError on units below 1.
  ProductsCell(Index units, Options options) : units_(units), options_(std::move(options)) {
    sizes::check(kind(), "units", units);
  }

  /// `more` is added to the bias.
  void pack_product(Linear& linear, const Product& product, bool training, Scalar more = 0) const {
    const Shape& shape = weights_.shape(product.kernel);
    const Index columns = product.columns > 0 ? product.columns : shape.back();
    linear.pack(shape[0], columns, weights_.data(product.kernel) + product.first_column,
                product.bias ? weights_.data(*product.bias) : nullptr, training, shape.back(),
                more);
  }

  /// Adds to the gradients of a product what x(row) and dz(row) of all rows say.
  template <class X, class DZ>
  void add_gradients(const Linear& linear, const Product& product, Index rows, X x, DZ dz,
                     std::span<Scalar> all, Products& scratch) const {
    linear.add_gradients(rows, x, dz, weights_.gradient(product.kernel, all) + product.first_column,
                         product.bias ? weights_.gradient(*product.bias, all) : nullptr, scratch,
                         weights_.shape(product.kernel).back());
  }
  /// The same for a product with x.
  template <class DZ>
  void add_input_gradients(const Linear& linear, const Product& product, const Scan<Scalar>& scan,
                           DZ dz, std::span<Scalar> all, Products& scratch) const {
    add_gradients(
        linear, product, scan.rows(), [&](Index row) { return scan.x_row(row); }, dz, all, scratch);
  }
  /// The same for a product with h, of the steps that have one before them.
  template <class DZ>
  void add_recurrent_gradients(const Linear& linear, const Product& product,
                               const Scan<Scalar>& scan, DZ dz, std::span<Scalar> all,
                               Products& scratch) const {
    const Index skipped = scan.rows_without_h();
    add_gradients(
        linear, product, scan.rows() - skipped,
        [&](Index row) { return scan.h_row_before(row + skipped); },
        [&](Index row) { return dz(row + skipped); }, all, scratch);
  }
  /// dx of a product with x, (B, T, F).
  template <class DZ>
  void to_input(const Linear& linear, const Scan<Scalar>& scan, DZ dz, Scalar* dx) const {
    linear.apply_transposed(scan.rows(), dz, [&](Index row) { return scan.dx_row(dx, row); });
  }

  Index units_;
  Index inputs_ = Dynamic;
  Options options_;
  StoredWeights<Scalar> weights_;
};

}  // namespace strata::detail::inline STRATA_TARGET
