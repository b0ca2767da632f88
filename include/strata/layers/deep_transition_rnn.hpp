#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/kernels/denormal_bias.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Options of a DeepTransitionRNN.
struct DeepTransitionOptions {
  /// Units of the layers between h and the next h, from the first to the last.
  std::vector<Index> transitions = {};
  /// Whether h also reaches the next h past those layers, the (S) of Pascanu et al.
  bool shortcut = false;
  Activation activation = Activation::tanh;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// See RecurrentOptions.
  double dropout = 0;
  double recurrent_dropout = 0;
  double zoneout = 0;
  bool go_backwards = false;
  bool zero_output_for_mask = false;
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("transitions", self.transitions);
    f("shortcut", self.shortcut);
    f("activation", self.activation);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    detail::each_recurrent_option(self, f);
  }
};

namespace detail {

/// h to the next h through several layers. Longer than other headers, because the cell is no
/// GatedCell and has its products and derivatives itself.
template <class Scalar>
class DeepTransitionCell {
 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = 0;

  DeepTransitionCell(Index units, DeepTransitionOptions options) : options_(std::move(options)) {
    widths_ = options_.transitions;
    widths_.push_back(units);
    for (const Index width : widths_) sizes::check(kind(), "units", width);
    if (options_.transitions.empty()) {
      fail<ValueError>({kind(),
                        ": needs the units of at least one transition; without any it is a "
                        "SimpleRNN"});
    }
    check_gate_activations("DeepTransitionRNN", options_.activation, options_.activation);
  }

  [[nodiscard]] std::string kind() const { return "DeepTransitionRNN"; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return units(); }
  [[nodiscard]] Index units() const noexcept { return widths_.back(); }

  /// kernel, recurrent_kernel, bias; transition_k.kernel, transition_k.bias; shortcut_kernel.
  void build(Index features) {
    weights_.clear();
    weights_.add("kernel", {features, widths_[0]});
    weights_.add("recurrent_kernel", {units(), widths_[0]});
    weights_.add("bias", {widths_[0]});
    for (std::size_t k = 1; k < widths_.size(); ++k) {
      const std::string name = message({"transition_", k});
      weights_.add(name + ".kernel", {widths_[k - 1], widths_[k]});
      weights_.add(name + ".bias", {widths_[k]});
    }
    if (options_.shortcut) weights_.add("shortcut_kernel", {units(), units()});
    weights_.allocate();
    inputs_ = features;
  }

  void initialize(const Random& random) {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const bool bias = i >= 2 && i % 2 == 0 && i <= bias_of(depth());
      const bool recurrent = i == 1 || i > bias_of(depth());
      weights_.draw(i,
                    bias        ? options_.bias_initializer
                    : recurrent ? options_.recurrent_initializer
                                : options_.kernel_initializer,
                    random.fork(i));
    }
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return weights_.parameters(); }
  [[nodiscard]] Index parameter_count() const noexcept { return weights_.parameter_count(); }

  struct Packed {
    Linear<Scalar> kernel;
    Linear<Scalar> recurrent;
    std::vector<Linear<Scalar>> transitions;
    Linear<Scalar> shortcut;
    bool has_shortcut = false;
    Activation activation = Activation::tanh;
    Index widest = 0;

    void step(const Scalar* x, const Scalar* h, Scalar*, Scalar* y) const noexcept {
      const auto room = static_cast<std::size_t>(widest) * sizeof(Scalar);
      auto* now = static_cast<Scalar*>(__builtin_alloca(room));
      auto* other = static_cast<Scalar*>(__builtin_alloca(room));
      first(
          1, [&](Index) { return x; }, [&](Index) { return h; }, true, [&](Index) { return now; },
          [&](Index) { return other; });
      for (std::size_t k = 0; k < transitions.size(); ++k) {
        const bool last = k + 1 == transitions.size();
        Scalar* const to = last ? y : other;
        next(
            k, 1, [&](Index) { return now; }, last && has_shortcut ? h : nullptr,
            [&](Index) { return h; }, [&](Index) { return to; }, [&](Index) { return now; });
        std::swap(now, other);
      }
    }

    /// z = activation(x W + h U + b) of the first layer. `spare` is room for h U.
    template <class X, class H, class To, class Spare>
    void first(Index rows, X x, H h, bool has_h, To to, Spare spare) const noexcept {
      kernel.apply(rows, x, to);
      if (has_h) {
        recurrent.apply(rows, h, spare);
        add(rows, kernel.units(), spare, to);
      }
      activate_rows(rows, kernel.units(), to);
    }

