#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/kernels/normalize.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Options of a LayerNormLSTM: those of an LSTM, and the epsilon of its normalizations.
struct LayerNormLSTMOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  bool unit_forget_bias = true;
  double epsilon = 1e-3;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// See RecurrentOptions.
  double dropout = 0;
  double recurrent_dropout = 0;
  double zoneout = 0;
  double memory_zoneout = 0;
  bool go_backwards = false;
  bool zero_output_for_mask = false;
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("activation", self.activation);
    f("recurrent_activation", self.recurrent_activation);
    f("use_bias", self.use_bias);
    f("unit_forget_bias", self.unit_forget_bias);
    f("epsilon", self.epsilon);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    detail::each_recurrent_option(self, f);
  }
};

namespace detail {

/// An LSTM whose products and memory are normalized. Longer than other headers, because the cell is
/// no GatedCell and has its products and derivatives itself.
template <class Scalar>
class LayerNormLSTMCell {
 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = 1;

  LayerNormLSTMCell(Index units, const LayerNormLSTMOptions& options)
      : units_(units), options_(options) {
    sizes::check(kind(), "units", units);
    if (!is_finite(options.epsilon) || options.epsilon <= 0) {
      fail<ValueError>({kind(), ": epsilon must be above 0 and finite, found ", options.epsilon});
    }
    check_gate_activations("LayerNormLSTM", options.activation, options.recurrent_activation);
  }

