#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/description.hpp>
#include <strata/contracts/execution.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/recurrent/cell.hpp>
#include <strata/recurrent/gated/batch_kernel.hpp>
#include <strata/recurrent/gated/int16_batch.hpp>
#include <strata/recurrent/gated/options.hpp>
#include <strata/recurrent/gated/packed_cell.hpp>
#include <strata/recurrent/gated/reduced_step.hpp>
#include <strata/recurrent/gated/step_kernel.hpp>
#include <strata/recurrent/gated/weights.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A recurrent cell that multiplies x by a kernel and h by a recurrent kernel, and computes each
/// unit from these two products by the equations of `Gates`:
///
///   struct SimpleGates {
///     static constexpr const char* kind = "SimpleRNN";
///     static constexpr GateLayout layout{.gates = 1, .reads_h = false};
///     auto operator()(auto& s) const { return activate(Activation::tanh, s.z[0]); }
///   };
///
/// The equations read a GateStep `s`: the pre-activations s.z, the output before the step s.h, and
/// the memories s.memory. They replace the memories and return the new h. Derivatives are taken
/// automatically, unless the equations have a function `backward`. GateLayout explains the layout.
template <class Gates, class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          class Weights =
              detail::GateWeights<Scalar, Inputs, Units, detail::GateTraits<Gates>::gates,
                                  detail::GateTraits<Gates>::biases>>
class GatedCell {
  using Traits = detail::GateTraits<Gates>;
  static constexpr bool names_peepholes = [] {
    if constexpr (requires { Gates::peephole_names; }) {
      return int{Gates::peephole_names.size()} == Traits::peepholes;
    } else {
      return Traits::peepholes == 0;
    }
  }();
  static constexpr bool can_reduce =
      detail::PackedGatedCell<Gates, Scalar, Inputs, Units>::can_reduce;
  static_assert(names_peepholes,
                "strata: the gates have as many peephole_names as their layout has peepholes");

 public:
  using scalar_type = Scalar;
  template <class Other>
  using rebind = GatedCell<Gates, Other>;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Units;
  static constexpr Index memories = Traits::memories;

  /// Throws ValueError when `units` is below 1 or more than memory can hold.
  explicit GatedCell(Index units = Units, Gates gates = {}, GatedCellOptions options = {})
      : units_(units), gates_(gates), options_(options) {
    sizes::check(kind(), "units", units);
    if (inputs_ != Dynamic) build(inputs_);
  }