    /// The next layer after transition k - 1. `spare` is room for the shortcut's part.
    template <class From, class H, class To, class Spare>
    void next(std::size_t k, Index rows, From from, const Scalar* with_h, H h, To to,
              Spare spare) const noexcept {
      transitions[k].apply(rows, from, to);
      if (with_h) {
        shortcut.apply(rows, h, spare);
        add(rows, shortcut.units(), spare, to);
      }
      activate_rows(rows, transitions[k].units(), to);
    }

   private:
    template <class From, class To>
    static void add(Index rows, Index size, From from, To to) noexcept {
      for (Index row = 0; row < rows; ++row) {
        for (Index i = 0; i < size; ++i) to(row)[i] += from(row)[i];
      }
    }
    template <class To>
    void activate_rows(Index rows, Index size, To to) const noexcept {
      for (Index row = 0; row < rows; ++row) {
        transform(
            size, to(row), [&](auto v) { return activate(activation, v); },
            static_cast<const Scalar*>(to(row)));
      }
    }
  };

  struct Scratch {
    std::vector<Buffer<Scalar>> z;
    Buffer<Scalar> spare;
  };

  struct Tape {
    /// (T, B, width) of each layer: z, then dz.
    std::vector<Buffer<Scalar>> z;
    Buffer<Scalar> spare;
    typename Linear<Scalar>::Scratch scratch;
    std::vector<Buffer<Scalar>> dz;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.has_shortcut = options_.shortcut;
    packed.widest = *std::max_element(widths_.begin(), widths_.end());
    packed.kernel.pack(inputs_, widths_[0], weights_.data(0), weights_.data(2), training, 0,
                       denormal_bias<Scalar>);
    packed.recurrent.pack(units(), widths_[0], weights_.data(1), nullptr, training);
    packed.transitions.resize(depth());
    for (std::size_t k = 1; k <= depth(); ++k) {
      packed.transitions[k - 1].pack(widths_[k - 1], widths_[k], weights_.data(bias_of(k) - 1),
                                     weights_.data(bias_of(k)), training, 0, denormal_bias<Scalar>);
    }
    if (options_.shortcut) {
      packed.shortcut.pack(units(), units(), weights_.data(weights_.size() - 1), nullptr, training);
    }
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
    const auto rows_of = [&](std::vector<Buffer<Scalar>>& buffers, std::size_t k) {
      return Rows<Scalar>{buffers[k].data() + row * widths_[k], widths_[k]};
    };
    for (std::size_t k = depth() + 1; k-- > 0;) {
      const auto dz = rows_of(tape.dz, k);
      const auto z = rows_of(tape.z, k);
      if (k == depth()) {
        for (Index b = 0; b < at.batch; ++b) std::copy_n(d.dh(b), units(), dz(b));
      } else {
        packed.transitions[k].apply_transposed(at.batch, rows_of(tape.dz, k + 1), dz);
      }
      for (Index b = 0; b < at.batch; ++b) {
        transform(
            widths_[k], dz(b),
            [&](auto y, auto dy) { return derivative(options_.activation, y) * dy; },
            static_cast<const Scalar*>(z(b)), static_cast<const Scalar*>(dz(b)));
      }
    }
    if (first) return;
    packed.recurrent.apply_transposed(at.batch, rows_of(tape.dz, 0), d.dh);
    if (!options_.shortcut) return;
    const Rows<Scalar> spare{tape.spare.data(), units()};
    packed.shortcut.apply_transposed(at.batch, rows_of(tape.dz, depth()), spare);
    for (Index b = 0; b < at.batch; ++b) {
      for (Index u = 0; u < units(); ++u) d.dh(b)[u] += spare(b)[u];
    }
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const Index rows = scan.rows();
    const auto rows_of = [&](std::vector<Buffer<Scalar>>& buffers, std::size_t k) {
      return Rows<Scalar>{buffers[k].data(), widths_[k]};
    };
    Scalar* const none = nullptr;
    packed.kernel.add_gradients(
        rows, [&](Index row) { return scan.x_row(row); }, rows_of(tape.dz, 0),
        weights_.gradient(0, all), weights_.gradient(2, all), tape.scratch);
    for (std::size_t k = 1; k <= depth(); ++k) {
      packed.transitions[k - 1].add_gradients(rows, rows_of(tape.z, k - 1), rows_of(tape.dz, k),
                                              weights_.gradient(bias_of(k) - 1, all),
                                              weights_.gradient(bias_of(k), all), tape.scratch);
    }
    const Index skipped = scan.rows_without_h();
    const auto h = [&](Index row) { return scan.h_row_before(row + skipped); };
    const auto later = [&](std::size_t k) {
      return [this, &tape, k, skipped](Index row) {
        return tape.dz[k].data() + (row + skipped) * widths_[k];
      };
    };
    packed.recurrent.add_gradients(rows - skipped, h, later(0), weights_.gradient(1, all), none,
                                   tape.scratch);
    if (!options_.shortcut) return;
    packed.shortcut.add_gradients(rows - skipped, h, later(depth()),
                                  weights_.gradient(weights_.size() - 1, all), none, tape.scratch);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    packed.kernel.apply_transposed(scan.rows(), Rows<Scalar>{tape.dz[0].data(), widths_[0]},
                                   [&](Index row) { return scan.dx_row(dx, row); });
  }

