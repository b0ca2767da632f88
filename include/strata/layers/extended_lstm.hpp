#pragma once

#include <optional>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/recurrent/gated/extended_gates.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Options of the extended LSTM layers: Keras' of an LSTM, and those of the literature, of PyTorch
/// and of ONNX.
struct ExtendedLSTMOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  /// Of the memory on its way out, ONNX' h; nothing: `activation`.
  std::optional<Activation> output_activation = std::nullopt;
  bool use_bias = true;
  bool unit_forget_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// Whether the gates see the memory, each unit's gates its own (Gers & Schmidhuber 2000).
  bool peepholes = true;
  /// Outputs, where h is projected to fewer numbers (Sak et al. 2014, PyTorch's proj_size); 0: h.
  Index projection = 0;
  /// Limits the memory to [-cell_clip, cell_clip] after each step; 0: no limit.
  double cell_clip = 0;
  /// Limits what goes into every activation, ONNX' clip; 0: no limit.
  double activation_clip = 0;
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
    f("output_activation", self.output_activation);
    f("use_bias", self.use_bias);
    f("unit_forget_bias", self.unit_forget_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("peepholes", self.peepholes);
    f("projection", self.projection);
    f("cell_clip", self.cell_clip);
    f("activation_clip", self.activation_clip);
    detail::each_recurrent_option(self, f);
  }
};

namespace detail {

/// A gated cell whose output may be a projection of h, which the recurrent kernel then reads. This
/// header is longer than others, because both extended layers share the cell and its options.
template <class Gates, class Scalar>
class ProjectedCell {
  using Inner = GatedCell<Gates, Scalar>;

 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = Inner::memories;

  ProjectedCell(Index units, Gates gates, GatedCellOptions options, Index projection)
      : inner_(units, gates, with_depth(options, projection)), projection_size_(projection) {}

  [[nodiscard]] std::string kind() const { return inner_.kind(); }
  [[nodiscard]] Index inputs() const noexcept { return inner_.inputs(); }
  [[nodiscard]] Index units() const noexcept { return inner_.units(); }
  [[nodiscard]] Index outputs() const noexcept {
    return projection_size_ > 0 ? projection_size_ : units();
  }

  void build(Index features) {
    sizes::assign(projection_, sizes::count({units(), projection_size_}), Scalar(0));
    inner_.build(features);
  }

