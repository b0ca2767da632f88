#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/activation_rows.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/kernel_and_bias.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/convolution.hpp>
#include <strata/padding.hpp>
#include <strata/support/counted_rows.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a Conv1D layer, with the names and defaults of Keras.
///
///   Conv1D{16, 3, {.padding = Padding::causal, .dilation_rate = 2}}
struct Conv1DOptions {
  /// valid shortens a sequence; a stream needs causal.
  Padding padding = Padding::valid;
  /// How many steps lie between two taps of the kernel.
  Index dilation_rate = 1;
  /// Of the outputs.
  Activation activation = Activation::linear;
  /// Whether b is added. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Draws W.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws b.
  Initializer bias_initializer = Zeros{};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("padding", self.padding);
    f("dilation_rate", self.dilation_rate);
    f("activation", self.activation);
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("bias_initializer", self.bias_initializer);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Keras' Conv1D of stride 1 and one group: a convolution over steps, y(t) = activation(b + sum
/// over k of x(t - (K - 1 - k) D) W(k)), with K taps, a dilation D, W of (K, F, U) and b of (U).
/// With causal padding (B, T, F) to (B, T, U), with valid padding to (B, T - (K - 1) D, U).
///
///   Conv1D{16, 3, {.padding = Padding::causal}}
///
/// The steps that do not count are not there: an output sees the steps before it that count, and
/// that of a step that does not count is zeros. The state of a causal layer is its last (K - 1) D
/// inputs, the oldest first.
template <class Scalar = float, Index Inputs = Dynamic, Index Filters = Dynamic,
          Index KernelSize = Dynamic>
class Conv1D {
  static_assert((Filters == Dynamic) == (KernelSize == Dynamic),
                "strata: Conv1D takes filters and kernel_size both as template arguments or both "
                "at run time");
  static_assert(Inputs == Dynamic || Filters != Dynamic,
                "strata: a Conv1D with a fixed number of inputs needs fixed filters and a fixed "
                "kernel_size");

 public:
  using scalar_type = Scalar;
  static constexpr LayerTraits traits{.output_shape = true, .output_mask = true, .skip = true};
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::sequence;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Filters;

  /// Throws ValueError on filters, a kernel_size or a dilation_rate below 1.
  Conv1D(Index filters, Index kernel_size, Conv1DOptions options = {}) requires(Filters == Dynamic)
      : Conv1D(options, filters, kernel_size) {}

  explicit Conv1D(Conv1DOptions options = {}) requires(Filters != Dynamic)
      : Conv1D(options, Filters, KernelSize) {}

  [[nodiscard]] std::string kind() const { return "Conv1D"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", filters_, " filters of ", kernel_size_, " steps"});
  }

