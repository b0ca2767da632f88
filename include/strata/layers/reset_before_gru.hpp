#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/kernels/denormal_bias.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gru_options.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

/// z and r from one product with h, n from another with r h.
template <class Scalar>
class ResetBeforeGRUCell {
 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = 0;

  ResetBeforeGRUCell(Index units, const GRUOptions& options) : units_(units), options_(options) {
    sizes::check(kind(), "units", units);
    check_gate_activations("ResetBeforeGRU", options.activation, options.recurrent_activation);
    check_clip("ResetBeforeGRU", options.activation_clip);
  }

  [[nodiscard]] std::string kind() const { return "ResetBeforeGRU"; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return units_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  void build(Index features) {
    weights_.clear();
    weights_.add("kernel", {features, 3 * units_});
    weights_.add("recurrent_kernel", {units_, 3 * units_});
    if (options_.use_bias) weights_.add("bias", {3 * units_});
    weights_.allocate();
    inputs_ = features;
  }
  void initialize(const Random& random) {
    weights_.draw(0, options_.kernel_initializer, random.fork(0));
    weights_.draw(1, options_.recurrent_initializer, random.fork(1));
    if (options_.use_bias) weights_.draw(2, options_.bias_initializer, random.fork(2));
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return weights_.parameters(); }
  [[nodiscard]] Index parameter_count() const noexcept { return weights_.parameter_count(); }

  struct Packed {
    Linear<Scalar> kernel;     ///< x to z, r, n
    Linear<Scalar> gates;      ///< h to z, r
    Linear<Scalar> candidate;  ///< r h to n
    Activation activation = Activation::tanh;
    Activation recurrent_activation = Activation::sigmoid;
    ClipValue clip;

    void step(const Scalar* x, const Scalar* h, Scalar*, Scalar* y) const noexcept {
      const Index units = candidate.units();
      auto* const room = static_cast<Scalar*>(
          __builtin_alloca(static_cast<std::size_t>(6 * units) * sizeof(Scalar)));
      run({x, 0}, {h, 0}, {y, 0}, 1, {room, 0}, {room + 3 * units, 0}, {room + 4 * units, 0});
    }

    /// One step of rows: z, r, n (3U) and r h (U) are kept; `spare` is room for 2U.
    void run(Rows<const Scalar> x, Rows<const Scalar> h, Rows<Scalar> y, Index rows,
             Rows<Scalar> zrn, Rows<Scalar> reset, Rows<Scalar> spare) const noexcept {
      const Index units = candidate.units();
      kernel.apply(rows, x, zrn);
      if (h) gates.apply(rows, h, spare);
      for (Index row = 0; row < rows; ++row) {
        Scalar* const zr = zrn(row);
        for (Index i = 0; h && i < 2 * units; ++i) zr[i] += spare(row)[i];
        transform(
            2 * units, zr, [&](auto v) { return activate(recurrent_activation, clip(v)); },
            static_cast<const Scalar*>(zr));
        for (Index u = 0; u < units; ++u) reset(row)[u] = h ? zr[units + u] * h(row)[u] : Scalar(0);
      }
      candidate.apply(rows, reset, spare);
      for (Index row = 0; row < rows; ++row) {
        const Scalar* const z = zrn(row);
        Scalar* const n = zrn(row) + 2 * units;
        for (Index u = 0; u < units; ++u) n[u] += spare(row)[u];
        transform(
            units, n, [&](auto v) { return activate(activation, clip(v)); },
            static_cast<const Scalar*>(n));
        for (Index u = 0; u < units; ++u) {
          y(row)[u] = n[u] + z[u] * ((h ? h(row)[u] : Scalar(0)) - n[u]);
        }
      }
    }
  };

  struct Scratch {
    Buffer<Scalar> zrn;
    Buffer<Scalar> reset;
    Buffer<Scalar> spare;
  };

  /// z, r, n as (T, B, 3U), then their derivatives before activation; r h as (T, B, U).
  struct Tape : Scratch {
    Buffer<Scalar> dreset;
    typename Linear<Scalar>::Scratch products;
  };

  void pack(Packed& packed, bool training) const {
    const Index wide = 3 * units_;
    packed.activation = options_.activation;
    packed.recurrent_activation = options_.recurrent_activation;
    packed.clip = {options_.activation_clip};
    packed.kernel.pack(inputs_, wide, weights_.data(0),
                       options_.use_bias ? weights_.data(2) : nullptr, training, wide,
                       denormal_bias<Scalar>);
    packed.gates.pack(units_, 2 * units_, weights_.data(1), nullptr, training, wide);
    packed.candidate.pack(units_, units_, weights_.data(1) + 2 * units_, nullptr, training, wide);
  }

  void prepare(const Packed&, Scratch& scratch, Index batch) const { reserve(scratch, batch, 1); }
  void prepare(const Packed&, Tape& tape, Index batch, Index steps) const {
    reserve(tape, batch, steps);
    tape.dreset.resize(batch * units_);
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, scratch, 0);
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    run(packed, at, tape, at.step * at.batch);
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const Index row = at.step * at.batch;
    const Rows<Scalar> zrn{tape.zrn.data() + row * 3 * units_, 3 * units_};
    const Rows<Scalar> dn{zrn.data + 2 * units_, 3 * units_};
    const Rows<Scalar> dreset{tape.dreset.data(), units_};
    const Rows<Scalar> direct{tape.spare.data(), 2 * units_};
    const auto sigma = slope_of(options_.recurrent_activation);
    const auto phi = slope_of(options_.activation);
    for (Index b = 0; b < at.batch; ++b) {
      for (Index u = 0; u < units_; ++u) {
        Scalar& z = zrn(b)[u];
        Scalar& n = dn(b)[u];
        const Scalar dh = d.dh(b)[u];
        const Scalar h = at.h_before ? at.h_before(b)[u] : Scalar(0);
        direct(b)[u] = dh * z;
        const Scalar dz = dh * (h - n) * sigma(z);
        n = dh * (1 - z) * phi(n);
        z = dz;
      }
    }
    packed.candidate.apply_transposed(at.batch, dn, dreset);
    for (Index b = 0; b < at.batch; ++b) {
      for (Index u = 0; u < units_; ++u) {
        Scalar& r = zrn(b)[units_ + u];
        const Scalar h = at.h_before ? at.h_before(b)[u] : Scalar(0);
        direct(b)[u] += dreset(b)[u] * r;
        r = dreset(b)[u] * h * sigma(r);
      }
    }
    if (first) return;
    packed.gates.apply_transposed(at.batch, zrn, d.dh);
    for (Index b = 0; b < at.batch; ++b) {
      add_scaled(units_, Scalar(1), direct(b), d.dh(b));
    }
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const Index rows = scan.rows();
    const Index wide = 3 * units_;
    Scalar* const none = nullptr;
    const Rows<Scalar> dzrn{tape.zrn.data(), wide};
    packed.kernel.add_gradients(
        rows, [&](Index row) { return scan.x_row(row); }, dzrn, weights_.gradient(0, all),
        options_.use_bias ? weights_.gradient(2, all) : none, tape.products);
    const Index skipped = scan.rows_without_h();
    packed.gates.add_gradients(
        rows - skipped, [&](Index row) { return scan.h_row_before(row + skipped); },
        [&](Index row) { return dzrn(row + skipped); }, weights_.gradient(1, all), none,
        tape.products, wide);
    packed.candidate.add_gradients(rows, Rows<Scalar>{tape.reset.data(), units_},
                                   Rows<Scalar>{tape.zrn.data() + 2 * units_, wide},
                                   weights_.gradient(1, all) + 2 * units_, none, tape.products,
                                   wide);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    packed.kernel.apply_transposed(scan.rows(), Rows<Scalar>{tape.zrn.data(), 3 * units_},
                                   [&](Index row) { return scan.dx_row(dx, row); });
  }