  template <class Other>
  void copy_weights_to(DeepTransitionCell<Other>& cell) const {
    if (inputs_ == Dynamic) return;
    cell.build(inputs_);
    weights_.copy_to(cell.weights_);
  }

 private:
  template <class>
  friend class DeepTransitionCell;

  [[nodiscard]] std::size_t depth() const noexcept { return widths_.size() - 1; }
  [[nodiscard]] static std::size_t bias_of(std::size_t transition) noexcept {
    return 2 + 2 * transition;
  }

  void reserve(std::vector<Buffer<Scalar>>& buffers, Index rows) const {
    buffers.resize(widths_.size());
    for (std::size_t k = 0; k < widths_.size(); ++k) buffers[k].resize(rows * widths_[k]);
  }

  /// Layer by layer, in the memory's rows from `row`; the last one is h.
  template <class Memory>
  void run(const Packed& packed, const ScanStep<Scalar>& at, Memory& memory, Index row) const {
    const auto rows_of = [&](std::size_t k) {
      return Rows<Scalar>{memory.z[k].data() + row * widths_[k], widths_[k]};
    };
    const auto spare = [&](Index b) { return memory.spare.data() + b * packed.widest; };
    packed.first(at.batch, at.x, at.h_before, static_cast<bool>(at.h_before), rows_of(0), spare);
    for (std::size_t k = 0; k < depth(); ++k) {
      const bool reads_h = k + 1 == depth() && options_.shortcut && at.h_before;
      packed.next(k, at.batch, rows_of(k), reads_h ? at.h_before.data : nullptr, at.h_before,
                  rows_of(k + 1), spare);
    }
    const auto h = rows_of(depth());
    for (Index b = 0; b < at.batch; ++b) std::copy_n(h(b), units(), at.h(b));
  }

  DeepTransitionOptions options_;
  std::vector<Index> widths_;
  Index inputs_ = Dynamic;
  StoredWeights<Scalar> weights_;
};

}  // namespace detail

/// The DT-RNN of Pascanu et al. 2013: several layers between h and the next h,
///
///   z_1 = phi(x W + h U + b), z_k = phi(z_(k-1) W_(k-1) + b_(k-1)), h' = phi(z_L W_L + b_L),
///
/// and with a shortcut, DT(S)-RNN, h' = phi(z_L W_L + b_L + h S). With Dense layers after it, on
/// every step, it is their DOT-RNN; stacked SimpleRNN layers are their sRNN.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
template <class Scalar = float, bool ReturnsSequences = false>
class DeepTransitionRNN : public detail::RecurrentLayer<detail::DeepTransitionCell<Scalar>> {
  using Base = detail::RecurrentLayer<detail::DeepTransitionCell<Scalar>>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1, without transitions, and on options out of range.
  explicit DeepTransitionRNN(Index units, DeepTransitionOptions options)
      : Base(detail::DeepTransitionCell<Scalar>(units, options),
             detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {}
  DeepTransitionRNN(Index units, ReturnSequences,
                    DeepTransitionOptions options) requires(ReturnsSequences)
      : DeepTransitionRNN(units, std::move(options)) {}

  [[nodiscard]] const DeepTransitionOptions& options() const noexcept { return options_; }

  /// The same layer, weights included, for another scalar.
  template <class Other>
  [[nodiscard]] DeepTransitionRNN<Other, ReturnsSequences> to_dynamic() const {
    DeepTransitionRNN<Other, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  DeepTransitionOptions options_;
};

DeepTransitionRNN(Index, DeepTransitionOptions)->DeepTransitionRNN<float, false>;
DeepTransitionRNN(Index, ReturnSequences, DeepTransitionOptions)->DeepTransitionRNN<float, true>;

}  // namespace strata::inline STRATA_TARGET
