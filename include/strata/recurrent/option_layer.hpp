#pragma once

#include <utility>

#include <strata/contracts/description.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The type of a recurrent layer with another scalar, and with sizes chosen at run time.
template <class Layer, class Scalar>
struct WithScalar;

template <template <class, Index, Index, bool> class Layer, class Old, Index Inputs, Index Units,
          bool ReturnsSequences, class Scalar>
struct WithScalar<Layer<Old, Inputs, Units, ReturnsSequences>, Scalar> {
  using type = Layer<Scalar, Dynamic, Dynamic, ReturnsSequences>;
};

template <template <class, bool> class Layer, class Old, bool ReturnsSequences, class Scalar>
struct WithScalar<Layer<Old, ReturnsSequences>, Scalar> {
  using type = Layer<Scalar, ReturnsSequences>;
};

/// A recurrent layer that is made from its units and a struct of options: all that LSTM, GRU and
/// their like have in common besides the loop over the steps.
///
/// `Layer` is the class that inherits this one. `Cell(units, options)` makes its cell, and throws
/// ValueError on options of the cell that are out of range. `Options` is an aggregate with a
/// function `each` (see LayerDescription) and with the fields of RecurrentOptions.
///
/// Constructors are inherited, but class template argument deduction does not look at inherited
/// ones, so each layer has two deduction guides: with `return_sequences`, and without.
template <class Layer, class Cell, class Options, bool ReturnsSequences>
class OptionLayer : public RecurrentLayer<Cell> {
  static constexpr bool has_fixed_units = Cell::fixed_outputs != Dynamic;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit OptionLayer(Index units, Options options = {}) requires(!has_fixed_units)
      : OptionLayer(std::move(options), units) {}
  OptionLayer(Index units, ReturnSequences,
              Options options = {}) requires(!has_fixed_units && ReturnsSequences)
      : OptionLayer(std::move(options), units) {}
  OptionLayer() requires(has_fixed_units) : OptionLayer(Options{}) {}
  explicit OptionLayer(Options options) requires(has_fixed_units)
      : OptionLayer(std::move(options), Cell::fixed_outputs) {}

  /// The options as they were given. Bidirectional changes how a layer reads, which
  /// recurrent_options() tells.
  [[nodiscard]] const Options& options() const noexcept { return all_options_; }

  [[nodiscard]] LayerDescription description() const {
    Options options = all_options_;
    options.go_backwards = this->options_.go_backwards;
    options.zero_output_for_mask = this->options_.zero_output_for_mask;
    return LayerDescription{this->kind()}
        .add("units", this->units())
        .add("return_sequences", ReturnsSequences)
        .add_all(options);
  }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Scalar>
  [[nodiscard]] auto to_dynamic() const {
    typename WithScalar<Layer, Scalar>::type layer(this->units(), all_options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  OptionLayer(Options options, Index units)
      : RecurrentLayer<Cell>(Cell(units, options), recurrent_options_of(options), ReturnsSequences),
        all_options_(std::move(options)) {}

  Options all_options_;
};

}  // namespace strata::detail::inline STRATA_TARGET