  template <class Other>
  void copy_weights_to(ResetBeforeGRUCell<Other>& cell) const {
    if (inputs_ == Dynamic) return;
    cell.build(inputs_);
    weights_.copy_to(cell.weights_);
  }

 private:
  template <class>
  friend class ResetBeforeGRUCell;

  /// The derivative by what went into an activation; none where it was limited, which shows in the
  /// activation having the value of the limit.
  [[nodiscard]] auto slope_of(Activation which) const {
    const Scalar limit = static_cast<Scalar>(options_.activation_clip);
    std::array<Scalar, 2> ends{-limit, limit};
    transform(
        2, ends.data(), [&](auto v) { return activate(which, v); },
        static_cast<const Scalar*>(ends.data()));
    return [which, limit, ends](Scalar y) {
      const bool limited = limit > 0 && (y <= ends[0] || y >= ends[1]);
      return limited ? Scalar(0) : derivative(which, y);
    };
  }

  void reserve(Scratch& scratch, Index batch, Index steps) const {
    scratch.zrn.resize(steps * batch * 3 * units_);
    scratch.reset.resize(steps * batch * units_);
    scratch.spare.resize(batch * 2 * units_);
  }

  void run(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch, Index row) const {
    packed.run(at.x, at.h_before, at.h, at.batch,
               {scratch.zrn.data() + row * 3 * units_, 3 * units_},
               {scratch.reset.data() + row * units_, units_}, {scratch.spare.data(), 2 * units_});
  }

  Index units_;
  Index inputs_ = Dynamic;
  GRUOptions options_;
  StoredWeights<Scalar> weights_;
};

}  // namespace detail

/// A gated recurrent unit layer in the form of its first paper (Cho et al. 2014): h is reset before
/// the recurrent product, as with Keras' reset_after = False and ONNX' linear_before_reset = 0.
///
///   z = sigma(W_z x + U_z h + b_z), r = sigma(W_r x + U_r h + b_r),
///   n = phi(W_n x + U_n (r h) + b_n), h' = z h + (1 - z) n.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, 3U), recurrent kernel (U, 3U), bias (3U), gates z, r, n.
template <class Scalar = float, bool ReturnsSequences = false>
class ResetBeforeGRU : public detail::RecurrentLayer<detail::ResetBeforeGRUCell<Scalar>> {
  using Base = detail::RecurrentLayer<detail::ResetBeforeGRUCell<Scalar>>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit ResetBeforeGRU(Index units, GRUOptions options = {})
      : Base(detail::ResetBeforeGRUCell<Scalar>(units, options),
             detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {}
  ResetBeforeGRU(Index units, ReturnSequences, GRUOptions options = {}) requires(ReturnsSequences)
      : ResetBeforeGRU(units, options) {}

  [[nodiscard]] const GRUOptions& options() const noexcept { return options_; }

  /// The same layer, weights included, for another scalar.
  template <class Other>
  [[nodiscard]] ResetBeforeGRU<Other, ReturnsSequences> to_dynamic() const {
    ResetBeforeGRU<Other, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  GRUOptions options_;
};

ResetBeforeGRU(Index, ReturnSequences, GRUOptions = {})->ResetBeforeGRU<float, true>;

}  // namespace strata::inline STRATA_TARGET
