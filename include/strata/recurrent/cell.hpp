#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/random.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The derivatives that run from step to step, one row for each sequence: dh by the outputs, U
/// numbers, and dmemory by the memories. A step back replaces the derivatives by the state after
/// the step by the derivatives by the state before it. To dconstants, the derivatives by the
/// constants, a step back adds; null where nobody reads them.
template <class Scalar>
struct CellDerivatives {
  Rows<Scalar> dh;
  Rows<Scalar> dmemory;
  Rows<Scalar> dconstants{};
};

/// The base of a cell that takes its products with x in each step, and not for a window of steps:
/// it has the two functions that such a cell does not need.
struct CellDefaults {
  [[nodiscard]] static Index input_steps(Index) noexcept { return 0; }
  template <class Packed, class Scalar, class Memory>
  static void forward_inputs(const Packed&, const detail::Scan<Scalar>&, Memory&) noexcept {}
};

/// One step of a recurrent layer for a batch: the part in which an LSTM and a GRU differ.
/// `Recurrent` makes a layer of a cell: it has the loop over the steps, masks, states, dropout,
/// zoneout and direction.
///
/// The state of a sequence is the output h of `outputs()` numbers and `memories` rows of `units()`
/// numbers each (for an LSTM one: c). In a scan each memory is padded to whole registers.
///
/// - `packed.step(x, h, memory, y, order) noexcept`: one step of one sequence, without padding. h
///   and memory are read and replaced, and the new h is written to y too, which lies elsewhere.
///   `order` is the WeightOrder in which the step should read the weights, for cells whose kernels
///   are faster if it turns from step to step.
/// - `forward(packed, at, scratch)` predicts one step, after `prepare(packed, scratch, batch)`;
///   `forward(packed, at, tape)` trains, after `prepare(packed, tape, batch, steps)`.
/// - `input_steps(batch)`: the number of steps of a batch whose products with x the cell wants to
///   take together, or 0 where each step takes its own. If it is not 0, the steps come in windows,
///   in prediction of this number of steps. Before the steps of each window the layer calls
///   `forward_inputs(packed, window, scratch)`, in training with the tape instead of the scratch. A
///   cell that always returns 0 inherits CellDefaults.
/// - `backward(packed, at, tape, derivatives, first)` takes the derivatives one step back. With
///   `first` nobody reads the derivatives by the state before the step.
/// - `gradients(packed, scan, tape, gradient)` adds the derivatives by all parameters, in their
///   order, after the last step back; `input_derivative(packed, scan, tape, dx)` writes the
///   derivatives by x, (B, T, F).
///
/// A cell may remember more, see RemembersMore.
///
/// A scan may be a window of the steps of a sequence. In training `prepare` is called before each
/// window, with the number of its steps, and the rows of the window are counted from its first
/// step.
template <class C>
concept RecurrentCell = std::copyable<C> &&
    requires(C cell, const C& fixed, typename C::Packed& packed, const typename C::Packed& ready,
             typename C::Scratch& scratch, typename C::Tape& tape, Index size, const Random& random,
             const detail::ScanStep<typename C::scalar_type>& at,
             const detail::Scan<typename C::scalar_type>& scan,
             const CellDerivatives<typename C::scalar_type>& derivatives,
             std::span<typename C::scalar_type> gradient, const typename C::scalar_type* value,
             typename C::scalar_type* result, WeightOrder order) {
  { C::fixed_inputs } -> std::convertible_to<Index>;
  { C::fixed_outputs } -> std::convertible_to<Index>;
  { C::memories } -> std::convertible_to<Index>;
  { fixed.kind() } -> std::convertible_to<std::string>;
  { fixed.inputs() } -> std::same_as<Index>;
  { fixed.outputs() } -> std::same_as<Index>;
  { fixed.units() } -> std::same_as<Index>;
  cell.build(size);
  cell.initialize(random);
  { cell.parameters() } -> std::same_as<std::vector<Parameter<typename C::scalar_type>>>;
  fixed.pack(packed, true);
  fixed.prepare(ready, tape, size, size);
  fixed.prepare(ready, scratch, size);
  { fixed.input_steps(size) } -> std::same_as<Index>;
  fixed.forward_inputs(ready, scan, scratch);
  fixed.forward_inputs(ready, scan, tape);
  fixed.forward(ready, at, scratch);
  fixed.forward(ready, at, tape);
  fixed.backward(ready, at, tape, derivatives, true);
  fixed.gradients(ready, scan, tape, gradient);
  fixed.input_derivative(ready, scan, tape, result);
  { ready.step(value, result, result, result, order) }
  noexcept;
};

/// A cell whose state has more than h and the memories: `more_memory()` numbers, which a step
/// replaces too, and `constants()` numbers, which it only reads. They stand behind the memories, in
/// this order; `packed.step` finds them there. `list_state(parts)` names all parts of the state.
template <class C>
concept RemembersMore = RecurrentCell<C> && requires(const C& cell, detail::StateParts& parts) {
  { cell.more_memory() } -> std::same_as<Index>;
  { cell.constants() } -> std::same_as<Index>;
  cell.list_state(parts);
};

}  // namespace strata::inline STRATA_TARGET
