#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// An array with one number for each feature, of a FeatureLayer.
struct FeatureArray {
  const char* name;
  /// Draws the first values.
  Initializer initializer;
  /// Whether the optimizer changes it.
  bool trainable = true;
  /// Whether it is among the parameters.
  bool used = true;
};

/// What layers have in common that keep the shape of their input, (B, F) or (B, T, F), hold `Count`
/// arrays of one number for each feature, and have no state: normalizations.
///
/// `Layer` is the class template that inherits this one, `Layer<Scalar, Features>`, made from
/// `Options`. It passes its arrays to the constructor, in the order of its parameters.
template <template <class, Index> class Layer, class Scalar, Index Features, class Options,
          std::size_t Count>
class FeatureLayer {
 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Features;
  static constexpr Index fixed_outputs = Features;

  [[nodiscard]] std::string kind() const { return Layer<Scalar, Features>::name; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add_all(options_);
  }
  /// F, Dynamic while it is not known.
  [[nodiscard]] Index inputs() const noexcept { return features_; }

  [[nodiscard]] Index output_features(Index features) const {
    if (features_ != Dynamic && features != features_) {
      fail<ShapeError>({"expects ", features_, " features, found ", features});
    }
    return features;
  }

  void build(Index features) {
    for (Array& array : arrays_) array.resize(features, 1);
    features_ = features;
  }
  void initialize(const Random& random) {
    for (std::size_t i = 0; i < Count; ++i) {
      Random own = random.fork(i);
      strata::initialize(kinds_[i].initializer,
                         WeightMatrix<Scalar>{arrays_[i].values(), features_, features_}, own);
    }
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for (std::size_t i = 0; i < Count; ++i) {
      const FeatureArray& kind = kinds_[i];
      if (kind.used) list.push_back({kind.name, {features_}, arrays_[i].values(), kind.trainable});
    }
    return list;
  }

  [[nodiscard]] Index parameter_count() const noexcept {
    const auto used = std::count_if(kinds_.begin(), kinds_.end(),
                                    [](const FeatureArray& kind) { return kind.used; });
    return static_cast<Index>(used) * features_;
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  struct Tape {};

  /// Row by row, for layers that do in training what they do in prediction: by Packed::step.
  template <class Packed>
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.step(x.data() + at, nullptr, y.data() + at, WeightOrder::ascending);
    }
  }
  template <class Packed>
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] Layer<Other, Dynamic> to_dynamic() const {
    Layer<Other, Dynamic> layer(options_);
    if (features_ != Dynamic) copy_to(layer);
    return layer;
  }

 protected:
  template <template <class, Index> class, class, Index, class, std::size_t>
  friend class FeatureLayer;

  using Array = Weights<Scalar, Features, 1>;
  using Row = detail::Row<Scalar>;
  using ConstRowMap = Map<const Row>;

  FeatureLayer(Options options, std::array<FeatureArray, Count> kinds)
      : options_(std::move(options)), kinds_(std::move(kinds)) {
    if (features_ != Dynamic) build(features_);
  }

  /// Writes an array as the kernels read it: where it is not among the parameters, all its numbers
  /// are `unused`. Asks for memory only where `to` has another size.
  void copy_row(std::size_t i, Row& to, Scalar unused = 0) const {
    if (kinds_[i].used) {
      to = ConstRowMap(arrays_[i].values().data(), features_);
    } else {
      to.setConstant(features_, unused);
    }
  }

  /// Fills an array with constants: one for each feature, or one for all features.
  void set_constants(std::size_t i, const std::vector<double>& constants) {
    const auto values = arrays_[i].values();
    for (std::size_t feature = 0; feature < values.size(); ++feature) {
      values[feature] = static_cast<Scalar>(constants[constants.size() == 1 ? 0 : feature]);
    }
  }

  Index features_ = Features;
  Options options_;
  std::array<Array, Count> arrays_;

 private:
  template <class Other>
  void copy_to(FeatureLayer<Layer, Other, Dynamic, Options, Count>& layer) const {
    layer.build(features_);
    for (std::size_t i = 0; i < Count; ++i) {
      layer.arrays_[i].matrix() = arrays_[i].matrix().template cast<Other>();
    }
  }

  std::array<FeatureArray, Count> kinds_;
};

/// Throws ValueError on an epsilon of a normalization that is below 0 or not finite.
inline void check_normalization_epsilon(const char* layer, double epsilon) {
  if (!is_finite(epsilon) || epsilon < 0) {
    fail<ValueError>({layer, ": epsilon must be at least 0, found ", epsilon});
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