  [[nodiscard]] std::string kind() const { return "LayerNormLSTM"; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return units_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  void build(Index features) {
    const Index wide = 4 * units_;
    weights_.clear();
    weights_.add("kernel", {features, wide});
    weights_.add("recurrent_kernel", {units_, wide});
    weights_.add("kernel_gamma", {wide});
    weights_.add("recurrent_gamma", {wide});
    weights_.add("state_gamma", {units_});
    weights_.add("state_beta", {units_});
    if (options_.use_bias) weights_.add("bias", {wide});
    weights_.allocate();
    inputs_ = features;
  }
  void initialize(const Random& random) {
    weights_.draw(kernel, options_.kernel_initializer, random.fork(0));
    weights_.draw(recurrent, options_.recurrent_initializer, random.fork(1));
    for (const std::size_t gamma : {kernel_gamma, recurrent_gamma, state_gamma}) {
      weights_.fill(gamma, 1);
    }
    weights_.fill(state_beta, 0);
    if (!options_.use_bias) return;
    weights_.draw(bias, options_.bias_initializer, random.fork(2));
    if (options_.unit_forget_bias) std::fill_n(weights_.data(bias) + units_, units_, Scalar(1));
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return weights_.parameters(); }
  [[nodiscard]] Index parameter_count() const noexcept { return weights_.parameter_count(); }

  struct Packed {
    Linear<Scalar> kernel;
    Linear<Scalar> recurrent;
    std::vector<Scalar> kernel_gamma, recurrent_gamma, state_gamma, state_beta, bias;
    Activation activation = Activation::tanh;
    Activation recurrent_activation = Activation::sigmoid;
    Scalar epsilon = 0;

    void step(const Scalar* x, const Scalar* h, Scalar* memory, Scalar* y) const noexcept {
      const auto units = static_cast<Index>(state_gamma.size());
      auto* const room = static_cast<Scalar*>(
          __builtin_alloca(static_cast<std::size_t>(record_size(units)) * sizeof(Scalar)));
      kernel.apply(1, Rows<const Scalar>{x, 0}, Rows<Scalar>{room, 0});
      recurrent.apply(1, Rows<const Scalar>{h, 0}, Rows<Scalar>{room + 4 * units, 0});
      gates(room, memory, y, memory);
    }

    /// From the products x W and h U at the front of a record, which becomes what backward needs.
    void gates(Scalar* record, const Scalar* c, Scalar* h_next, Scalar* c_next) const noexcept {
      const auto units = static_cast<Index>(state_gamma.size());
      const Record at(record, units);
      *at.kernel_scale = normalize(at.kernel, 4 * units, epsilon);
      *at.recurrent_scale = normalize(at.recurrent, 4 * units, epsilon);
      for (Index i = 0; i < 4 * units; ++i) {
        const auto k = static_cast<std::size_t>(i);
        at.gates[i] =
            kernel_gamma[k] * at.kernel[i] + recurrent_gamma[k] * at.recurrent[i] + bias[k];
      }
      const auto activate_part = [&](Index first, Index count, Activation which) {
        transform(
            count, at.gates + first, [&](auto v) { return activate(which, v); },
            static_cast<const Scalar*>(at.gates + first));
      };
      activate_part(0, 2 * units, recurrent_activation);
      activate_part(2 * units, units, activation);
      activate_part(3 * units, units, recurrent_activation);
      for (Index u = 0; u < units; ++u) {
        at.state[u] = at.gates[units + u] * c[u] + at.gates[u] * at.gates[2 * units + u];
      }
      *at.state_scale = normalize(at.state, units, epsilon);
      for (Index u = 0; u < units; ++u) c_next[u] = memory(at.state, u);
      for (Index u = 0; u < units; ++u) {
        h_next[u] = at.gates[3 * units + u] * activate(activation, c_next[u]);
      }
    }

    [[nodiscard]] Scalar memory(const Scalar* normalized, Index u) const noexcept {
      const auto k = static_cast<std::size_t>(u);
      return state_gamma[k] * normalized[u] + state_beta[k];
    }
  };

  struct Scratch {
    Buffer<Scalar> records;
  };

  /// Of every row, (T, B): a record.
  struct Tape : Scratch {
    /// The gradients of gammas, beta and bias, in the order of the weights.
    std::vector<Scalar> sums;
    typename Linear<Scalar>::Scratch products;
  };

  void pack(Packed& packed, bool training) const {
    const Index wide = 4 * units_;
    const auto copy = [&](std::size_t i, Index size) {
      return std::vector<Scalar>(weights_.data(i), weights_.data(i) + size);
    };
    packed.kernel.pack(inputs_, wide, weights_.data(kernel), nullptr, training);
    packed.recurrent.pack(units_, wide, weights_.data(recurrent), nullptr, training);
    packed.kernel_gamma = copy(kernel_gamma, wide);
    packed.recurrent_gamma = copy(recurrent_gamma, wide);
    packed.state_gamma = copy(state_gamma, units_);
    packed.state_beta = copy(state_beta, units_);
    packed.bias = options_.use_bias ? copy(bias, wide)
                                    : std::vector<Scalar>(static_cast<std::size_t>(wide), 0);
    packed.activation = options_.activation;
    packed.recurrent_activation = options_.recurrent_activation;
    packed.epsilon = static_cast<Scalar>(options_.epsilon);
  }

  void prepare(const Packed&, Scratch& scratch, Index batch) const {
    scratch.records.resize(batch * record_size(units_));
  }
  void prepare(const Packed&, Tape& tape, Index batch, Index steps) const {
    tape.records.resize(steps * batch * record_size(units_));
    tape.sums.assign(static_cast<std::size_t>(14 * units_), Scalar(0));
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, records_of(scratch, 0));
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    run(packed, at, records_of(tape, at.step * at.batch));
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const auto records = records_of(tape, at.step * at.batch);
    for (Index b = 0; b < at.batch; ++b) {
      step_back(packed, Record(records(b), units_), at.memory_before(b), d.dh(b), d.dmemory(b),
                tape.sums.data());
    }
    if (first) return;
    packed.recurrent.apply_transposed(
        at.batch, [&](Index b) { return Record(records(b), units_).recurrent; }, d.dh);
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const Index rows = scan.rows();
    const auto records = records_of(tape, 0);
    Scalar* const none = nullptr;
    packed.kernel.add_gradients(
        rows, [&](Index row) { return scan.x_row(row); },
        [&](Index row) { return Record(records(row), units_).kernel; },
        weights_.gradient(kernel, all), none, tape.products);
    const Index skipped = scan.rows_without_h();
    packed.recurrent.add_gradients(
        rows - skipped, [&](Index row) { return scan.h_row_before(row + skipped); },
        [&](Index row) { return Record(records(row + skipped), units_).recurrent; },
        weights_.gradient(recurrent, all), none, tape.products);
    Scalar* const to = weights_.gradient(kernel_gamma, all);
    const Index count = (options_.use_bias ? 14 : 10) * units_;
    for (Index i = 0; i < count; ++i) to[i] += tape.sums[static_cast<std::size_t>(i)];
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    const auto records = records_of(tape, 0);
    packed.kernel.apply_transposed(
        scan.rows(), [&](Index row) { return Record(records(row), units_).kernel; },
        [&](Index row) { return scan.dx_row(dx, row); });
  }

