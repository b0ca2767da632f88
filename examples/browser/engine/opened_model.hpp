#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

// A model from a file that somebody dropped on the page.

namespace page {

using strata::Index;
using strata::Tensor;

class OpenedModel {
 public:
  explicit OpenedModel(strata::Sequential<> model) : model_(std::move(model)) {}
  /// `rest`: the state in which a stream begins. `sample_rate`: in samples per second, or 0.
  OpenedModel(strata::Sequential<> model, strata::State<float> rest, double sample_rate)
      : model_(std::move(model)), rest_(std::move(rest)), sample_rate_(sample_rate) {}

  [[nodiscard]] const strata::Sequential<>& model() const { return model_; }
  /// The state in which a stream begins; empty for zeros.
  [[nodiscard]] const strata::State<float>& rest() const { return rest_; }
  /// Samples per second; 0 where the file does not say.
  [[nodiscard]] double sample_rate() const { return sample_rate_; }

  /// Numbers of a step, or of a sample where the model takes no sequences.
  [[nodiscard]] Index features() const { return input().back(); }
  [[nodiscard]] Index outputs() const { return output().back(); }
  [[nodiscard]] bool takes_sequences() const { return input().rank() == 3; }
  [[nodiscard]] bool returns_sequences() const { return output().rank() == 3; }
  /// Whether it makes one sample of each sample, as models of amplifiers do.
  [[nodiscard]] bool is_audio() const {
    return takes_sequences() && returns_sequences() && input()[1] == strata::Dynamic &&
           features() == 1 && outputs() == 1;
  }

  /// The outputs (count, U) at each of the signal's values. Feature f is the signal f steps ago.
  /// A model that returns sequences reads the signal from its beginning, or piece by piece where
  /// it takes a number of steps of its own; the others read a window up to each value. Throws
  /// std::runtime_error where the model takes class numbers.
  [[nodiscard]] std::vector<float> outputs_on(std::span<const float> signal) const {
    if (features() == strata::Dynamic) {
      throw std::runtime_error(
          "it takes class numbers, such as those of words; the signal has none");
    }
    const auto count = static_cast<Index>(signal.size());
    const Index length = window(count);
    const Index stride = returns_sequences() ? length : 1;
    const Index windows = (count + stride - 1) / stride;
    Tensor<float> x(takes_sequences() ? strata::Shape{windows, length, features()}
                                      : strata::Shape{windows, features()});
    float* to = x.data();
    for (Index w = 0; w < windows; ++w) {
      const Index begin = returns_sequences() ? w * length : w - length + 1;
      for (Index t = begin; t < begin + length; ++t) {
        for (Index f = 0; f < features(); ++f) {
          *to++ = signal[static_cast<std::size_t>(std::clamp<Index>(t - f, 0, count - 1))];
        }
      }
    }
    const Tensor<float> y = model_.predict(x);
    return {y.values().begin(), y.values().begin() + count * outputs()};
  }

  /// The steps that an output of outputs_on sees of a signal of `count` values.
  [[nodiscard]] Index window(Index count) const {
    if (!takes_sequences()) return 1;
    if (input()[1] != strata::Dynamic) return input()[1];
    return returns_sequences() ? count : std::min<Index>(40, count);
  }

 private:
  [[nodiscard]] strata::Shape input() const { return model_.input()->shape(); }
  [[nodiscard]] strata::Shape output() const { return model_.output_shape(input()); }

  strata::Sequential<> model_;
  strata::State<float> rest_;
  double sample_rate_ = 0;
};

/// The model that was opened last.
[[nodiscard]] const OpenedModel& opened();

}  // namespace page
