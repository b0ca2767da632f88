#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <span>
#include <string>

namespace papers {

/// A layer without weights that turns class numbers into vectors of one 1 and zeros elsewhere:
/// (B, T) to (B, T, classes).
template <class Scalar>
class OneHotLayer : public strata::detail::PlainLayer<Scalar> {
 public:
  using Tensor = strata::Tensor<Scalar>;
  using Pass = strata::Pass<Scalar>;
  using Index = strata::Index;
  static constexpr strata::Accepts accepts = strata::Accepts::ids;
  static constexpr strata::Returns returns = strata::Returns::sequence;
  static constexpr strata::LayerTraits traits{.check_input = true, .output_shape = true};

  explicit OneHotLayer(Index classes) : classes_(classes) { this->build(1); }

  [[nodiscard]] std::string kind() const { return "OneHot"; }
  [[nodiscard]] std::string describe() const {
    return kind() + ", " + std::to_string(classes_) + " classes";
  }
  [[nodiscard]] strata::LayerDescription description() const {
    return strata::LayerDescription{kind()}.add("classes", classes_);
  }
  [[nodiscard]] Index output_features(Index) const { return classes_; }
  [[nodiscard]] strata::Shape output_shape(const strata::Shape& shape) const {
    return {shape[0], shape[1], classes_};
  }
  /// Throws ValueError on what is not a class number.
  void check_input(const Tensor& x) const {
    for (const Scalar id : x.values()) {
      if (id >= 0 && id < Scalar(classes_) && id == Scalar(Index(id))) continue;
      throw strata::ValueError("OneHot: " + std::to_string(id) + " is not a class number below " +
                               std::to_string(classes_));
    }
  }

  struct Packed {
    Index classes = 0;

    /// A number that is no class gives zeros: a step cannot throw.
    void step(const Scalar* id, Scalar*, Scalar* y, strata::WeightOrder) const noexcept {
      std::fill_n(y, classes, Scalar(0));
      if (*id >= 0 && *id < Scalar(classes)) y[Index(*id)] = 1;
    }
  };
  struct Tape {};

  void pack(Packed& packed, bool) const { packed.classes = classes_; }
  void forward(const Packed& packed, const Tensor& x, Tensor& y, const Pass&) const {
    check_input(x);
    y.resize(output_shape(x.shape()));
    Scalar* row = y.data();
    for (const Scalar& id : x.values()) {
      packed.step(&id, nullptr, row, strata::WeightOrder::ascending);
      row += classes_;
    }
  }
  void forward(const Packed& packed, const Tensor& x, Tape&, Tensor& y, const Pass& pass) const {
    forward(packed, x, y, pass);
  }
  /// A class number has no derivative.
  void backward(const Packed&, const Tensor& x, const Tensor&, Tensor&, Tape&, std::span<Scalar>,
                Tensor* dx, const Pass&) const {
    if (dx) *dx = Tensor(x.shape());
  }

  template <class Other>
  [[nodiscard]] OneHotLayer<Other> to_dynamic() const {
    return OneHotLayer<Other>(classes_);
  }

 private:
  Index classes_;
};

using OneHot = OneHotLayer<float>;

}  // namespace papers
