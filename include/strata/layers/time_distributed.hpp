#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A layer that takes samples, for each step of a sequence by itself: (B, T, F) to (B, T, U).
///
///   TimeDistributed{Dense{3}}
template <class L>
class TimeDistributed {
  static_assert(L::accepts == Accepts::any && L::returns == Returns::same,
                "strata: TimeDistributed is for a layer that takes samples (B, F) and returns "
                "samples, such as Dense; a layer that takes sequences needs none");

 public:
  using scalar_type = typename L::scalar_type;
  using Scalar = scalar_type;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = L::fixed_inputs;
  static constexpr Index fixed_outputs = L::fixed_outputs;
  static constexpr bool streams = detail::streams_of<L>();
  static constexpr bool mixes_sequences = detail::mixes_sequences_of<L>();

  explicit TimeDistributed(L layer) : layer_(std::move(layer)) {}
  TimeDistributed() requires(std::default_initializable<L>) : TimeDistributed(L()) {}

  [[nodiscard]] std::string kind() const { return "TimeDistributed"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), " ", layer_.describe()});
  }
  [[nodiscard]] const L& layer() const noexcept { return layer_; }
  [[nodiscard]] LayerDescription description() const {
    return {.kind = kind(), .layers = {detail::describe_layer(layer_)}};
  }

  [[nodiscard]] Index inputs() const noexcept { return layer_.inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    return layer_.output_features(features);
  }
  void build(Index features) { layer_.build(features); }
  void initialize(const Random& random) { layer_.initialize(random); }
  /// Those of the layer.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return layer_.parameters(); }
  [[nodiscard]] Index parameter_count() const { return strata::parameter_count(layer_); }

  using Packed = typename L::Packed;

  struct Tape {
    typename L::Tape layer;
    Tensor<Scalar> y;
    Mask mask;
  };

  void pack(Packed& packed, bool training) const { layer_.pack(packed, training); }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tensor<Scalar> samples;
    Mask mask;
    layer_.forward(packed, samples_of(x), samples, pass_of(pass, mask));
    join(x, samples, y);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    layer_.forward(packed, samples_of(x), tape.layer, tape.y, pass_of(pass, tape.mask));
    join(x, tape.y, y);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    auto dy_samples = Tensor<Scalar>::view(dy.data(), tape.y.shape());
    Tensor<Scalar> dx_samples;
    layer_.backward(packed, samples_of(x), tape.y, dy_samples, tape.layer, gradient,
                    dx ? &dx_samples : nullptr, pass_of(pass, tape.mask));
    if (dx) join(x, dx_samples, *dx);
  }

  void absorb(Tape& tape) { detail::absorb(layer_, tape.layer); }

  void check_stream() const { layer_.check_stream(); }
  [[nodiscard]] Index state_size() const noexcept { return layer_.state_size(); }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const L& layer) { layer.template to_dynamic<Other>(); }
  [[nodiscard]] auto to_dynamic() const {
    using Inner = decltype(layer_.template to_dynamic<Other>());
    return TimeDistributed<Inner>(layer_.template to_dynamic<Other>());
  }

 private:
  [[nodiscard]] static const Tensor<Scalar> samples_of(const Tensor<Scalar>& x) {
    return Tensor<Scalar>::view(x.data(), {x.batch() * x.steps(), x.features()});
  }

  /// Every step is a sample, so its flag is the mask of a sequence of one step.
  [[nodiscard]] static Pass<Scalar> pass_of(const Pass<Scalar>& pass, Mask& mask) {
    if (!pass.mask) return {.random = pass.random};
    const Index steps = pass.mask->steps();
    mask = Mask(pass.mask->batch() * steps, 1);
    for (Index row = 0; row < mask.batch(); ++row) {
      mask.set(row, 0, (*pass.mask)(row / steps, row % steps));
    }
    return {.random = pass.random, .mask = &mask};
  }

  /// (B T, U) to (B, T, U).
  static void join(const Tensor<Scalar>& x, const Tensor<Scalar>& samples, Tensor<Scalar>& y) {
    y.resize({x.batch(), x.steps(), samples.features()});
    std::ranges::copy(samples.values(), y.data());
  }

  L layer_;
};

}  // namespace strata::inline STRATA_TARGET
