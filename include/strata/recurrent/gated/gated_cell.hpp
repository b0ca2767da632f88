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
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/recurrent/cell.hpp>
#include <strata/recurrent/gated/batch_kernel.hpp>
#include <strata/recurrent/gated/step_kernel.hpp>
#include <strata/recurrent/gated/weights.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// How the weights of a gated cell begin, with Keras' defaults.
struct GatedCellOptions {
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// The gate whose bias starts at one, or -1: none.
  int unit_bias_gate = -1;
  /// The numbers that the recurrent kernel reads, where those are not h but a projection of it;
  /// 0: U.
  Index recurrent_inputs = 0;

  /// f(name, option) for each option in order, but for recurrent_inputs.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("unit_bias_gate", self.unit_bias_gate);
  }
};

namespace detail {

/// What the options of a layer say to its gated cell.
template <class Options>
[[nodiscard]] GatedCellOptions cell_options_of(const Options& options, int unit_bias_gate = -1) {
  return {.use_bias = options.use_bias,
          .kernel_initializer = options.kernel_initializer,
          .recurrent_initializer = options.recurrent_initializer,
          .bias_initializer = options.bias_initializer,
          .unit_bias_gate = unit_bias_gate};
}

}  // namespace detail

/// A cell that is one product with x, one with h, and arithmetic on the gates of each unit, which
/// `Gates` says:
///
///   struct SimpleGates {
///     static constexpr const char* kind = "SimpleRNN";
///     static constexpr int gates = 1;
///     auto operator()(auto& s) const { return activate(Activation::tanh, s.z[0]); }
///   };
///
/// It returns the new h from a GateStep `s`: pre-activations s.z, the output before s.h, and
/// s.memory, which it replaces. Derivatives are taken automatically, unless Gates has a `backward`.
/// Static members say what there is: `gates`, and where needed `slots`, `memories`, `reads_h`,
/// `biases`, `peephole_names`, `kernel_gates`, `recurrent_gates` (see
/// recurrent/gated/gates.hpp).
///
/// Longer than other headers, so that a cell's own one need not be more than its equations.
template <class Gates, class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          class Weights = detail::GateWeights<Scalar, Inputs, Units, Gates::gates,
                                              detail::GateTraits<Gates>::biases>>
class GatedCell {
  using Traits = detail::GateTraits<Gates>;

 public:
  using scalar_type = Scalar;
  template <class Other>
  using rebind = GatedCell<Gates, Other>;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Units;
  static constexpr Index memories = Traits::memories;

