#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/denormal_bias.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/products/products_cell.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// One step of a DeepTransitionRNN: from x and h through several layers to the next h. Layer 0
/// reads x and h; layer k reads layer k - 1; the last has U units, and with a shortcut it reads h
/// too. `Options` are DeepTransitionOptions.
template <class Scalar, class Options>
class DeepTransitionCell
    : public ProductsCell<DeepTransitionCell<Scalar, Options>, Scalar, Options> {
  using Base = ProductsCell<DeepTransitionCell<Scalar, Options>, Scalar, Options>;
  using Base::inputs_, Base::options_, Base::units_, Base::weights_;
  using typename Base::Linear, typename Base::Product, typename Base::Products;

 public:
  static constexpr const char* name = "DeepTransitionRNN";
  static constexpr Index memories = 0;

  DeepTransitionCell(Index units, const Options& options)
      : Base(units, options), widths_(options.transitions) {
    widths_.push_back(units);
    for (const Index width : widths_) sizes::check(name, "units", width);
    if (options.transitions.empty()) {
      fail<ValueError>(
          {name, ": needs the units of at least one transition; without any it is a SimpleRNN"});
    }
    check_gate_activations(name, options.activation, options.activation);
  }

  /// kernel, recurrent_kernel, bias of layer 0; transition_k.kernel and transition_k.bias of the
  /// others; shortcut_kernel.
  void add_weights(Index features) {
    weights_.add("kernel", {features, widths_[0]}, options_.kernel_initializer);
    weights_.add("recurrent_kernel", {units_, widths_[0]}, options_.recurrent_initializer);
    weights_.add("bias", {widths_[0]}, options_.bias_initializer);
    for (std::size_t k = 1; k < layers(); ++k) {
      const std::string transition = message({"transition_", k});
      weights_.add(transition + ".kernel", {widths_[k - 1], widths_[k]},
                   options_.kernel_initializer);
      weights_.add(transition + ".bias", {widths_[k]}, options_.bias_initializer);
    }
    if (options_.shortcut) {
      weights_.add("shortcut_kernel", {units_, units_}, options_.recurrent_initializer);
    }
  }

  struct Packed {
    std::vector<Linear> layers;  ///< x to layer 0, then each layer to the next.
    Linear recurrent;            ///< h to layer 0.
    Linear shortcut;             ///< h to the last layer.
    bool has_shortcut = false;
    Activation activation = Activation::tanh;
    Index widest = 0;

    void step(const Scalar* x, Scalar* h, Scalar*, Scalar* y, WeightOrder) const noexcept {
      auto* const room = STRATA_STACK_ARRAY(Scalar, 3 * widest);
      const Scalar* from = x;
      for (std::size_t k = 0; k < layers.size(); ++k) {
        Scalar* const to = k + 1 == layers.size() ? y : room + (k % 2 == 0 ? 0 : widest);
        run(k, 1, {from, 0}, {h, 0}, {to, 0}, {room + 2 * widest, 0});
        from = to;
      }
      std::copy_n(y, recurrent.inputs(), h);
    }

    /// Layer k of `rows` sequences: to = phi(from W_k + b_k), and + h U where it reads h and there
    /// is one. `spare` is room for h U.
    void run(std::size_t k, Index rows, Rows<const Scalar> from, Rows<const Scalar> h,
             Rows<Scalar> to, Rows<Scalar> spare) const noexcept {
      const bool last = k + 1 == layers.size();
      const Linear* const of_h = k == 0 ? &recurrent : last && has_shortcut ? &shortcut : nullptr;
      const Index width = layers[k].units();
      layers[k].apply(rows, from, to);
      if (of_h && h) of_h->apply(rows, h, spare);
      for (Index row = 0; row < rows; ++row) {
        if (of_h && h) add_scaled(width, Scalar(1), spare(row), to(row));
        activate_in_place(activation, width, to(row));
      }
    }
  };

  struct Scratch {
    std::vector<Buffer<Scalar>> z;  ///< The outputs of each layer, (B, width).
    Buffer<Scalar> spare;
  };

  struct Tape : Scratch {            ///< z: (T, B, width).
    std::vector<Buffer<Scalar>> dz;  ///< The derivatives by what went into the activations.
    Products products;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.has_shortcut = options_.shortcut;
    packed.widest = *std::max_element(widths_.begin(), widths_.end());
    packed.layers.resize(layers());
    for (std::size_t k = 0; k < layers(); ++k) {
      this->pack_product(packed.layers[k], layer(k), training, denormal_bias<Scalar>);
    }
    this->pack_product(packed.recurrent, recurrent(), training);
    if (options_.shortcut) this->pack_product(packed.shortcut, shortcut(), training);
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    reserve(scratch.z, batch);
    scratch.spare.resize(batch * packed.widest);
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    reserve(tape.z, batch * steps);
    reserve(tape.dz, batch * steps);
    tape.spare.resize(batch * packed.widest);
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
    const std::size_t last = layers() - 1;
    for (std::size_t k = layers(); k-- > 0;) {
      const Rows<Scalar> z = rows_of(tape.z, k).from(row);
      const Rows<Scalar> dz = rows_of(tape.dz, k).from(row);
      if (k == last) {
        for (Index b = 0; b < at.batch; ++b) std::copy_n(d.dh(b), units_, dz(b));
      } else {
        packed.layers[k + 1].apply_transposed(at.batch, rows_of(tape.dz, k + 1).from(row), dz);
      }
      for (Index b = 0; b < at.batch; ++b) {
        transform(
            widths_[k], dz(b),
            [&](auto y, auto dy) { return derivative(options_.activation, y) * dy; },
            static_cast<const Scalar*>(z(b)), static_cast<const Scalar*>(dz(b)));
      }
    }
    if (first) return;
    packed.recurrent.apply_transposed(at.batch, rows_of(tape.dz, 0).from(row), d.dh);
    if (!options_.shortcut) return;
    const Rows<Scalar> spare{tape.spare.data(), units_};
    packed.shortcut.apply_transposed(at.batch, rows_of(tape.dz, last).from(row), spare);
    for (Index b = 0; b < at.batch; ++b) add_scaled(units_, Scalar(1), spare(b), d.dh(b));
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    this->add_input_gradients(packed.layers[0], layer(0), scan, rows_of(tape.dz, 0), all,
                              tape.products);
    for (std::size_t k = 1; k < layers(); ++k) {
      this->add_gradients(packed.layers[k], layer(k), scan.rows(), rows_of(tape.z, k - 1),
                          rows_of(tape.dz, k), all, tape.products);
    }
    this->add_recurrent_gradients(packed.recurrent, recurrent(), scan, rows_of(tape.dz, 0), all,
                                  tape.products);
    if (!options_.shortcut) return;
    this->add_recurrent_gradients(packed.shortcut, shortcut(), scan, rows_of(tape.dz, layers() - 1),
                                  all, tape.products);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    this->to_input(packed.layers[0], scan, rows_of(tape.dz, 0), dx);
  }

 private:
  [[nodiscard]] std::size_t layers() const noexcept { return widths_.size(); }

  /// The weights of each product, by the order of add_weights.
  [[nodiscard]] static Product layer(std::size_t k) {
    return {.kernel = k == 0 ? 0 : 1 + 2 * k, .bias = 2 + 2 * k};
  }
  [[nodiscard]] static Product recurrent() { return {.kernel = 1}; }
  [[nodiscard]] Product shortcut() const { return {.kernel = weights_.size() - 1}; }

  [[nodiscard]] Rows<Scalar> rows_of(std::vector<Buffer<Scalar>>& buffers, std::size_t k) const {
    return {buffers[k].data(), widths_[k]};
  }
  void reserve(std::vector<Buffer<Scalar>>& buffers, Index rows) const {
    buffers.resize(layers());
    for (std::size_t k = 0; k < layers(); ++k) buffers[k].resize(rows * widths_[k]);
  }

  /// One step, layer by layer, in the rows of z from `row`; the last layer is h.
  void run(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch, Index row) const {
    const Rows<Scalar> spare{scratch.spare.data(), packed.widest};
    Rows<const Scalar> from = at.x;
    for (std::size_t k = 0; k < layers(); ++k) {
      const Rows<Scalar> to = rows_of(scratch.z, k).from(row);
      packed.run(k, at.batch, from, at.h_before, to, spare);
      from = to;
    }
    for (Index b = 0; b < at.batch; ++b) std::copy_n(from(b), units_, at.h(b));
  }

  /// Units of each layer.
  std::vector<Index> widths_;
};

}  // namespace strata::detail::inline STRATA_TARGET
