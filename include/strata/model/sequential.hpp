#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/joints.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/model/network.hpp>
#include <strata/model/sequential_base.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

/// The data of a model whose first layer has known inputs.
[[nodiscard]] inline Input input_of(Accepts accepts, Index inputs) {
  if (accepts == Accepts::sequences) return Input(Dynamic, inputs);
  return Input(accepts == Accepts::ids ? Dynamic : inputs);
}

/// The shape of data of which nothing is known but what the first layer takes.
[[nodiscard]] inline Shape any_shape(Accepts accepts) {
  if (accepts == Accepts::ids || accepts == Accepts::samples) return {Dynamic, Dynamic};
  return {Dynamic, Dynamic, Dynamic};
}

}  // namespace detail

/// A stack of layers that is chosen while writing: the whole stack is one type, and layers that do
/// not join do not compile. Sizes are fixed by the layers' types or taken from Input or the data.
///
///   Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};
///
/// Where all sizes are fixed the model is a plain object without heap memory, and has its weights
/// from the start. `Sequential<>` and `Sequential<double>` are the stacks chosen at run time.
template <class... Layers>
class Sequential
    : public detail::SequentialBase<Sequential<Layers...>, detail::FirstScalar<Layers...>> {
  static_assert((Layer<Layers> && ...),
                "strata: a Sequential is made of layers; see the Layer concept in "
                "strata/contracts/layer.hpp");
  static_assert(detail::joints_fit<Layers...>());

 public:
  using Scalar = detail::FirstScalar<Layers...>;

  explicit Sequential(Layers... layers) : layers_(std::move(layers)...) {
    const auto& first = std::get<0>(layers_);
    if (first.inputs() != Dynamic) this->build(detail::input_of(first.accepts, first.inputs()));
  }

  explicit Sequential(const Input& input, Layers... layers) : layers_(std::move(layers)...) {
    this->build(input);
  }

  Sequential() requires(std::default_initializable<Layers>&&...) : Sequential(Layers()...) {}

  [[nodiscard]] const std::tuple<Layers...>& layers() const& noexcept { return layers_; }
  template <std::size_t I>
  [[nodiscard]] auto& layer() & noexcept {
    return std::get<I>(layers_);
  }
  template <std::size_t I>
  [[nodiscard]] const auto& layer() const& noexcept {
    return std::get<I>(layers_);
  }
  // The model is a temporary: give it a name first.
  void layers() const&& = delete;
  template <std::size_t I>
  void layer() const&& = delete;

  template <class Ref>
  [[nodiscard]] std::vector<Ref> layer_refs() {
    return std::apply([](auto&... layer) { return std::vector<Ref>{Ref(layer)...}; }, layers_);
  }

 private:
  std::tuple<Layers...> layers_;
};

template <class... Layers>
  requires(sizeof...(Layers) > 0)
Sequential(Layers...)
->Sequential<Layers...>;
template <class... Layers>
Sequential(Input, Layers...) -> Sequential<Layers...>;

/// A stack of layers that is chosen while running.
///
///   Sequential<> model;
///   model.add(LSTM{32, return_sequences});
template <std::floating_point S>
class Sequential<S> : public detail::SequentialBase<Sequential<S>, S> {
 public:
  using Scalar = S;

  Sequential() = default;

  /// These layers, without sizes: build, or the first data, gives them.
  explicit Sequential(std::vector<AnyLayer<Scalar>> layers) : layers_(std::move(layers)) {}

  /// The shape of the data, before the first layer. Throws StateError later.
  void add(const Input& input) {
    if (!layers_.empty() || this->setup_.input) {
      throw StateError("add: Input comes first, and once");
    }
    this->setup_.input = input;
  }

  /// Appends a layer, converted to sizes chosen at run time and to this Scalar. Throws ShapeError
  /// when it does not join the layer before; the model is unchanged then.
  template <Layer L>
  void add(const L& layer) {
    if constexpr (requires { layer.template to_dynamic<Scalar>(); }) {
      append(AnyLayer<Scalar>(layer.template to_dynamic<Scalar>()));
    } else {
      static_assert(std::same_as<typename L::scalar_type, Scalar>,
                    "strata: this layer's scalar is not that of the model, and it has no "
                    "to_dynamic to convert it");
      append(AnyLayer<Scalar>(layer));
    }
  }

  /// Appends a layer of any type.
  void add(AnyLayer<Scalar> layer) { append(std::move(layer)); }

  [[nodiscard]] const std::vector<AnyLayer<Scalar>>& layers() const& noexcept { return layers_; }

  /// Throws ValueError when there is no such layer.
  [[nodiscard]] AnyLayer<Scalar>& layer(std::size_t i) & {
    check_index(i);
    // Whoever has it may make another layer of it.
    joint_ = {};
    return layers_[i];
  }
  [[nodiscard]] const AnyLayer<Scalar>& layer(std::size_t i) const& {
    check_index(i);
    return layers_[i];
  }
  /// The same, in its own type: model.layer<Normalization<float>>(0).adapt(x). Throws ValueError
  /// when the layer is of another type.
  template <Layer L>
  [[nodiscard]] L& layer(std::size_t i) & {
    AnyLayer<Scalar>& any = layer(i);
    if (L* const found = any.template as<L>()) return *found;
    detail::fail<ValueError>({"layer ", i, " is of another type: ", any.describe()});
  }
  // The model is a temporary: give it a name first.
  void layers() const&& = delete;
  void layer(std::size_t i) const&& = delete;

  template <class Ref>
  [[nodiscard]] std::vector<Ref> layer_refs() {
    return {layers_.begin(), layers_.end()};
  }

 private:
  /// What the next layer will be given, where the layers before have not changed since it was
  /// found.
  struct Joint {
    std::size_t layers = 0;
    std::optional<Input> input;
    bool built = false;
    Shape shape;
  };

  void append(AnyLayer<Scalar> layer) {
    layers_.push_back(std::move(layer));
    try {
      if (!joins_last()) join_all();
    } catch (...) {
      layers_.pop_back();
      throw;
    }
  }

  /// Joins the last layer to those before in a time that does not depend on their number. False
  /// where that needs a look at all layers, for what they are or for the text of an error.
  [[nodiscard]] bool joins_last() {
    const std::size_t last = layers_.size() - 1;
    if (last == 0 || joint_.layers != last || joint_.built != this->setup_.built ||
        joint_.input != this->setup_.input) {
      return false;
    }
    try {
      joint_.shape = Network<Scalar>::extend(this->setup_, last, layers_.back(), joint_.shape);
    } catch (const Error&) {
      return false;
    }
    joint_.layers = layers_.size();
    return true;
  }

  void join_all() {
    const auto& first = layers_.front();
    std::optional<Input> input = this->setup_.input;
    if (!input && layers_.size() == 1 && first.inputs() != Dynamic) {
      input = detail::input_of(first.accepts(), first.inputs());
    }
    Shape shape = input ? input->shape() : detail::any_shape(first.accepts());
    if (input) this->build(*input);
    shape = this->output_shape(shape);
    joint_ = {layers_.size(), this->setup_.input, this->setup_.built, shape};
  }

  void check_index(std::size_t i) const {
    if (i >= layers_.size()) {
      detail::fail<ValueError>({"layer ", i, " of a model of ", layers_.size(), " layers"});
    }
  }

  std::vector<AnyLayer<Scalar>> layers_;
  Joint joint_;
};

template <>
class Sequential<> : public Sequential<float> {
 public:
  using Sequential<float>::Sequential;
  Sequential(Sequential<float> model) : Sequential<float>(std::move(model)) {}
};

}  // namespace strata::inline STRATA_TARGET