  /// Throws ValueError on units below 1 or that no memory can hold.
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
  /// Of gates without settings of their own, which it could not name.
  [[nodiscard]] LayerDescription description() const requires(std::is_empty_v<Gates>) {
    LayerDescription description{.kind = kind(), .complete = options_.recurrent_inputs == 0};
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
                       WeightMatrix<Scalar>{values(weights_.kernel()), inputs_, columns}, kernel);
    strata::initialize(
        options_.recurrent_initializer,
        WeightMatrix<Scalar>{values(weights_.recurrent_kernel()), recurrent_inputs(), columns},
        recurrent);
    if constexpr (Traits::peepholes > 0) {
      if (has_peepholes()) {
        strata::initialize(options_.kernel_initializer,
                           WeightMatrix<Scalar>{peepholes_, Traits::peepholes, units_}, peephole);
      }
    }
    weights_.bias().setZero();
    if (!options_.use_bias) return;
    strata::initialize(
        options_.bias_initializer,
        WeightMatrix<Scalar>{values(weights_.bias()), Traits::biases * columns, columns}, bias);
    if (options_.unit_bias_gate >= 0) {
      weights_.bias().middleRows(options_.unit_bias_gate * units_, units_).setOnes();
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    const Index columns = Traits::gates * units_;
    std::vector<Parameter<Scalar>> list{
        {"kernel", {inputs_, columns}, values(weights_.kernel())},
        {"recurrent_kernel", {recurrent_inputs(), columns}, values(weights_.recurrent_kernel())}};
    if (options_.use_bias) {
      list.push_back({"bias", Traits::biases == 1 ? Shape{columns} : Shape{Traits::biases, columns},
                      values(weights_.bias())});
    }
    if constexpr (Traits::peepholes > 0) {
      for (std::size_t i = 0; has_peepholes() && i < std::size_t(Traits::peepholes); ++i) {
        list.push_back({Gates::peephole_names[i], {units_}, peephole(i)});
      }
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    Index count = weights_.kernel().size() + weights_.recurrent_kernel().size();
    if (options_.use_bias) count += weights_.bias().size();
    if constexpr (Traits::peepholes > 0) {
      if (has_peepholes()) count += static_cast<Index>(peepholes_.size());
    }
    return count;
  }

  struct Packed {
    detail::GatePacked<Scalar, Gates> weights;
    Gates gates;

    void step(const Scalar* x, const Scalar* h, Scalar* memory, Scalar* y) const noexcept {
      step(x, h, memory, false, detail::StepOutput<Scalar>{y});
    }

    /// The same, and h becomes y too. `reverse` as in detail::gates_step.
    void step(const Scalar* x, Scalar* h, Scalar* memory, Scalar* y, bool reverse) const noexcept {
      with_equations(gates, [&](const auto& equations) STRATA_INLINE_LAMBDA {
        using Equations = std::remove_cvref_t<decltype(equations)>;
        const detail::StepOutput<Scalar> to_y{y};
        if constexpr (detail::comes_at_once<Equations, Inputs, Units, Scalar, Gates>()) {
          // The next step waits for it.
          const auto to_both = [=](Index first, Index used, const auto& values)
                                   STRATA_INLINE_LAMBDA {
                                     to_y(first, used, values);
                                     store_lanes(values, h + first, used);
                                   };
          detail::gates_step<Inputs, Units>(equations, weights, x, h, memory, reverse, to_both);
        } else {
          detail::gates_step<Inputs, Units>(equations, weights, x, h, memory, reverse, to_y);
          std::copy_n(y, Units == Dynamic ? weights.units : Units, h);
        }
      });
    }

    /// emit(first, used, values) takes the new h as detail::StepOutput does.
    template <class Emit>
    void step(const Scalar* x, const Scalar* h, Scalar* memory, bool reverse,
              Emit emit) const noexcept {
      with_equations(gates, [&](const auto& equations) STRATA_INLINE_LAMBDA {
        detail::gates_step<Inputs, Units>(equations, weights, x, h, memory, reverse, emit);
      });
    }
  };

  struct Scratch {
    /// Pre-activations of a block of steps, where the batch is small.
    detail::Buffer<Scalar> z;
  };

  struct Tape {
    detail::Buffer<Scalar> z;
    detail::Buffer<Scalar> dh_direct;
    detail::Buffer<Scalar> dpeepholes;
    detail::GradientScratch<Scalar> scratch;
  };

  void pack(Packed& packed, bool training) const {
    packed.gates = gates_;
    packed.weights.pack(inputs_, recurrent_inputs(), units_,
                        {weights_.kernel().data(), weights_.recurrent_kernel().data(),
                         weights_.bias().data(), peepholes_.data()},
                        training);
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    if (block_of(batch) > 1) scratch.z.resize(packed.weights.row_sizes() * block_of(batch) * batch);
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    tape.z.resize(packed.weights.row_sizes() * steps * batch);
    if (Traits::reads_h) tape.dh_direct.resize(batch * detail::padded<Scalar>(units_));
    tape.dpeepholes.resize(Traits::peepholes * detail::padded<Scalar>(units_));
    tape.dpeepholes.fill(0);
  }

  /// Before the steps of a small batch, what their inputs give is computed for a block of them:
  /// called for every step, it works for the first of each block.
  void forward_inputs(const Packed& packed, const detail::Scan<Scalar>& scan, Index step,
                      Scratch& scratch) const {
    forward_block(packed, scan, step, scratch.z.data(), block_of(scan.batch), 0);
  }
  void forward_inputs(const Packed& packed, const detail::Scan<Scalar>& scan, Index step,
                      Tape& tape) const {
    forward_block(packed, scan, step, tape.z.data(), scan.steps, step);
  }

  void forward(const Packed& packed, detail::ScanStep<Scalar> at, Scratch& scratch) const {
    const Index block = block_of(at.batch);
    with_equations(gates_, [&](const auto& equations) {
      if (block == 1) {
        return detail::gates_forward<false>(equations, packed.weights, at, false, nullptr, at.h);
      }
      at.step %= block;
      at.steps = block;
      if (at.batch == 1) {
        detail::gates_recurrent_step(equations, packed.weights, at, scratch.z.data());
      } else {
        detail::gates_forward<false>(equations, packed.weights, at, true, scratch.z.data(), at.h);
      }
    });
  }

  void forward(const Packed& packed, const detail::ScanStep<Scalar>& at, Tape& tape) const {
    with_equations(gates_, [&](const auto& equations) {
      detail::gates_forward<true>(equations, packed.weights, at, block_of(at.batch) > 1,
                                  tape.z.data(), at.h);
    });
  }

  void backward(const Packed& packed, const detail::ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const Rows<Scalar> direct{tape.dh_direct.data(), detail::padded<Scalar>(units_)};
    with_equations(gates_, [&](const auto& equations) {
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

  /// The derivatives by the gates of a step to those by what the recurrent kernel read.
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

  /// Gives another cell of the same gates these weights, as far as there are any yet.
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

  /// (P, U).
  [[nodiscard]] std::span<Scalar> peepholes() noexcept { return peepholes_; }

 private:
  /// Steps whose inputs are handled together: for batches that do not fill a tile, some that fill
  /// several; 1 for larger ones.
  [[nodiscard]] static Index block_of(Index batch) noexcept {
    constexpr Index columns = detail::tile_columns;
    return batch < columns ? 6 * columns / batch : 1;
  }

  /// The block that begins at a step, if one does, to rows of `z` from tape_first on.
  void forward_block(const Packed& packed, const detail::Scan<Scalar>& scan, Index step, Scalar* z,
                     Index tape_steps, Index tape_first) const {
    const Index block = block_of(scan.batch);
    if (block == 1 || step % block > 0) return;
    detail::gates_of_inputs(packed.weights, scan, step, std::min(block, scan.steps - step), z,
                            tape_steps, tape_first);
  }

  /// f(equations), where Gates choose among several when running, f(gates) otherwise.
  template <class F>
  static STRATA_ALWAYS_INLINE void with_equations(const Gates& gates, F f) {
    if constexpr (requires { gates.with_equations(f); }) {
      gates.with_equations(f);
    } else {
      f(gates);
    }
  }

  [[nodiscard]] Index recurrent_inputs() const noexcept {
    return options_.recurrent_inputs > 0 ? options_.recurrent_inputs : units_;
  }
  [[nodiscard]] bool has_peepholes() const noexcept {
    if constexpr (requires { gates_.has_peepholes(); })
      return gates_.has_peepholes();
    else
      return Traits::peepholes > 0;
  }
  [[nodiscard]] std::span<Scalar> peephole(std::size_t i) noexcept {
    const auto size = static_cast<std::size_t>(units_);
    return std::span<Scalar>(peepholes_).subspan(i * size, size);
  }

  template <class Map>
  [[nodiscard]] static std::span<Scalar> values(Map map) {
    return {map.data(), static_cast<std::size_t>(map.size())};
  }

  Index units_;
  Index inputs_ = Inputs;
  Gates gates_;
  GatedCellOptions options_;
  Weights weights_;
  std::vector<Scalar> peepholes_;
};

}  // namespace strata::inline STRATA_TARGET
