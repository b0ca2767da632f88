#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/graph/weights.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Sums and products with constants, one after the other, as one layer: y = scale x + offset, where
/// each of these constants is one number or one for each feature. (x - mean) / deviation becomes a
/// Normalization, whose numbers are exact where the mean is far from 0; everything else becomes a
/// Rescaling.
class OnnxAffine {
 public:
  using Vector = std::vector<double>;

  void add(const Vector& numbers) {
    offset_ = combined(offset_, numbers, [](double a, double b) { return a + b; });
    mean_ = combined(mean_, numbers, [](double a, double b) { return a - b; });
    form_ = form_ == Form::nothing || form_ == Form::shift ? Form::shift : Form::other;
  }

  void multiply(const Vector& numbers) {
    const auto product = [](double a, double b) { return a * b; };
    Vector deviation = numbers;
    for (double& value : deviation) value = 1 / value;
    scale(numbers, std::move(deviation), product);
  }

  void divide(const Vector& numbers) {
    scale(numbers, numbers, [](double a, double b) { return a / b; });
  }

  /// This, and then `next`, as one layer.
  void then(const OnnxAffine& next) {
    const auto product = [](double a, double b) { return a * b; };
    scale_ = combined(scale_, next.scale_, product);
    offset_ = combined(offset_, next.scale_, product);
    offset_ = combined(offset_, next.offset_, [](double a, double b) { return a + b; });
    form_ = Form::other;
  }

  /// One number where all are the same.
  [[nodiscard]] static Vector shortened(Vector numbers) {
    const auto same = [&](double value) { return value == numbers.front(); };
    if (std::all_of(numbers.begin(), numbers.end(), same)) numbers.resize(1);
    return numbers;
  }

  /// Whether y = x.
  [[nodiscard]] bool is_nothing() const noexcept {
    return std::all_of(scale_.begin(), scale_.end(), [](double value) { return value == 1; }) &&
           std::all_of(offset_.begin(), offset_.end(), [](double value) { return value == 0; });
  }

  [[nodiscard]] bool is_finite() const noexcept {
    const auto finite = [](double value) { return std::abs(value) <= 3e38; };
    return std::all_of(scale_.begin(), scale_.end(), finite) &&
           std::all_of(offset_.begin(), offset_.end(), finite);
  }

  [[nodiscard]] bool is_normalization() const noexcept { return form_ == Form::normalization; }

  /// The layer, for `features` features.
  [[nodiscard]] LayerDescription description() const {
    if (is_normalization()) return LayerDescription{"Normalization"}.add("invert", false);
    return LayerDescription{"Rescaling"}
        .add("scale", shortened(scale_))
        .add("offset", shortened(offset_));
  }
  [[nodiscard]] OnnxWeights weights(Index features) const {
    if (!is_normalization()) return {};
    const Vector none(static_cast<std::size_t>(features), 0.0);
    const auto all = [&](const Vector& numbers) {
      return Numbers{{features},
                     combined(none, numbers, [](double, double number) { return number; })};
    };
    Numbers variance = all(deviation_);
    for (double& value : variance.values) value *= value;
    return {{"mean", all(mean_)}, {"variance", std::move(variance)}};
  }

 private:
  enum class Form { nothing, shift, normalization, other };

  template <class F>
  [[nodiscard]] static Vector combined(const Vector& a, const Vector& b, F f) {
    Vector result(std::max(a.size(), b.size()));
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = f(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
    }
    return result;
  }

  template <class F>
  void scale(const Vector& numbers, Vector deviation, F f) {
    scale_ = combined(scale_, numbers, f);
    offset_ = combined(offset_, numbers, f);
    // A Normalization's deviation is at least 1e-7, and its variance a float. The other limit is a
    // power of two, so that a model that is saved and loaded again stays on its side of it.
    constexpr double most = 1152921504606846976.0;
    const bool normal = std::all_of(deviation.begin(), deviation.end(),
                                    [](double value) { return value >= 1e-7 && value <= most; });
    form_ = form_ == Form::shift && normal ? Form::normalization : Form::other;
    deviation_ = std::move(deviation);
  }

  Vector scale_{1};
  Vector offset_{0};
  Form form_ = Form::nothing;
  Vector mean_{0};
  Vector deviation_{1};
};

}  // namespace strata::inline STRATA_RUNTIME::io
