#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Repeats a sample at each of n steps, as the input of a decoder: (B, F) to (B, n, F). It makes a
/// whole sequence at once, so it cannot stream.
template <class Scalar = float>
class RepeatVector : public detail::PlainLayer<Scalar> {
 public:
  static constexpr Accepts accepts = Accepts::samples;
  static constexpr Returns returns = Returns::sequence;
  static constexpr LayerTraits traits{.streams = false, .output_shape = true, .output_mask = true};

  /// Throws ValueError when n is below 1, or more steps than memory can hold.
  explicit RepeatVector(Index n) : n_(n) { sizes::check("RepeatVector", "n", n); }

  [[nodiscard]] std::string kind() const { return "RepeatVector"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", n_, " steps"});
  }
  [[nodiscard]] Index n() const noexcept { return n_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("n", n_);
  }

  [[nodiscard]] Index output_features(Index features) const { return features; }
  [[nodiscard]] Shape output_shape(const Shape& shape) const { return {shape[0], n_, shape[1]}; }
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>&, const Mask&) const { return {}; }

  struct Packed {
    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };

  struct Tape {};

  void pack(Packed&, bool) const {}

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(output_shape(x.shape()));
    for (Index b = 0; b < x.batch(); ++b)
      detail::sequence_of(y, b).rowwise() = detail::matrix_of(x).row(b);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    std::fill(dx->values().begin(), dx->values().end(), Scalar(0));
    const Index features = x.features();
    for (Index row = 0; row < x.batch() * dy.steps(); ++row) {
      detail::add_scaled(features, Scalar(1), std::as_const(dy).data() + row * features,
                         dx->data() + row / dy.steps() * features);
    }
  }

  void check_stream() const {
    detail::raise<ValueError>("RepeatVector makes a sequence of one sample, which a stream cannot");
  }

  template <class Other>
  [[nodiscard]] RepeatVector<Other> to_dynamic() const {
    RepeatVector<Other> layer(n_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  Index n_;
};

RepeatVector(Index)->RepeatVector<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<RepeatVector<Scalar>> : HeldAs<HeldKind::repeat_vector> {};

}  // namespace strata::detail
