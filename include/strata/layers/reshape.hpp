#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/plain_layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A layer that keeps the numbers of each sample and changes their shape to that of
/// `L::output_shape`. Steps are no longer what they were, so there is no mask behind it.
template <class L, class Scalar>
class ReshapingLayer : public PlainLayer<Scalar> {
 public:
  static constexpr Accepts accepts = Accepts::any;
  static constexpr LayerTraits traits{.streams = false, .output_shape = true, .output_mask = true};

  [[nodiscard]] Mask output_mask(const Tensor<Scalar>&, const Mask&) const { return {}; }

  struct Packed {
    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };

  struct Tape {};

  void pack(Packed&, bool) const {}

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    copy(x, static_cast<const L&>(*this).output_shape(x.shape()), y);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>&) const {
    if (dx) copy(dy, x.shape(), *dx);
  }

  void check_stream() const {
    fail<ValueError>({static_cast<const L&>(*this).kind(),
                      " needs the whole sequence, which a stream does not have"});
  }

 private:
  static void copy(const Tensor<Scalar>& from, const Shape& shape, Tensor<Scalar>& to) {
    to.resize(shape);
    detail::copy(from.values(), to.data());
  }
};

/// The numbers of one sample, Dynamic while they are not known. Throws ShapeError when they cannot
/// be counted.
[[nodiscard]] inline Index sample_size(const Shape& shape) {
  for (Index axis = 1; axis < shape.rank(); ++axis) {
    if (shape[axis] == Dynamic) return Dynamic;
  }
  return sizes::count(shape.rank() == 3 ? Shape{shape[1], shape[2]} : Shape{shape[1]});
}

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// Puts the steps of a sequence side by side: (B, T, F) to (B, T F); (B, F) stays as it is. T must
/// be known where the next layer is built. It cannot stream.
template <class Scalar = float>
class Flatten : public detail::ReshapingLayer<Flatten<Scalar>, Scalar> {
 public:
  static constexpr Returns returns = Returns::last;

  [[nodiscard]] std::string kind() const { return "Flatten"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] LayerDescription description() const { return LayerDescription{kind()}; }

  /// The features that come of one step.
  [[nodiscard]] Index output_features(Index features) const { return features; }
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    return {shape[0], detail::sample_size(shape)};
  }

  template <class Other>
  [[nodiscard]] Flatten<Other> to_dynamic() const {
    Flatten<Other> layer;
    layer.build(this->inputs());
    return layer;
  }
};

/// The same numbers of each sample as steps and features: (B, F) or (B, T, F) to (B, steps,
/// features). It cannot stream.
template <class Scalar = float>
class Reshape : public detail::ReshapingLayer<Reshape<Scalar>, Scalar> {
 public:
  static constexpr Returns returns = Returns::sequence;

  /// Throws ValueError on sizes below 1, ShapeError when their product cannot be counted.
  Reshape(Index steps, Index features) : steps_(steps), features_(features) {
    sizes::check("Reshape", "steps", steps);
    sizes::check("Reshape", "features", features);
    (void)sizes::count({steps, features});
  }

  [[nodiscard]] std::string kind() const { return "Reshape"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", Shape{steps_, features_}});
  }
  [[nodiscard]] Index steps() const noexcept { return steps_; }
  [[nodiscard]] Index features() const noexcept { return features_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("steps", steps_).add("features", features_);
  }

  [[nodiscard]] Index output_features(Index) const { return features_; }
  /// Throws ShapeError when a sample has not steps times features numbers.
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    const Index found = detail::sample_size(shape);
    if (found != Dynamic && found != steps_ * features_) {
      detail::fail<ShapeError>({"expects ", steps_ * features_, " numbers for each sample, found ",
                                found, ", of the shape ", shape});
    }
    return {shape[0], steps_, features_};
  }

  template <class Other>
  [[nodiscard]] Reshape<Other> to_dynamic() const {
    Reshape<Other> layer(steps_, features_);
    layer.build(this->inputs());
    return layer;
  }

 private:
  Index steps_;
  Index features_;
};

/// The last step of each sequence that counts: (B, T, F) to (B, F). Zeros where no step counts.
template <class Scalar = float>
class LastStep : public detail::PlainLayer<Scalar> {
 public:
  static constexpr LayerTraits traits{.check_masked_stream = true};
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::last;

  [[nodiscard]] std::string kind() const { return "LastStep"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] LayerDescription description() const { return LayerDescription{kind()}; }

  [[nodiscard]] Index output_features(Index features) const { return features; }

  struct Packed {
    Index features = 0;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      std::copy_n(x, features, y);
    }
  };

  struct Tape {};

  void pack(Packed& packed, bool) const { packed.features = this->inputs(); }

  void check_masked_stream() const {
    detail::raise<ValueError>(
        "LastStep takes the last step that counts, which a stream does not keep; leave out the "
        "layer "
        "that masks steps, and do not make those steps");
  }

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize({x.batch(), x.features()});
    for (Index b = 0; b < x.batch(); ++b) {
      const Index last = last_step(x, b, pass);
      if (last < 0) {
        detail::matrix_of(y).row(b).setZero();
      } else {
        detail::matrix_of(y).row(b) = detail::sequence_of(x, b).row(last);
      }
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>& pass) const {
    if (!dx) return;
    dx->resize(x.shape());
    detail::matrix_of(*dx).setZero();
    for (Index b = 0; b < x.batch(); ++b) {
      const Index last = last_step(x, b, pass);
      if (last >= 0)
        detail::sequence_of(*dx, b).row(last) = detail::matrix_of(std::as_const(dy)).row(b);
    }
  }

  template <class Other>
  [[nodiscard]] LastStep<Other> to_dynamic() const {
    LastStep<Other> layer;
    layer.build(this->inputs());
    return layer;
  }

 private:
  [[nodiscard]] static Index last_step(const Tensor<Scalar>& x, Index b, const Pass<Scalar>& pass) {
    Index step = x.steps() - 1;
    while (pass.mask && step >= 0 && !(*pass.mask)(b, step)) --step;
    return step;
  }
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Flatten<Scalar>> : HeldAs<HeldKind::flatten> {};
template <class Scalar>
struct Held<LastStep<Scalar>> : HeldAs<HeldKind::last_step> {};
template <class Scalar>
struct Held<Reshape<Scalar>> : HeldAs<HeldKind::reshape> {};

}  // namespace strata::detail
