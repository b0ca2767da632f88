#pragma once

#include <span>
#include <string>
#include <vector>

#include <strata/detail/dropout_mask.hpp>
#include <strata/detail/lstm_kernel.hpp>
#include <strata/detail/text.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/layers/layer.hpp>
#include <strata/layers/lstm_cell.hpp>

namespace strata {

/// Keras' options of an LSTM layer, with Keras' defaults.
struct LSTMOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  bool unit_forget_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// Share of the inputs, and of the outputs fed back, that is dropped in training; the same ones
  /// in every step of a sequence (Gal & Ghahramani 2016).
  double dropout = 0;
  double recurrent_dropout = 0;
  /// Reads the sequence from its end; outputs come in the order of reading, as in Keras.
  bool go_backwards = false;
};

namespace detail {

/// The LSTM layer but for its type: whether it returns sequences is known at run time here, so that
/// both kinds are compiled once.
template <class Scalar, Index Inputs, Index Units>
class LSTMLayer {
 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Units;

  [[nodiscard]] std::string kind() const { return "LSTM"; }
  [[nodiscard]] std::string describe() const { return text({kind(), ", ", units_, " units"}); }

  [[nodiscard]] Index units() const noexcept { return units_; }
  /// F, Dynamic while it is not known.
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] const LSTMOptions& options() const noexcept { return options_; }
  [[nodiscard]] LSTMCell<Scalar, Inputs, Units>& cell() noexcept { return cell_; }
  [[nodiscard]] const LSTMCell<Scalar, Inputs, Units>& cell() const noexcept { return cell_; }

  [[nodiscard]] Index output_features(Index features) const {
    if (inputs_ != Dynamic && features != inputs_) {
      fail<ShapeError>({"expects ", inputs_, " features, found ", features});
    }
    return units_;
  }

  void build(Index features) {
    inputs_ = features;
    cell_.resize(features, units_);
  }