  void initialize(const Random& random) {
    inner_.initialize(random);
    if (projection_.empty()) return;
    Random own = random.fork(4);
    strata::initialize(inner_.options().kernel_initializer,
                       WeightMatrix<Scalar>{projection_, units(), projection_size_}, own);
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    auto list = inner_.parameters();
    if (!projection_.empty()) {
      list.push_back({"projection", {units(), projection_size_}, projection_});
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const {
    return strata::parameter_count(inner_) + static_cast<Index>(projection_.size());
  }

  struct Packed {
    typename Inner::Packed inner;
    Linear<Scalar> linear;
    /// (U, R), for a step.
    std::vector<Scalar> rows;
    Index outputs = 0;

    void step(const Scalar* x, const Scalar* h, Scalar* memory, Scalar* y) const noexcept {
      if (rows.empty()) return inner.step(x, h, memory, y);
      std::fill_n(y, outputs, Scalar(0));
      inner.step(x, h, memory, false, [&](Index first, Index used, auto values) {
        Scalar lanes[decltype(values)::width];
        values.store(lanes);
        const Scalar* row = rows.data() + first * outputs;
        for (Index lane = 0; lane < used; ++lane, row += outputs) {
          for (Index r = 0; r < outputs; ++r) y[r] += lanes[lane] * row[r];
        }
      });
    }
  };

  struct Scratch {
    typename Inner::Scratch inner;
    Buffer<Scalar> hidden;
  };

  struct Tape {
    typename Inner::Tape inner;
    Buffer<Scalar> hidden;      ///< (T, B, U): h before its projection.
    Buffer<Scalar> dprojected;  ///< (T, B, R).
    Buffer<Scalar> dhidden;     ///< (B, padded U).
    typename Linear<Scalar>::Scratch scratch;
  };

  void pack(Packed& packed, bool training) const {
    inner_.pack(packed.inner, training);
    packed.outputs = outputs();
    packed.rows = projection_;
    if (is_projected()) {
      packed.linear.pack(units(), outputs(), projection_.data(), nullptr, training);
    }
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    inner_.prepare(packed.inner, scratch.inner, batch);
    if (is_projected()) scratch.hidden.resize(batch * units());
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    inner_.prepare(packed.inner, tape.inner, batch, steps);
    if (!is_projected()) return;
    tape.hidden.resize(steps * batch * units());
    tape.dprojected.resize(steps * batch * outputs());
    tape.dhidden.resize(batch * padded<Scalar>(units()));
    tape.dhidden.fill(0);
  }

  template <class Memory>
  void forward_inputs(const Packed& packed, const Scan<Scalar>& scan, Index step,
                      Memory& memory) const {
    inner_.forward_inputs(packed.inner, scan, step, memory.inner);
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, scratch.inner, scratch.hidden.data());
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    run(packed, at, tape.inner, tape.hidden.data() + at.step * at.batch * units());
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    if (!is_projected()) return inner_.backward(packed.inner, at, tape.inner, d, first);
    Scalar* const dprojected = tape.dprojected.data() + at.step * at.batch * outputs();
    const Rows<Scalar> dhidden{tape.dhidden.data(), padded<Scalar>(units())};
    for (Index b = 0; b < at.batch; ++b) {
      std::copy_n(d.dh(b), outputs(), dprojected + b * outputs());
    }
    packed.linear.apply_transposed(
        at.batch, [&](Index b) { return dprojected + b * outputs(); }, dhidden);
    inner_.backward(packed.inner, at, tape.inner, {dhidden, d.dmemory}, true);
    if (first) return;
    inner_.to_previous(packed.inner, at, tape.inner, d.dh);
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> gradient) const {
    const auto own = static_cast<std::size_t>(projection_.size());
    inner_.gradients(packed.inner, scan, tape.inner, gradient.first(gradient.size() - own));
    if (!is_projected()) return;
    packed.linear.add_gradients(
        scan.rows(), [&](Index row) { return tape.hidden.data() + row * units(); },
        [&](Index row) { return tape.dprojected.data() + row * outputs(); },
        gradient.last(own).data(), static_cast<Scalar*>(nullptr), tape.scratch);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    inner_.input_derivative(packed.inner, scan, tape.inner, dx);
  }

  template <class Other>
  void copy_weights_to(ProjectedCell<Gates, Other>& cell) const {
    if (inputs() == Dynamic) return;
    cell.build(inputs());
    inner_.copy_weights_to(cell.inner_);
    std::copy(projection_.begin(), projection_.end(), cell.projection_.begin());
  }

 private:
  template <class, class>
  friend class ProjectedCell;

  [[nodiscard]] static GatedCellOptions with_depth(GatedCellOptions options, Index projection) {
    if (projection < 0) {
      fail<ValueError>({Gates::kind, ": projection must be at least 0, found ", projection});
    }
    options.recurrent_inputs = projection;
    return options;
  }

  [[nodiscard]] bool is_projected() const noexcept { return projection_size_ > 0; }

  template <class Memory>
  void run(const Packed& packed, ScanStep<Scalar> at, Memory& memory, Scalar* hidden) const {
    if (!is_projected()) return inner_.forward(packed.inner, at, memory);
    const Rows<Scalar> to = at.h;
    at.h = {hidden, units()};
    inner_.forward(packed.inner, at, memory);
    packed.linear.apply(at.batch, at.h, to);
  }

  Inner inner_;
  Index projection_size_;
  std::vector<Scalar> projection_;
};

[[nodiscard]] inline ExtendedSettings settings_of(const ExtendedLSTMOptions& options) {
  return {.activation = options.activation,
          .recurrent_activation = options.recurrent_activation,
          .output_activation = options.output_activation.value_or(options.activation),
          .peepholes = options.peepholes,
          .cell_clip = {options.cell_clip},
          .activation_clip = {options.activation_clip}};
}

/// The layer of either kind of gates.
template <class Gates, class Scalar, bool ReturnsSequences>
class ExtendedLayer : public RecurrentLayer<ProjectedCell<Gates, Scalar>> {
  using Cell = ProjectedCell<Gates, Scalar>;
  using Base = RecurrentLayer<Cell>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  [[nodiscard]] const ExtendedLSTMOptions& options() const noexcept { return options_; }

