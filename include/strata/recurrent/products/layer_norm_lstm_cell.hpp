#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/normalize.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/products/products_cell.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// One step of one sequence of a LayerNormLSTM: U units, of whose gates i, f, g, o lie one behind
/// the other. `Normal` is mean 0 and variance 1 over all numbers.
///
/// A record of numbers, which are in one row so that a product writes to its front. Forward, they
/// are what backward needs; backward makes derivatives of them.
template <class Scalar>
struct LayerNormStep {
  Scalar* kernel;     ///< 4U: x W, normalized; then the derivative by x W.
  Scalar* recurrent;  ///< 4U: h U, normalized; then the derivative by h U.
  Scalar* gates;      ///< 4U: i, f, g, o; then their derivatives before activation.
  Scalar* memory;     ///< U: f c + i g, normalized.
  /// 1 / sqrt(variance + epsilon) of each of the three that are normalized.
  Scalar* kernel_factor;
  Scalar* recurrent_factor;
  Scalar* memory_factor;

  LayerNormStep(Scalar* record, Index units) noexcept
      : kernel(record),
        recurrent(record + 4 * units),
        gates(record + 8 * units),
        memory(record + 12 * units),
        kernel_factor(record + 13 * units),
        recurrent_factor(kernel_factor + 1),
        memory_factor(kernel_factor + 2) {}

  [[nodiscard]] static constexpr Index size(Index units) noexcept { return 13 * units + 3; }
};

/// The weights of a LayerNormLSTM but for its matrices, of one row each: the arrays of the
/// parameters from kernel_gamma on, or their gradients.
template <class Scalar>
struct LayerNormRows {
  Scalar* kernel_gamma;     ///< 4U
  Scalar* recurrent_gamma;  ///< 4U
  Scalar* memory_gamma;     ///< U
  Scalar* memory_beta;      ///< U
  Scalar* bias;             ///< 4U

  LayerNormRows(Scalar* first, Index units) noexcept
      : kernel_gamma(first),
        recurrent_gamma(first + 4 * units),
        memory_gamma(first + 8 * units),
        memory_beta(first + 9 * units),
        bias(first + 10 * units) {}

  [[nodiscard]] static constexpr Index size(Index units) noexcept { return 14 * units; }
  [[nodiscard]] static constexpr Index size_without_bias(Index units) noexcept {
    return 10 * units;
  }
};

/// One step of an LSTM whose products with x and with h, and whose memory, are normalized over
/// their units. `Options` are LayerNormLSTMOptions.
template <class Scalar, class Options>
class LayerNormLSTMCell : public ProductsCell<LayerNormLSTMCell<Scalar, Options>, Scalar, Options> {
  using Base = ProductsCell<LayerNormLSTMCell<Scalar, Options>, Scalar, Options>;
  using Base::options_, Base::units_, Base::weights_;
  using typename Base::Linear, typename Base::Product, typename Base::Products;
  using Step = LayerNormStep<Scalar>;

 public:
  static constexpr const char* name = "LayerNormLSTM";
  static constexpr Index memories = 1;

  LayerNormLSTMCell(Index units, const Options& options) : Base(units, options) {
    if (!is_finite(options.epsilon) || options.epsilon <= 0) {
      fail<ValueError>({name, ": epsilon must be above 0 and finite, found ", options.epsilon});
    }
    check_gate_activations(name, options.activation, options.recurrent_activation);
  }

  void add_weights(Index features) {
    const Index wide = 4 * units_;
    weights_.add("kernel", {features, wide}, options_.kernel_initializer);
    weights_.add("recurrent_kernel", {units_, wide}, options_.recurrent_initializer);
    weights_.add("kernel_gamma", {wide}, Ones{});
    weights_.add("recurrent_gamma", {wide}, Ones{});
    weights_.add("state_gamma", {units_}, Ones{});
    weights_.add("state_beta", {units_}, Zeros{});
    if (options_.use_bias) weights_.add("bias", {wide}, options_.bias_initializer, 2);
  }
  void initialize(const Random& random) {
    Base::initialize(random);
    if (options_.use_bias && options_.unit_forget_bias) {
      std::fill_n(weights_.data(bias) + units_, units_, Scalar(1));
    }
  }

  struct Packed {
    Linear kernel;
    Linear recurrent;
    std::vector<Scalar> rows;  ///< LayerNormRows, with zeros where there is no bias.
    Index units = 0;
    Activation activation = Activation::tanh;
    Activation recurrent_activation = Activation::sigmoid;
    Scalar epsilon = 0;

