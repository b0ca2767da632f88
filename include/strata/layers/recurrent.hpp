#pragma once

#include <type_traits>
#include <utility>

#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A recurrent layer of any cell. (B, T, F) to (B, T, U) with return_sequences; without, to (B, U),
/// the output of the last step.
///
///   Recurrent{GatedCell<MyGates>{64}, return_sequences, {.dropout = 0.2}}
template <RecurrentCell Cell, bool ReturnsSequences = false>
class Recurrent : public detail::RecurrentLayer<Cell> {
  struct NoFlag {};
  using Flag = std::conditional_t<ReturnsSequences, ReturnSequences, NoFlag>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on options out of range.
  explicit Recurrent(Cell cell, const RecurrentOptions& options = {})
      : detail::RecurrentLayer<Cell>(std::move(cell), options, ReturnsSequences) {}
  Recurrent(Cell cell, Flag, const RecurrentOptions& options = {})
      : detail::RecurrentLayer<Cell>(std::move(cell), options, ReturnsSequences) {}

  [[nodiscard]] Cell& cell() noexcept { return this->cell_; }
  [[nodiscard]] const Cell& cell() const noexcept { return this->cell_; }

  /// The cell's description as a layer of kind "Recurrent", with the cell's kind as the option
  /// "cell". Only for cells that describe themselves.
  [[nodiscard]] LayerDescription description() const requires requires(const Cell& cell) {
    cell.description();
  }
  {
    LayerDescription description = this->cell_.description();
    description.add_first("cell", description.kind);
    description.kind = "Recurrent";
    description.add("return_sequences", ReturnsSequences);
    return description.add_all(this->options_);
  }

  /// The same layer, weights included, for another scalar.
  template <class Other>
    requires requires { typename Cell::template rebind<Other>; }
  [[nodiscard]] auto to_dynamic() const {
    return Recurrent<typename Cell::template rebind<Other>, ReturnsSequences>(
        this->cell_.template to_dynamic<Other>(), this->options_);
  }
};

template <class Cell>
Recurrent(Cell, ReturnSequences) -> Recurrent<Cell, true>;
template <class Cell>
Recurrent(Cell, ReturnSequences, RecurrentOptions) -> Recurrent<Cell, true>;

}  // namespace strata::inline STRATA_TARGET
