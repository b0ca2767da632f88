#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/feature_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata {

/// Keras' options of a Rescaling layer: one number for each feature, or one for all features.
struct RescalingOptions {
  std::vector<double> scale = {1};
  std::vector<double> offset = {0};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("scale", self.scale);
    f("offset", self.offset);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Keras' Rescaling: y = scale x + offset, with constants. (B, F) to (B, F), (B, T, F) to (B, T,
/// F).
///
///   Rescaling{{.scale = {1 / 127.5}, .offset = {-1}}}
template <class Scalar = float, Index Features = Dynamic>
class Rescaling : public detail::FeatureLayer<Rescaling, Scalar, Features, RescalingOptions, 2> {
  using Base = detail::FeatureLayer<Rescaling, Scalar, Features, RescalingOptions, 2>;
  using Base::arrays_, Base::features_, Base::options_;
  using typename Base::Row;
  using P = detail::Pack<Scalar>;

  /// Places of the arrays, neither of which is a parameter.
  static constexpr std::size_t scale_place = 0;
  static constexpr std::size_t offset_place = 1;

 public:
  using typename Base::Tape;

  static constexpr const char* name = "Rescaling";
  static constexpr LayerTraits traits{};

  /// Throws ValueError unless scale and offset have one number, or one for each feature, all of
  /// them finite; ShapeError when there are others than Features.
  explicit Rescaling(RescalingOptions options = {})
      : Base(options,
             {{{.name = "scale", .initializer = Ones{}, .trainable = false, .used = false},
               {.name = "offset", .initializer = Zeros{}, .trainable = false, .used = false}}}) {
    const Index given = check(options_);
    if (given > 1) (void)this->output_features(given);
    if (features_ != Dynamic || given > 1) build(std::max(features_, given));
  }

  /// The given constants.
  void build(Index features) {
    Base::build(features);
    this->set_constants(scale_place, options_.scale);
    this->set_constants(offset_place, options_.offset);
  }

  void initialize(const Random&) {}

  struct Packed {
    Row scale;
    Row offset;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      detail::transform(
          scale.size(), y, [](P value, P by, P plus) { return multiply_add(value, by, plus); }, x,
          scale.data(), offset.data());
    }
  };

  void pack(Packed& packed, bool) const {
    const auto row_of = [&](std::size_t place) {
      return typename Base::ConstRowMap(arrays_[place].values().data(), features_);
    };
    packed.scale = row_of(scale_place);
    packed.offset = row_of(offset_place);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar>, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      detail::transform(
          features_, dx->data() + at, [](P d, P by) { return d * by; },
          std::as_const(dy).data() + at, packed.scale.data());
    }
  }

 private:
  /// For how many features there are constants; 1 where there is one for all of them.
  static Index check(const RescalingOptions& options) {
    const std::size_t scales = options.scale.size();
    const std::size_t offsets = options.offset.size();
    if (scales == 0 || offsets == 0 || (scales != offsets && scales > 1 && offsets > 1)) {
      detail::fail<ValueError>(
          {"Rescaling: scale and offset must have one number, or one for each feature, found ",
           static_cast<Index>(scales), " and ", static_cast<Index>(offsets), " numbers"});
    }
    for (const auto* list : {&options.scale, &options.offset}) {
      for (const double number : *list) {
        if (!detail::is_finite(number)) {
          detail::fail<ValueError>({"Rescaling: scale and offset must be finite, found ", number});
        }
      }
    }
    return static_cast<Index>(std::max(scales, offsets));
  }
};

Rescaling()->Rescaling<float>;
Rescaling(RescalingOptions)->Rescaling<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Rescaling<Scalar>> : HeldAs<HeldKind::rescaling> {};

}  // namespace strata::detail