    void step(const Scalar* x, Scalar* h, Scalar* memory, Scalar* y, WeightOrder) const noexcept {
      auto* const record = STRATA_STACK_ARRAY(Scalar, Step::size(units));
      const Step at(record, units);
      kernel.apply(1, Rows<const Scalar>{x, 0}, Rows<Scalar>{at.kernel, 0});
      recurrent.apply(1, Rows<const Scalar>{h, 0}, Rows<Scalar>{at.recurrent, 0});
      finish(at, memory, y, memory);
      std::copy_n(y, units, h);
    }

    [[nodiscard]] LayerNormRows<const Scalar> weights() const noexcept {
      return {rows.data(), units};
    }

    /// The step from x W and h U, which are in `at`, and the memory c: the rest of `at`, h and the
    /// next memory, which may lie over c.
    void finish(const Step& at, const Scalar* c, Scalar* h_next, Scalar* c_next) const noexcept {
      const LayerNormRows<const Scalar> w = weights();
      *at.kernel_factor = normalize(at.kernel, 4 * units, epsilon);
      *at.recurrent_factor = normalize(at.recurrent, 4 * units, epsilon);
      for (Index k = 0; k < 4 * units; ++k) {
        at.gates[k] =
            w.kernel_gamma[k] * at.kernel[k] + w.recurrent_gamma[k] * at.recurrent[k] + w.bias[k];
      }
      Scalar* const i = at.gates;
      Scalar* const f = at.gates + units;
      Scalar* const g = at.gates + 2 * units;
      Scalar* const o = at.gates + 3 * units;
      activate_in_place(recurrent_activation, 2 * units, i);  // i and f.
      activate_in_place(activation, units, g);
      activate_in_place(recurrent_activation, units, o);
      for (Index u = 0; u < units; ++u) at.memory[u] = f[u] * c[u] + i[u] * g[u];
      *at.memory_factor = normalize(at.memory, units, epsilon);
      for (Index u = 0; u < units; ++u) c_next[u] = memory_after(at, u);
      for (Index u = 0; u < units; ++u) h_next[u] = o[u] * activate(activation, c_next[u]);
    }

    /// c of a unit after the step.
    [[nodiscard]] Scalar memory_after(const Step& at, Index u) const noexcept {
      return weights().memory_gamma[u] * at.memory[u] + weights().memory_beta[u];
    }
  };

  /// A record for each sequence.
  struct Scratch {
    Buffer<Scalar> records;
  };

  /// A record for each step of each sequence, (T, B).
  struct Tape : Scratch {
    std::vector<Scalar> row_gradients;  ///< LayerNormRows, summed over all records.
    Products products;
  };

  void pack(Packed& packed, bool training) const {
    this->pack_product(packed.kernel, {.kernel = kernel}, training);
    this->pack_product(packed.recurrent, {.kernel = recurrent}, training);
    packed.rows.clear();
    for (std::size_t i = kernel_gamma; i < weights_.size(); ++i) {
      packed.rows.insert(packed.rows.end(), weights_.data(i),
                         weights_.data(i) + weights_.shape(i).size());
    }
    packed.rows.resize(static_cast<std::size_t>(LayerNormRows<Scalar>::size(units_)));
    packed.units = units_;
    packed.activation = options_.activation;
    packed.recurrent_activation = options_.recurrent_activation;
    packed.epsilon = static_cast<Scalar>(options_.epsilon);
  }

