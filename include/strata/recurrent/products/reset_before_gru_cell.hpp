#pragma once

#include <array>
#include <optional>
#include <span>

#include <strata/activation.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/denormal_bias.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/products/products_cell.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// One step of a GRU that resets h before the recurrent product: z and r from one product with h,
/// n from another with r h. `Options` are GRUOptions.
template <class Scalar, class Options>
class ResetBeforeGRUCell
    : public ProductsCell<ResetBeforeGRUCell<Scalar, Options>, Scalar, Options> {
  using Base = ProductsCell<ResetBeforeGRUCell<Scalar, Options>, Scalar, Options>;
  using Base::options_, Base::units_, Base::weights_;
  using typename Base::Linear, typename Base::Product, typename Base::Products;

 public:
  static constexpr const char* name = "ResetBeforeGRU";
  static constexpr Index memories = 0;

  ResetBeforeGRUCell(Index units, const Options& options) : Base(units, options) {
    check_gate_activations(name, options.activation, options.recurrent_activation);
    check_clip(name, options.activation_clip);
  }

  void add_weights(Index features) {
    weights_.add("kernel", {features, 3 * units_}, options_.kernel_initializer);
    weights_.add("recurrent_kernel", {units_, 3 * units_}, options_.recurrent_initializer);
    if (options_.use_bias) weights_.add("bias", {3 * units_}, options_.bias_initializer);
  }

  struct Packed {
    Linear kernel;     ///< x to z, r, n
    Linear gates;      ///< h to z, r
    Linear candidate;  ///< r h to n
    Activation activation = Activation::tanh;
    Activation recurrent_activation = Activation::sigmoid;
    ClipValue clip;

    void step(const Scalar* x, Scalar* h, Scalar*, Scalar* y, WeightOrder) const noexcept {
      const Index units = candidate.units();
      auto* const room = STRATA_STACK_ARRAY(Scalar, 6 * units);
      run({x, 0}, {h, 0}, {y, 0}, 1, {room, 0}, {room + 3 * units, 0}, {room + 4 * units, 0});
      std::copy_n(y, units, h);
    }

    /// One step of `rows` sequences. Keeps z, r, n (3U each row) in `zrn` and r h (U) in `reset`;
    /// `spare` is room for 2U.
    void run(Rows<const Scalar> x, Rows<const Scalar> h, Rows<Scalar> y, Index rows,
             Rows<Scalar> zrn, Rows<Scalar> reset, Rows<Scalar> spare) const noexcept {
      const Index units = candidate.units();
      kernel.apply(rows, x, zrn);
      if (h) gates.apply(rows, h, spare);
      for (Index row = 0; row < rows; ++row) {
        Scalar* const zr = zrn(row);
        for (Index i = 0; h && i < 2 * units; ++i) zr[i] += spare(row)[i];
        activate_clipped(recurrent_activation, 2 * units, zr);
        const Scalar* const r = zr + units;
        for (Index u = 0; u < units; ++u) reset(row)[u] = h ? r[u] * h(row)[u] : Scalar(0);
      }
      candidate.apply(rows, reset, spare);
      for (Index row = 0; row < rows; ++row) {
        const Scalar* const z = zrn(row);
        Scalar* const n = zrn(row) + 2 * units;
        for (Index u = 0; u < units; ++u) n[u] += spare(row)[u];
        activate_clipped(activation, units, n);
        for (Index u = 0; u < units; ++u) {
          y(row)[u] = n[u] + z[u] * ((h ? h(row)[u] : Scalar(0)) - n[u]);
        }
      }
    }

   private:
    void activate_clipped(Activation which, Index size, Scalar* values) const noexcept {
      transform(
          size, values, [&](auto v) { return activate(which, clip(v)); },
          static_cast<const Scalar*>(values));
    }
  };

  struct Scratch {
    Buffer<Scalar> zrn;
    Buffer<Scalar> reset;
    Buffer<Scalar> spare;
  };

  /// `zrn`, (T, B, 3U), become the derivatives by what went into the activations; `reset` is r h,
  /// (T, B, U).
  struct Tape : Scratch {
    Buffer<Scalar> dreset;
    Products products;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.recurrent_activation = options_.recurrent_activation;
    packed.clip = {options_.activation_clip};
    this->pack_product(packed.kernel, kernel(), training, denormal_bias<Scalar>);
    this->pack_product(packed.gates, gates(), training);
    this->pack_product(packed.candidate, candidate(), training);
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
    const Rows<Scalar> zrn = zrn_of(tape).from(at.step * at.batch);
    const Rows<Scalar> dn{zrn.data + 2 * units_, zrn.stride};
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
    for (Index b = 0; b < at.batch; ++b) add_scaled(units_, Scalar(1), direct(b), d.dh(b));
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const Rows<Scalar> dzrn = zrn_of(tape);
    this->add_input_gradients(packed.kernel, kernel(), scan, dzrn, all, tape.products);
    this->add_recurrent_gradients(packed.gates, gates(), scan, dzrn, all, tape.products);
    this->add_gradients(packed.candidate, candidate(), scan.rows(),
                        Rows<Scalar>{tape.reset.data(), units_},
                        Rows<Scalar>{dzrn.data + 2 * units_, dzrn.stride}, all, tape.products);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    this->to_input(packed.kernel, scan, zrn_of(tape), dx);
  }

 private:
  [[nodiscard]] Product kernel() const {
    return {.kernel = 0, .bias = options_.use_bias ? std::optional<std::size_t>(2) : std::nullopt};
  }
  [[nodiscard]] Product gates() const { return {.kernel = 1, .columns = 2 * units_}; }
  [[nodiscard]] Product candidate() const {
    return {.kernel = 1, .first_column = 2 * units_, .columns = units_};
  }

  [[nodiscard]] Rows<Scalar> zrn_of(Scratch& scratch) const {
    return {scratch.zrn.data(), 3 * units_};
  }

  /// The derivative of an activation, a function of the activation's value: none where the limit
  /// held, which shows in the activation having its value at the limit.
  [[nodiscard]] auto slope_of(Activation which) const {
    const Scalar limit = static_cast<Scalar>(options_.activation_clip);
    std::array<Scalar, 2> ends{-limit, limit};
    activate_in_place(which, 2, ends.data());
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
    packed.run(at.x, at.h_before, at.h, at.batch, zrn_of(scratch).from(row),
               {scratch.reset.data() + row * units_, units_}, {scratch.spare.data(), 2 * units_});
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