 protected:
  ExtendedLayer(Index units, const ExtendedLSTMOptions& options, int forget_gate)
      : Base(Cell(units, {settings_of(options)},
                  cell_options_of(options, options.unit_forget_bias ? forget_gate : -1),
                  options.projection),
             recurrent_options_of(options), ReturnsSequences),
        options_(options) {
    check_gate_activations(Gates::kind, options.activation, options.recurrent_activation);
    check_clip(Gates::kind, options.cell_clip);
    check_clip(Gates::kind, options.activation_clip);
  }

 private:
  ExtendedLSTMOptions options_;
};

}  // namespace detail

/// An LSTM layer with what the literature added to it: peepholes, a projection of its output, and
/// limits, each an option. The state of a sequence is h (R numbers with a projection), then c.
///
///   i = sigma(W_i x + U_i h + p_i c + b_i), f = sigma(W_f x + U_f h + p_f c + b_f),
///   g = phi(W_g x + U_g h + b_g), c' = f c + i g, o = sigma(W_o x + U_o h + p_o c' + b_o),
///   h' = o phi(c'); with a projection h' = P (o phi(c')).
///
/// Parameters: kernel (F, 4U), recurrent kernel (R, 4U), bias (4U), gates i, f, g, o;
/// peephole_input, peephole_forget, peephole_output (U); projection (U, R).
template <class Scalar = float, bool ReturnsSequences = false>
class ExtendedLSTM : public detail::ExtendedLayer<detail::PeepholeGates, Scalar, ReturnsSequences> {
  using Base = detail::ExtendedLayer<detail::PeepholeGates, Scalar, ReturnsSequences>;

 public:
  /// Throws ValueError on units below 1 and on options out of range.
  explicit ExtendedLSTM(Index units, ExtendedLSTMOptions options = {}) : Base(units, options, 1) {}
  ExtendedLSTM(Index units, ReturnSequences,
               ExtendedLSTMOptions options = {}) requires(ReturnsSequences)
      : Base(units, options, 1) {}

  /// The same layer, weights included, for another scalar.
  template <class Other>
  [[nodiscard]] ExtendedLSTM<Other, ReturnsSequences> to_dynamic() const {
    ExtendedLSTM<Other, ReturnsSequences> layer(this->units(), this->options());
    this->copy_weights_to(layer);
    return layer;
  }
};

ExtendedLSTM(Index, ReturnSequences, ExtendedLSTMOptions = {})->ExtendedLSTM<float, true>;

/// An extended LSTM that forgets what it replaces: c' = (1 - i) c + i g (Greff et al. 2017, CIFG;
/// ONNX' input_forget). Its gates are i, g, o, and there is no peephole_forget.
template <class Scalar = float, bool ReturnsSequences = false>
class CoupledLSTM : public detail::ExtendedLayer<detail::CoupledGates, Scalar, ReturnsSequences> {
  using Base = detail::ExtendedLayer<detail::CoupledGates, Scalar, ReturnsSequences>;

 public:
  /// Throws ValueError on units below 1 and on options out of range.
  explicit CoupledLSTM(Index units, ExtendedLSTMOptions options = {}) : Base(units, options, -1) {}
  CoupledLSTM(Index units, ReturnSequences,
              ExtendedLSTMOptions options = {}) requires(ReturnsSequences)
      : Base(units, options, -1) {}

  /// The same layer, weights included, for another scalar.
  template <class Other>
  [[nodiscard]] CoupledLSTM<Other, ReturnsSequences> to_dynamic() const {
    CoupledLSTM<Other, ReturnsSequences> layer(this->units(), this->options());
    this->copy_weights_to(layer);
    return layer;
  }
};

CoupledLSTM(Index, ReturnSequences, ExtendedLSTMOptions = {})->CoupledLSTM<float, true>;

}  // namespace strata::inline STRATA_TARGET