  void prepare(const Packed&, Scratch& scratch, Index batch) const {
    scratch.records.resize(batch * Step::size(units_));
  }
  void prepare(const Packed&, Tape& tape, Index batch, Index steps) const {
    tape.records.resize(steps * batch * Step::size(units_));
    tape.row_gradients.assign(static_cast<std::size_t>(LayerNormRows<Scalar>::size(units_)), 0);
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, records_of(scratch));
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    run(packed, at, records_of(tape).from(at.step * at.batch));
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const Rows<Scalar> records = records_of(tape).from(at.step * at.batch);
    const LayerNormRows<Scalar> sums(tape.row_gradients.data(), units_);
    for (Index b = 0; b < at.batch; ++b) {
      step_back(packed, Step(records(b), units_), at.memory_before(b), d.dh(b), d.dmemory(b), sums);
    }
    if (first) return;
    packed.recurrent.apply_transposed(
        at.batch, [&](Index b) { return Step(records(b), units_).recurrent; }, d.dh);
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const Rows<Scalar> records = records_of(tape);
    this->add_input_gradients(
        packed.kernel, {.kernel = kernel}, scan,
        [&](Index row) { return Step(records(row), units_).kernel; }, all, tape.products);
    this->add_recurrent_gradients(
        packed.recurrent, {.kernel = recurrent}, scan,
        [&](Index row) { return Step(records(row), units_).recurrent; }, all, tape.products);
    const Index count = options_.use_bias ? LayerNormRows<Scalar>::size(units_)
                                          : LayerNormRows<Scalar>::size_without_bias(units_);
    add_scaled(count, Scalar(1), tape.row_gradients.data(), weights_.gradient(kernel_gamma, all));
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    const Rows<Scalar> records = records_of(tape);
    this->to_input(
        packed.kernel, scan, [&](Index row) { return Step(records(row), units_).kernel; }, dx);
  }

 private:
  /// Places of the weights in their list.
  static constexpr std::size_t kernel = 0;
  static constexpr std::size_t recurrent = 1;
  static constexpr std::size_t kernel_gamma = 2;
  static constexpr std::size_t bias = 6;

  [[nodiscard]] Rows<Scalar> records_of(Scratch& scratch) const {
    return {scratch.records.data(), Step::size(units_)};
  }

  void run(const Packed& packed, const ScanStep<Scalar>& at, Rows<Scalar> records) const {
    const Rows<Scalar> recurrent_products{Step(records.data, units_).recurrent, records.stride};
    packed.kernel.apply(at.batch, at.x, records);
    if (at.h_before) packed.recurrent.apply(at.batch, at.h_before, recurrent_products);
    for (Index b = 0; b < at.batch; ++b) {
      if (!at.h_before) std::fill_n(recurrent_products(b), 4 * units_, Scalar(0));
      packed.finish(Step(records(b), units_), at.memory_before(b), at.h(b), at.memory(b));
    }
  }

  /// Takes the derivatives by h and by the memory after a step to those by the record's products
  /// and, in `dmemory`, by the memory c before it. Adds those by the weights to `sums`.
  void step_back(const Packed& packed, const Step& at, const Scalar* c, const Scalar* dh,
                 Scalar* dmemory, const LayerNormRows<Scalar>& sums) const {
    const auto sigma = [&](Scalar y) { return derivative(options_.recurrent_activation, y); };
    const auto phi = [&](Scalar y) { return derivative(options_.activation, y); };
    const LayerNormRows<const Scalar> w = packed.weights();
    Scalar* const i = at.gates;
    Scalar* const f = at.gates + units_;
    Scalar* const g = at.gates + 2 * units_;
    Scalar* const o = at.gates + 3 * units_;

    // h' = o phi(c'), c' = memory_gamma normalized + memory_beta.
    for (Index u = 0; u < units_; ++u) {
      const Scalar y = activate(options_.activation, packed.memory_after(at, u));
      const Scalar dc = dmemory[u] + dh[u] * o[u] * phi(y);
      o[u] = dh[u] * y * sigma(o[u]);
      sums.memory_gamma[u] += dc * at.memory[u];
      sums.memory_beta[u] += dc;
      dmemory[u] = dc;
    }
    normal_backward(units_, at.memory, *at.memory_factor, w.memory_gamma, dmemory, dmemory);
    // f c + i g.
    for (Index u = 0; u < units_; ++u) {
      const Scalar d = dmemory[u];
      const Scalar di = d * g[u] * sigma(i[u]);
      const Scalar dg = d * i[u] * phi(g[u]);
      dmemory[u] = d * f[u];
      f[u] = d * c[u] * sigma(f[u]);
      i[u] = di;
      g[u] = dg;
    }
    // z = kernel_gamma normalized + recurrent_gamma normalized + bias.
    const Scalar* const dz = at.gates;
    for (Index k = 0; k < 4 * units_; ++k) {
      sums.bias[k] += dz[k];
      sums.kernel_gamma[k] += dz[k] * at.kernel[k];
      sums.recurrent_gamma[k] += dz[k] * at.recurrent[k];
    }
    normal_backward(4 * units_, at.kernel, *at.kernel_factor, w.kernel_gamma, dz, at.kernel);
    normal_backward(4 * units_, at.recurrent, *at.recurrent_factor, w.recurrent_gamma, dz,
                    at.recurrent);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