  template <class Other>
  void copy_weights_to(LayerNormLSTMCell<Other>& cell) const {
    if (inputs_ == Dynamic) return;
    cell.build(inputs_);
    weights_.copy_to(cell.weights_);
  }

 private:
  template <class>
  friend class LayerNormLSTMCell;

  /// Places of the weights in their list.
  static constexpr std::size_t kernel = 0;
  static constexpr std::size_t recurrent = 1;
  static constexpr std::size_t kernel_gamma = 2;
  static constexpr std::size_t recurrent_gamma = 3;
  static constexpr std::size_t state_gamma = 4;
  static constexpr std::size_t state_beta = 5;
  static constexpr std::size_t bias = 6;

  /// What is kept of one step of one sequence: x W and h U (4U each), normalized and later replaced
  /// by their derivatives, the gates (4U), the normalized memory (U), and the three scales.
  struct Record {
    Record(Scalar* at, Index units)
        : kernel(at),
          recurrent(at + 4 * units),
          gates(at + 8 * units),
          state(at + 12 * units),
          kernel_scale(at + 13 * units),
          recurrent_scale(kernel_scale + 1),
          state_scale(kernel_scale + 2) {}

    Scalar* kernel;
    Scalar* recurrent;
    Scalar* gates;
    Scalar* state;
    Scalar* kernel_scale;
    Scalar* recurrent_scale;
    Scalar* state_scale;
  };

  [[nodiscard]] static Index record_size(Index units) noexcept { return 13 * units + 3; }
  [[nodiscard]] Rows<Scalar> records_of(Scratch& scratch, Index row) const {
    const Index size = record_size(units_);
    return {scratch.records.data() + row * size, size};
  }

  void run(const Packed& packed, const ScanStep<Scalar>& at, Rows<Scalar> records) const {
    packed.kernel.apply(at.batch, at.x, records);
    const Rows<Scalar> products{records.data + 4 * units_, records.stride};
    if (at.h_before) {
      packed.recurrent.apply(at.batch, at.h_before, products);
    } else {
      for (Index b = 0; b < at.batch; ++b) std::fill_n(products(b), 4 * units_, Scalar(0));
    }
    for (Index b = 0; b < at.batch; ++b) {
      packed.gates(records(b), at.memory_before(b), at.h(b), at.memory(b));
    }
  }