  void initialize(const Random& random) {
    const Index width = LSTMGates::count * units_;
    Random kernel = random.fork(0);
    Random recurrent = random.fork(1);
    Random bias = random.fork(2);
    strata::initialize(options_.kernel_initializer,
                       WeightMatrix<Scalar>{values(cell_.kernel()), inputs_, width}, kernel);
    strata::initialize(options_.recurrent_initializer,
                       WeightMatrix<Scalar>{values(cell_.recurrent_kernel()), units_, width},
                       recurrent);
    cell_.bias().setZero();
    if (!options_.use_bias) return;
    strata::initialize(options_.bias_initializer,
                       WeightMatrix<Scalar>{values(cell_.bias()), width, width}, bias);
    if (options_.unit_forget_bias) {
      cell_.bias().segment(LSTMGates::forget * units_, units_).setOnes();
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    const Index width = LSTMGates::count * units_;
    std::vector<Parameter<Scalar>> list{
        {"kernel", {inputs_, width}, values(cell_.kernel())},
        {"recurrent_kernel", {units_, width}, values(cell_.recurrent_kernel())}};
    if (options_.use_bias) list.push_back({"bias", {width}, values(cell_.bias())});
    return list;
  }

  /// The weights as the kernels read them.
  struct Packed {
    LSTMPacked<Scalar> weights;
    Activation activation;
    Activation recurrent_activation;

    /// x: F. state: h and c, 2U. y: U.
    void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept {
      with_gates(activation, recurrent_activation, [&](const auto& gates) {
        lstm_step(gates, weights, x, state, state + weights.units, y);
      });
    }
  };

  struct Tape {
    Buffer<Scalar> z;
    Buffer<Scalar> c;
    Tensor<Scalar> h;  ///< (B, T, U), unless the layer's output is the same.
    Tensor<Scalar> x;  ///< (B, T, F) after dropout, where there is some.
    std::vector<Scalar> x_mask;
    std::vector<Scalar> h_mask;
    LSTMBackwardScratch<Scalar> scratch;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.recurrent_activation = options_.recurrent_activation;
    packed.weights.pack(inputs_, units_, cell_.kernel().data(), cell_.recurrent_kernel().data(),
                        cell_.bias().data(), training);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y) const {
    const Index slots = returns_sequences_ ? x.steps() : 2;
    Tensor<Scalar> last;
    y.resize(output_shape(x));
    if (!returns_sequences_) last.resize({x.batch(), slots, units_});
    Buffer<Scalar> c(packed.weights.panels * packed.weights.width * x.batch());
    const LSTMScan<Scalar> scan{
        .batch = x.batch(),
        .steps = x.steps(),
        .backwards = options_.go_backwards,
        .x = x.data(),
        .h = returns_sequences_ ? y.data() : last.data(),
        .slots = slots,
        .h_mask = nullptr,
        .z = nullptr,
        .c = c.data(),
    };
    run<false>(packed, scan);
    if (!returns_sequences_) y.matrix() = last.step((x.steps() - 1) % slots);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass& pass) const {
    const Index panels = packed.weights.panels;
    const Index rows = x.batch() * x.steps();
    y.resize(output_shape(x));
    tape.z.resize(panels * rows * packed.weights.wide);
    tape.c.resize(panels * rows * packed.weights.width);
    if (!returns_sequences_) tape.h.resize({x.batch(), x.steps(), units_});
    if (options_.dropout > 0) {
      draw_dropout(tape.x_mask, x.batch() * inputs_, options_.dropout, pass.random.fork(0));
      tape.x.resize(x.shape());
      apply_x_mask(tape, x, tape.x);
    }
    if (options_.recurrent_dropout > 0) {
      draw_dropout(tape.h_mask, x.batch() * units_, options_.recurrent_dropout,
                   pass.random.fork(1));
    }
    run<true>(packed, training_scan(x, tape, y));
    if (!returns_sequences_) y.matrix() = tape.h.step(x.steps() - 1);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient,
                Tensor<Scalar>* dx) const {
    const Index width = LSTMGates::count * units_;
    Scalar* const recurrent = gradient.data() + inputs_ * width;
    const LSTMGradient<Scalar> parts{gradient.data(), recurrent,
                                     options_.use_bias ? recurrent + units_ * width : nullptr};
    const LSTMScan<Scalar> scan = training_scan(x, tape, y);
    with_gates(options_.activation, options_.recurrent_activation, [&](const auto& gates) {
      lstm_backward(gates, packed.weights, scan, std::as_const(dy).data(), returns_sequences_,
                    tape.scratch);
    });
    lstm_parameter_gradients(packed.weights, scan, parts, tape.scratch);
    if (!dx) return;
    dx->resize(x.shape());
    lstm_input_derivative(packed.weights, scan, dx->data());
    if (options_.dropout > 0) apply_x_mask(tape, *dx, *dx);
  }

  /// A stream cannot read from the end: throws ValueError with go_backwards.
  void check_stream() const {
    if (options_.go_backwards) {
      throw ValueError("go_backwards needs the whole sequence, which a stream does not have");
    }
  }
  [[nodiscard]] Index state_size() const noexcept { return 2 * units_; }

 protected:
  LSTMLayer(const LSTMOptions& options, Index units, bool returns_sequences)
      : units_(units), returns_sequences_(returns_sequences), options_(options) {
    if (units < 1) {
      fail<ValueError>({"LSTM: units must be at least 1, found ", units});
    }
    if (options.activation == Activation::softmax ||
        options.recurrent_activation == Activation::softmax) {
      throw ValueError("LSTM: softmax cannot be the activation of a gate");
    }
    check_rate("LSTM: dropout", options.dropout);
    check_rate("LSTM: recurrent_dropout", options.recurrent_dropout);
    cell_.activation = options.activation;
    cell_.recurrent_activation = options.recurrent_activation;
    if (inputs_ != Dynamic) build(inputs_);
  }

 private:
  template <class Map>
  [[nodiscard]] static std::span<Scalar> values(Map map) {
    return {map.data(), static_cast<std::size_t>(map.size())};
  }

  [[nodiscard]] Shape output_shape(const Tensor<Scalar>& x) const {
    return returns_sequences_ ? Shape{x.batch(), x.steps(), units_} : Shape{x.batch(), units_};
  }

  template <bool training>
  void run(const Packed& packed, const LSTMScan<Scalar>& scan) const {
    with_gates(options_.activation, options_.recurrent_activation,
               [&](const auto& gates) { lstm_forward<training>(gates, packed.weights, scan); });
  }

  [[nodiscard]] LSTMScan<Scalar> training_scan(const Tensor<Scalar>& x, Tape& tape,
                                               const Tensor<Scalar>& y) const {
    return {
        .batch = x.batch(),
        .steps = x.steps(),
        .backwards = options_.go_backwards,
        .x = options_.dropout > 0 ? std::as_const(tape.x).data() : x.data(),
        .h = returns_sequences_ ? const_cast<Scalar*>(y.data()) : tape.h.data(),
        .slots = x.steps(),
        .h_mask = options_.recurrent_dropout > 0 ? tape.h_mask.data() : nullptr,
        .z = tape.z.data(),
        .c = tape.c.data(),
    };
  }

  void apply_x_mask(const Tape& tape, const Tensor<Scalar>& from, Tensor<Scalar>& to) const {
    for (Index b = 0; b < from.batch(); ++b) {
      const Eigen::Map<const Eigen::RowVector<Scalar, Dynamic>> mask(
          tape.x_mask.data() + b * inputs_, inputs_);
      to.sequence(b) = (from.sequence(b).array().rowwise() * mask.array()).matrix();
    }
  }

  Index units_;
  Index inputs_ = Inputs;
  bool returns_sequences_;
  LSTMOptions options_;
  LSTMCell<Scalar, Inputs, Units> cell_;
};

}  // namespace detail

/// A long short-term memory layer: LSTMCell over all steps of a sequence, from a zero state.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class LSTM : public detail::LSTMLayer<Scalar, Inputs, Units> {
  using Base = detail::LSTMLayer<Scalar, Inputs, Units>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit LSTM(Index units, LSTMOptions options = {}) requires(Units == Dynamic)
      : Base(options, units, ReturnsSequences) {}

  LSTM(Index units, ReturnSequences, LSTMOptions options = {})
  requires(Units == Dynamic && ReturnsSequences) : Base(options, units, ReturnsSequences) {}

  LSTM() requires(Units != Dynamic) : LSTM(LSTMOptions{}) {}

  explicit LSTM(LSTMOptions options) requires(Units != Dynamic)
      : Base(options, Units, ReturnsSequences) {}

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] LSTM<Other, Dynamic, Dynamic, ReturnsSequences> to_dynamic() const {
    LSTM<Other, Dynamic, Dynamic, ReturnsSequences> layer(this->units(), this->options());
    if (this->inputs() == Dynamic) return layer;
    layer.build(this->inputs());
    layer.cell().kernel() = this->cell().kernel().template cast<Other>();
    layer.cell().recurrent_kernel() = this->cell().recurrent_kernel().template cast<Other>();
    layer.cell().bias() = this->cell().bias().template cast<Other>();
    return layer;
  }
};

LSTM(Index, ReturnSequences, LSTMOptions = {})->LSTM<float, Dynamic, Dynamic, true>;

}  // namespace strata