  [[nodiscard]] Index filters() const noexcept { return filters_; }
  [[nodiscard]] Index kernel_size() const noexcept { return kernel_size_; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] const Conv1DOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}
        .add("filters", filters_)
        .add("kernel_size", kernel_size_)
        .add_all(options_);
  }

  [[nodiscard]] Index output_features(Index features) const {
    if (inputs_ != Dynamic && features != inputs_) {
      detail::fail<ShapeError>({"expects ", inputs_, " features, found ", features});
    }
    return filters_;
  }
  /// Throws ShapeError on fewer steps than valid padding needs.
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    const Index features = shape[2] == Dynamic ? inputs_ : shape[2];
    Index steps = shape[1];
    if (steps != Dynamic && !is_causal()) {
      if (steps <= reach()) {
        detail::fail<ShapeError>(
            {"with valid padding needs at least ", reach() + 1, " steps, found ", steps});
      }
      steps -= reach();
    }
    return {shape[0], steps, output_features(features)};
  }
  /// Behind valid padding a step counts if it has enough steps before it that count.
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask& mask) const {
    if (mask.empty() || is_causal()) return mask;
    Mask output(x.batch(), x.steps() - lost());
    for (Index b = 0; b < x.batch(); ++b) {
      counted(&mask, b, x.steps()).for_each_output([&](Index t, bool counts) {
        output.set(b, t - lost(), counts);
      });
    }
    return output;
  }

  void build(Index features) {
    weights_.resize(filters_, sizes::count({kernel_size_, features}));
    inputs_ = features;
  }

  void initialize(const Random& random) {
    weights_.initialize(options_, kernel_size_ * inputs_, kernel_size_ * filters_, random);
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return weights_.parameters({kernel_size_, inputs_, filters_}, options_.use_bias);
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return weights_.parameter_count(options_.use_bias);
  }

  struct Packed {
    detail::Convolution<Scalar> kernel;
    Activation activation = Activation::linear;

    /// x must not be y.
    void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder) const noexcept {
      const Index features = kernel.inputs();
      const Index reach = kernel.reach();
      kernel.apply(
          1, [&](Index t) { return t == reach ? x : state + t * features; },
          [&](Index) { return y; });
      if (activation != Activation::linear) {
        detail::activate_rows(activation, 1, kernel.units(), y, y);
      }
      if (reach == 0) return;
      std::copy(state + features, state + reach * features, state);
      std::copy_n(x, features, state + (reach - 1) * features);
    }
    void skip(const Scalar*, Scalar*, Scalar* y, WeightOrder) const noexcept {
      std::fill_n(y, kernel.units(), Scalar(0));
    }
  };

  struct Tape {
    /// Of each sequence, the inputs that its first step sees before it and its steps that count:
    /// (B, (K - 1) D + T, F).
    detail::Buffer<Scalar> rows;
    /// (B, T', U), the argument of the activation, where the activation needs it.
    detail::Buffer<Scalar> z;
    /// Of the sequence at work: the derivatives by its outputs with (K - 1) D rows of zeros on both
    /// sides, and those by its rows.
    detail::Buffer<Scalar> dz;
    detail::Buffer<Scalar> drows;
    typename detail::Convolution<Scalar>::Scratch scratch;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.kernel.pack(kernel_size_, inputs_, filters_, options_.dilation_rate,
                       weights_.kernel.values().data(), weights_.bias.values().data(), training);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tape tape;
    forward(packed, x, tape, y, pass);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize(output_shape(x.shape()));
    tape.rows.resize(x.batch() * rows_of(x) * inputs_);
    for (Index b = 0; b < x.batch(); ++b) {
      Scalar* const rows = tape.rows.data() + b * rows_of(x) * inputs_;
      const Index count = gather_rows(x, b, pass, rows);
      const Index outputs = std::max<Index>(count - lost(), 0);
      Scalar* const to = y.data() + b * y.steps() * filters_;
      packed.kernel.apply(
          outputs, [&](Index t) { return rows + (lost() + t) * inputs_; },
          [&](Index t) { return to + t * filters_; });
      counted(pass.mask, b, x.steps()).spread_outputs(to, filters_, count);
      if (pass.final_state && is_causal()) {
        std::copy_n(rows + count * inputs_, reach() * inputs_, pass.final_state(b));
      }
    }
    if (needs_input(options_.activation)) {
      tape.z.resize(y.size());
      std::copy_n(std::as_const(y).data(), y.size(), tape.z.data());
    }
    if (options_.activation != Activation::linear) {
      detail::activate_rows(options_.activation, y.batch() * y.steps(), filters_,
                            std::as_const(y).data(), y.data());
    }
    if (!pass.mask) return;
    for (Index b = 0; b < x.batch(); ++b) {
      counted(pass.mask, b, x.steps()).for_each_output([&](Index t, bool counts) {
        Scalar* const to = y.data() + (b * y.steps() + t - lost()) * filters_;
        if (!counts) std::fill_n(to, filters_, Scalar(0));
      });
    }
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    if (options_.activation != Activation::linear) {
      detail::activation_gradient(options_.activation, y.batch() * y.steps(), filters_,
                                  static_cast<const Scalar*>(tape.z.data()), y.data(), dy.data(),
                                  dy.data());
    }
    const Index rows = rows_of(x);
    tape.dz.resize((rows + reach()) * filters_);
    tape.drows.resize(rows * inputs_);
    if (dx) dx->resize(x.shape());
    for (Index b = 0; b < x.batch(); ++b) {
      const Index count = gather_derivatives(pass.mask, b, x.steps(), dy, tape.dz);
      const Scalar* const from = tape.rows.data() + b * rows * inputs_;
      const auto dz = [&](Index t) -> const Scalar* {
        return tape.dz.data() + (reach() + t) * filters_;
      };
      packed.kernel.add_gradients(
          count, [&](Index t) { return from + t * inputs_; }, dz, gradient.data(),
          weights_.bias_gradient(gradient.data(), options_.use_bias), tape.scratch);
      if (!dx && !pass.initial_derivative) continue;
      packed.kernel.apply_transposed(count + reach(), dz,
                                     [&](Index s) { return tape.drows.data() + s * inputs_; });
      hand_back(pass, b, x.steps(), count, tape.drows.data(), dx);
    }
  }

  void check_stream() const {
    if (!is_causal()) {
      detail::raise<ValueError>(
          "Conv1D with valid padding has no output for the first steps of a stream; give it "
          "Padding::causal");
    }
  }
  [[nodiscard]] Index state_size() const noexcept { return is_causal() ? reach() * inputs_ : 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] Conv1D<Other> to_dynamic() const {
    Conv1D<Other> layer(filters_, kernel_size_, options_);
    if (inputs_ == Dynamic) return layer;
    layer.build(inputs_);
    weights_.copy_to(layer.weights_);
    return layer;
  }

 private:
  template <class, Index, Index, Index>
  friend class Conv1D;

  Conv1D(const Conv1DOptions& options, Index filters, Index kernel_size)
      : filters_(filters), kernel_size_(kernel_size), options_(options) {
    sizes::check("Conv1D", "filters", filters);
    sizes::check("Conv1D", "kernel_size", kernel_size);
    sizes::check("Conv1D", "dilation_rate", options.dilation_rate);
    (void)sizes::count({kernel_size, options.dilation_rate});
    if (inputs_ != Dynamic) build(inputs_);
  }

  [[nodiscard]] bool is_causal() const noexcept { return options_.padding == Padding::causal; }
  /// How many steps before the last one an output sees.
  [[nodiscard]] Index reach() const noexcept { return (kernel_size_ - 1) * options_.dilation_rate; }
  /// How many of the first steps that count have no output.
  [[nodiscard]] Index lost() const noexcept { return is_causal() ? 0 : reach(); }
  [[nodiscard]] Index rows_of(const Tensor<Scalar>& x) const noexcept {
    return reach() + x.steps();
  }

  [[nodiscard]] detail::CountedRows counted(const Mask* mask, Index b, Index steps) const noexcept {
    return {mask, b, steps, lost()};
  }

  /// Fills `rows`: what lies before the first step of sequence b, then its steps that count, whose
  /// number is returned.
  Index gather_rows(const Tensor<Scalar>& x, Index b, const Pass<Scalar>& pass,
                    Scalar* rows) const {
    const Index before = reach() * inputs_;
    if (pass.initial_state && is_causal()) {
      std::copy_n(pass.initial_state(b), before, rows);
    } else {
      std::fill_n(rows, before, Scalar(0));
    }
    return counted(pass.mask, b, x.steps())
        .gather(x.data() + b * x.steps() * inputs_, inputs_, rows + before);
  }

  /// Fills `dz`: the derivatives by the outputs of the steps of sequence b that count, with reach()
  /// rows of zeros on both sides. Returns how many steps count.
  Index gather_derivatives(const Mask* mask, Index b, Index steps, const Tensor<Scalar>& dy,
                           detail::Buffer<Scalar>& dz) const {
    const Index zeros = reach() * filters_;
    std::fill_n(dz.data(), zeros, Scalar(0));
    Scalar* const to = dz.data() + zeros;
    const Index count =
        counted(mask, b, steps).gather_outputs(dy.data() + b * dy.steps() * filters_, filters_, to);
    std::fill_n(to + count * filters_, zeros, Scalar(0));
    return count;
  }

  /// Adds the derivatives by the final state to those by the rows of sequence b, of which `count`
  /// are steps that count, and hands these to dx and to the derivatives by the initial state.
  void hand_back(const Pass<Scalar>& pass, Index b, Index steps, Index count, Scalar* drows,
                 Tensor<Scalar>* dx) const {
    const Index before = reach() * inputs_;
    if (pass.final_derivative && is_causal()) {
      detail::add_scaled(before, Scalar(1), pass.final_derivative(b), drows + count * inputs_);
    }
    if (pass.initial_derivative && is_causal()) {
      std::copy_n(drows, before, pass.initial_derivative(b));
    }
    if (!dx) return;
    counted(pass.mask, b, steps).scatter(drows + before, inputs_, dx->data() + b * steps * inputs_);
  }

  Index filters_;
  Index kernel_size_;
  Index inputs_ = Inputs;
  Conv1DOptions options_;
  detail::KernelAndBias<Scalar, Filters,
                        Inputs == Dynamic || KernelSize == Dynamic ? Dynamic : Inputs * KernelSize>
      weights_;
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Conv1D<Scalar>> : HeldAs<HeldKind::conv1d> {};

}  // namespace strata::detail