  [[nodiscard]] std::string kind() const { return Gates::kind; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return units_; }
  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] const Gates& gates() const noexcept { return gates_; }
  [[nodiscard]] const GatedCellOptions& options() const noexcept { return options_; }
  /// Only for gates without members: a description has names for the options of the cell, but not
  /// for the settings of gates.
  [[nodiscard]] LayerDescription description() const requires(std::is_empty_v<Gates>) {
    LayerDescription description(kind());
    description.complete = options_.recurrent_inputs == 0;
    return description.add("units", units_).add_all(options_);
  }
  [[nodiscard]] Weights& weights() noexcept { return weights_; }
  [[nodiscard]] const Weights& weights() const noexcept { return weights_; }

  void build(Index features) {
    weights_.resize(features, units_, recurrent_inputs());
    sizes::assign(peepholes_, Traits::peepholes * units_, Scalar(0));
    inputs_ = features;
  }

  void initialize(const Random& random) {
    const Index columns = Traits::gates * units_;
    Random kernel = random.fork(0);
    Random recurrent = random.fork(1);
    Random bias = random.fork(2);
    Random peephole = random.fork(3);
    strata::initialize(options_.kernel_initializer,
                       WeightMatrix<Scalar>{weights_.kernel_values(), inputs_, columns}, kernel);
    strata::initialize(
        options_.recurrent_initializer,
        WeightMatrix<Scalar>{weights_.recurrent_values(), recurrent_inputs(), columns}, recurrent);
    if constexpr (Traits::peepholes > 0) {
      if (has_peepholes()) {
        strata::initialize(options_.kernel_initializer,
                           WeightMatrix<Scalar>{peepholes_, Traits::peepholes, units_}, peephole);
      }
    }
    const std::span<Scalar> biases = weights_.bias_values();
    std::fill(biases.begin(), biases.end(), Scalar(0));
    if (!options_.use_bias) return;
    strata::initialize(options_.bias_initializer,
                       WeightMatrix<Scalar>{biases, Traits::biases * columns, columns}, bias);
    if (options_.unit_bias_gate >= 0) {
      for (Index i = 0; i < Traits::biases; ++i) {
        std::fill_n(biases.begin() + i * columns + options_.unit_bias_gate * units_, units_,
                    Scalar(1));
      }
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    const Index columns = Traits::gates * units_;
    std::vector<Parameter<Scalar>> list{
        {"kernel", {inputs_, columns}, weights_.kernel_values()},
        {"recurrent_kernel", {recurrent_inputs(), columns}, weights_.recurrent_values()}};
    if (options_.use_bias) {
      list.push_back({"bias", Traits::biases == 1 ? Shape{columns} : Shape{Traits::biases, columns},
                      weights_.bias_values()});
    }
    if constexpr (Traits::peepholes > 0) {
      for (std::size_t i = 0; has_peepholes() && i < std::size_t(Traits::peepholes); ++i) {
        list.push_back({Gates::peephole_names[i], {units_}, peephole(i)});
      }
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    std::size_t count = weights_.kernel_values().size() + weights_.recurrent_values().size();
    if (options_.use_bias) count += weights_.bias_values().size();
    if constexpr (Traits::peepholes > 0) {
      if (has_peepholes()) count += peepholes_.size();
    }
    return static_cast<Index>(count);
  }

  using Packed = detail::PackedGatedCell<Gates, Scalar, Inputs, Units>;

  struct Scratch {
    /// bias + W x of the steps of a window, where the batch is smaller than a tile.
    detail::Buffer<Scalar> z;
    detail::Int16Scratch int16;
  };

  struct Tape {
    detail::Buffer<Scalar> z;
    detail::Buffer<Scalar> dh_direct;
    detail::Buffer<Scalar> dpeepholes;
    detail::GradientScratch<Scalar> scratch;
  };

  void pack(Packed& packed, bool training) const {
    packed.gates = gates_;
    packed.reduced.clear();
    packed.weights.pack(inputs_, recurrent_inputs(), units_,
                        {weights_.kernel_values().data(), weights_.recurrent_values().data(),
                         weights_.bias_values().data(), peepholes_.data()},
                        training);
  }

  /// Half where 16-bit floats reach as far as the weights; int16 where the activations are tanh and
  /// sigmoid, which keep every unit's output between -1 and 1. Both with float numbers alone.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    Execution own;
    detail::with_equations(gates_, [&](const auto& equations) {
      own.bounded = detail::has_standard_activations<decltype(equations)>;
    });
    if constexpr (can_reduce) {
      if (can_run_in(asked.precision, own.bounded)) own.precision = asked.precision;
    }
    return own;
  }
  void reduce(Packed& packed, const Execution& asked) const {
    packed.reduced.clear();
    if constexpr (can_reduce) {
      packed.reduced.pack(packed.weights, execution(asked).precision, asked.bounded);
    }
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    scratch.z.resize(packed.weights.row_sizes() * input_steps(batch) * batch);
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    tape.z.resize(packed.weights.row_sizes() * steps * batch);
    if (Traits::reads_h) tape.dh_direct.resize(batch * detail::padded<Scalar>(units_));
    tape.dpeepholes.resize(Traits::peepholes * detail::padded<Scalar>(units_));
    tape.dpeepholes.fill(0);
  }

  /// The number of steps whose products with x are taken together, so that a batch smaller than a
  /// tile fills several tiles. 0 for larger batches.
  [[nodiscard]] static Index input_steps(Index batch) noexcept {
    constexpr Index columns = detail::tile_columns;
    return batch < columns ? 6 * columns / batch : 0;
  }

  void forward_inputs(const Packed& packed, const detail::Scan<Scalar>& window,
                      Scratch& scratch) const {
    if constexpr (can_reduce) {
      const auto& int16 = packed.reduced.int16;
      if (int16.x_pairs > 0) {
        return detail::gates_of_int16_inputs(packed.weights, int16, window, scratch.z.data(),
                                             scratch.int16);
      }
    }
    detail::gates_of_inputs(packed.weights, window, scratch.z.data());
  }
  void forward_inputs(const Packed& packed, const detail::Scan<Scalar>& window, Tape& tape) const {
    detail::gates_of_inputs(packed.weights, window, tape.z.data());
  }

  void forward(const Packed& packed, const detail::ScanStep<Scalar>& at, Scratch& scratch) const {
    const bool ready = input_steps(at.batch) > 0;
    detail::with_equations(gates_, [&](const auto& equations) {
      if (at.batch == 1) {
        if constexpr (can_reduce) {
          if (!packed.reduced.is_empty()) {
            return detail::gates_recurrent_reduced_step(equations, packed.weights, packed.reduced,
                                                        at, scratch.z.data());
          }
        }
        return detail::gates_recurrent_step(equations, packed.weights, at, scratch.z.data());
      }
      Scalar* const z = ready ? scratch.z.data() : nullptr;
      using Equations = std::remove_cvref_t<decltype(equations)>;
      if constexpr (can_reduce) {
        if constexpr (detail::has_standard_activations<Equations>) {
          if (!packed.reduced.int16.is_empty()) {
            return detail::gates_int16_forward(equations, packed.weights, packed.reduced.int16, at,
                                               ready, z, at.h, scratch.int16);
          }
        }
      }
      detail::gates_forward<false>(equations, packed.weights, at, ready, z, at.h);
    });
  }

  void forward(const Packed& packed, const detail::ScanStep<Scalar>& at, Tape& tape) const {
    detail::with_equations(gates_, [&](const auto& equations) {
      detail::gates_forward<true>(equations, packed.weights, at, input_steps(at.batch) > 0,
                                  tape.z.data(), at.h);
    });
  }

  void backward(const Packed& packed, const detail::ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const Rows<Scalar> direct{tape.dh_direct.data(), detail::padded<Scalar>(units_)};
    detail::with_equations(gates_, [&](const auto& equations) {
      detail::gates_backward_step(equations, packed.weights, at, tape.z.data(),
                                  Rows<const Scalar>(d.dh), d.dmemory, direct,
                                  tape.dpeepholes.data());
    });
    if (first) return;
    to_previous(packed, at, tape, d.dh);
    if constexpr (Traits::reads_h) {
      for (Index b = 0; b < at.batch; ++b) {
        detail::add_scaled(units_, Scalar(1), direct(b), d.dh(b));
      }
    }
  }

  /// Writes dh, the derivatives by the numbers that the recurrent kernel read in a step, from the
  /// derivatives by the step's gates.
  void to_previous(const Packed& packed, const detail::ScanStep<Scalar>& at, Tape& tape,
                   Rows<Scalar> dh) const {
    detail::gates_to_previous(packed.weights, at, tape.z.data(), dh);
  }

  void gradients(const Packed& packed, const detail::Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> gradient) const {
    const Index columns = Traits::gates * units_;
    Scalar* const recurrent = gradient.data() + inputs_ * columns;
    Scalar* const bias = recurrent + recurrent_inputs() * columns;
    detail::gates_gradients(
        packed.weights, scan, std::as_const(tape.z).data(),
        {gradient.data(), recurrent, options_.use_bias ? bias : nullptr, nullptr}, tape.scratch);
    if constexpr (Traits::peepholes > 0) {
      Scalar* to = bias + (options_.use_bias ? Traits::biases * columns : 0);
      for (Index i = 0; has_peepholes() && i < Traits::peepholes; ++i) {
        const Scalar* from = tape.dpeepholes.data() + i * detail::padded<Scalar>(units_);
        for (Index u = 0; u < units_; ++u) *to++ += *from++;
      }
    }
  }

  void input_derivative(const Packed& packed, const detail::Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    detail::gates_input_derivative(packed.weights, scan, std::as_const(tape.z).data(), dx);
  }

  /// Copies the weights to another cell of the same gates. Does nothing before the cell is built.
  template <class Cell>
  void copy_weights_to(Cell& cell) const {
    if (inputs_ == Dynamic) return;
    using Other = typename Cell::scalar_type;
    cell.build(inputs_);
    cell.weights().kernel() = weights_.kernel().template cast<Other>();
    cell.weights().recurrent_kernel() = weights_.recurrent_kernel().template cast<Other>();
    cell.weights().bias() = weights_.bias().template cast<Other>();
    std::copy(peepholes_.begin(), peepholes_.end(), cell.peepholes().begin());
  }

  /// The same cell, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] rebind<Other> to_dynamic() const {
    rebind<Other> cell(units_, gates_, options_);
    copy_weights_to(cell);
    return cell;
  }

  /// The peephole weights, (P, U).
  [[nodiscard]] std::span<Scalar> peepholes() noexcept { return peepholes_; }

 private:
  [[nodiscard]] bool can_run_in(Precision precision, bool bounded) const noexcept {
    switch (precision) {
      case Precision::full:
        return true;
      case Precision::half:
        return detail::HalfWeights<Gates>::can_hold(weights_.kernel_values()) &&
               detail::HalfWeights<Gates>::can_hold(weights_.recurrent_values());
      case Precision::int16:
        return bounded && inputs_ + recurrent_inputs() <= detail::Int16Weights<Gates>::most_inputs;
    }
    return false;
  }

  [[nodiscard]] Index recurrent_inputs() const noexcept {
    return options_.recurrent_inputs > 0 ? options_.recurrent_inputs : units_;
  }
  [[nodiscard]] bool has_peepholes() const noexcept {
    if constexpr (Gates::layout.optional_peepholes)
      return gates_.has_peepholes();
    else
      return Traits::peepholes > 0;
  }
  [[nodiscard]] std::span<Scalar> peephole(std::size_t i) noexcept {
    const auto size = static_cast<std::size_t>(units_);
    return std::span<Scalar>(peepholes_).subspan(i * size, size);
  }

  Index units_;
  Index inputs_ = Inputs;
  Gates gates_;
  GatedCellOptions options_;
  Weights weights_;
  std::vector<Scalar> peepholes_;
};

}  // namespace strata::inline STRATA_TARGET
