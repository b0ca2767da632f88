#pragma once

#include <type_traits>
#include <utility>

#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A recurrent layer of any cell, from a zero state or a given one. (B, T, F) to (B, T, U) with
/// return_sequences, to (B, U), the last step's output, without.
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

  /// Where the cell describes itself: of the kind "Recurrent", with the cell's kind as an option.
  [[nodiscard]] LayerDescription description() const requires requires(const Cell& cell) {
    cell.description();
  }
  {
    LayerDescription description = this->cell_.description();
    description.options.insert(description.options.begin(), {"cell", description.kind});
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
