#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The derivatives of a loss by all parameters of a model. Gradients of several batches can be
/// added, and scaled, before a Trainer applies them.
template <class Scalar>
class Gradients {
 public:
  /// Of which numbers of all a parameter's gradient consists.
  struct Part {
    std::string name;
    Shape shape;
  };

  Gradients() = default;
  Gradients(double loss, std::vector<Part> parts, std::vector<Scalar> values)
      : loss_(loss), parts_(std::move(parts)), values_(std::move(values)) {}

  /// The loss of the batch, penalties included; of added gradients, the sum of their losses.
  [[nodiscard]] double loss() const noexcept { return loss_; }
  /// All numbers, in the order of the model's parameters. Those of frozen parameters are zero.
  [[nodiscard]] std::span<const Scalar> values() const& noexcept { return values_; }
  [[nodiscard]] std::span<Scalar> values() & noexcept { return values_; }
  std::span<const Scalar> values() const&& = delete;

  /// The gradient of one parameter, in C order of its shape. Throws ValueError on an unknown name.
  [[nodiscard]] std::span<const Scalar> of(const std::string& name) const& {
    std::size_t at = 0;
    for (const Part& part : parts_) {
      const auto size = static_cast<std::size_t>(part.shape.size());
      if (part.name == name) return std::span<const Scalar>(values_).subspan(at, size);
      at += size;
    }
    messages::fail<ValueError>({"gradients: the model has no parameter named ", name});
  }
  std::span<const Scalar> of(const std::string& name) const&& = delete;
  [[nodiscard]] const std::vector<Part>& parts() const& noexcept { return parts_; }

  /// Adds the gradients of another batch. Adding to an empty object is a copy. Throws ShapeError
  /// where they are those of another model.
  Gradients& operator+=(const Gradients& other) {
    if (values_.empty()) return *this = other;
    if (values_.size() != other.values_.size()) {
      messages::fail<ShapeError>(
          {"gradients: cannot add ", other.values_.size(), " numbers to ", values_.size()});
    }
    loss_ += other.loss_;
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
    return *this;
  }
  /// Scales loss and gradients.
  Gradients& operator*=(double factor) {
    loss_ *= factor;
    for (Scalar& value : values_) value *= static_cast<Scalar>(factor);
    return *this;
  }

 private:
  double loss_ = 0;
  std::vector<Part> parts_;
  std::vector<Scalar> values_;
};

}  // namespace strata::inline STRATA_RUNTIME