  void step_back(const Packed& packed, const Record& at, const Scalar* c, const Scalar* dh,
                 Scalar* dmemory, Scalar* sums) const {
    const Index units = units_;
    const auto sigma = [&](Scalar y) { return derivative(options_.recurrent_activation, y); };
    const auto phi = [&](Scalar y) { return derivative(options_.activation, y); };
    Scalar* const d_kernel_gamma = sums;
    Scalar* const d_recurrent_gamma = sums + 4 * units;
    Scalar* const d_state_gamma = sums + 8 * units;
    Scalar* const d_state_beta = sums + 9 * units;
    Scalar* const d_bias = sums + 10 * units;
    Scalar* const gate_i = at.gates;
    Scalar* const gate_f = at.gates + units;
    Scalar* const gate_g = at.gates + 2 * units;
    Scalar* const gate_o = at.gates + 3 * units;

    // The memory's derivative goes back through its normalization, which dmemory is room for.
    for (Index u = 0; u < units; ++u) {
      const Scalar y = activate(options_.activation, packed.memory(at.state, u));
      const Scalar dc = dmemory[u] + dh[u] * gate_o[u] * phi(y);
      gate_o[u] = dh[u] * y * sigma(gate_o[u]);
      d_state_gamma[u] += dc * at.state[u];
      d_state_beta[u] += dc;
      dmemory[u] = dc;
    }
    normal_backward(units, at.state, *at.state_scale, packed.state_gamma.data(), dmemory, dmemory);
    for (Index u = 0; u < units; ++u) {
      const Scalar dc = dmemory[u];
      const Scalar i = gate_i[u];
      const Scalar f = gate_f[u];
      const Scalar g = gate_g[u];
      gate_i[u] = dc * g * sigma(i);
      gate_f[u] = dc * c[u] * sigma(f);
      gate_g[u] = dc * i * phi(g);
      dmemory[u] = dc * f;
    }
    // at.gates are derivatives now; they go back through the normalized products.
    for (Index k = 0; k < 4 * units; ++k) {
      d_bias[k] += at.gates[k];
      d_kernel_gamma[k] += at.gates[k] * at.kernel[k];
      d_recurrent_gamma[k] += at.gates[k] * at.recurrent[k];
    }
    normal_backward(4 * units, at.kernel, *at.kernel_scale, packed.kernel_gamma.data(), at.gates,
                    at.kernel);
    normal_backward(4 * units, at.recurrent, *at.recurrent_scale, packed.recurrent_gamma.data(),
                    at.gates, at.recurrent);
  }

  Index units_;
  Index inputs_ = Dynamic;
  LayerNormLSTMOptions options_;
  StoredWeights<Scalar> weights_;
};

}  // namespace detail

/// An LSTM layer whose products with x and with h, and whose memory, are normalized over their
/// units (Ba, Kiros & Hinton 2016, equations 20 to 22; TensorFlow Addons' LayerNormLSTMCell).
///
///   z = LN(x W; gamma_x) + LN(h U; gamma_h) + b, c' = LN(f c + i g; gamma_c, beta_c),
///   h' = o phi(c'), with i, f, g, o of z as in LSTM; the normalized c' goes on to the next step.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, 4U), recurrent_kernel (U, 4U), kernel_gamma, recurrent_gamma (4U),
/// state_gamma, state_beta (U), bias (4U), gates i, f, g, o.
template <class Scalar = float, bool ReturnsSequences = false>
class LayerNormLSTM : public detail::RecurrentLayer<detail::LayerNormLSTMCell<Scalar>> {
  using Base = detail::RecurrentLayer<detail::LayerNormLSTMCell<Scalar>>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit LayerNormLSTM(Index units, LayerNormLSTMOptions options = {})
      : Base(detail::LayerNormLSTMCell<Scalar>(units, options),
             detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {}
  LayerNormLSTM(Index units, ReturnSequences,
                LayerNormLSTMOptions options = {}) requires(ReturnsSequences)
      : LayerNormLSTM(units, options) {}

  [[nodiscard]] const LayerNormLSTMOptions& options() const noexcept { return options_; }

  /// The same layer, weights included, for another scalar.
  template <class Other>
  [[nodiscard]] LayerNormLSTM<Other, ReturnsSequences> to_dynamic() const {
    LayerNormLSTM<Other, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  LayerNormLSTMOptions options_;
};

LayerNormLSTM(Index, ReturnSequences, LayerNormLSTMOptions = {})->LayerNormLSTM<float, true>;

}  // namespace strata::inline STRATA_TARGET
