#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/joints.hpp>
#include <strata/model/network.hpp>
#include <strata/model/sequential_base.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The Input of a model whose first layer knows its number of inputs.
[[nodiscard]] inline Input input_of(Accepts accepts, Index inputs) {
  if (accepts == Accepts::sequences) return Input(Dynamic, inputs);
  return Input(accepts == Accepts::ids ? Dynamic : inputs);
}

/// The shape of data for a first layer that `accepts` such data, with all sizes Dynamic.
[[nodiscard]] inline Shape any_shape(Accepts accepts) {
  if (accepts == Accepts::ids || accepts == Accepts::samples) return {Dynamic, Dynamic};
  return {Dynamic, Dynamic, Dynamic};
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// A stack of layers that is chosen at compile time: the whole stack is one type, and layers that
/// do not join do not compile. Sizes are fixed by the layers' types or taken from Input or the
/// data.
///
///   Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};
///
/// Where all sizes are fixed the model is a plain object without heap memory, and has its weights
/// from the start. `Sequential<>` and `Sequential<double>` are stacks chosen at run time.
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

  /// A Ref, such as LayerRef, to each layer; see SequentialBase.
  template <class Ref>
  [[nodiscard]] std::vector<Ref> layer_refs() {
    return layer_refs<Ref>(std::index_sequence_for<Layers...>());
  }

 private:
  template <class Ref, std::size_t... I>
  [[nodiscard]] std::vector<Ref> layer_refs(std::index_sequence<I...>) {
    return {Ref(std::get<I>(layers_))...};
  }

  std::tuple<Layers...> layers_;
};

template <class... Layers>
  requires(sizeof...(Layers) > 0)
Sequential(Layers...)
->Sequential<Layers...>;
template <class... Layers>
Sequential(Input, Layers...) -> Sequential<Layers...>;

/// A stack of layers that is chosen at run time.
///
///   Sequential<> model;
///   model.add(LSTM{32, return_sequences});
template <std::floating_point S>
class Sequential<S> : public detail::SequentialBase<Sequential<S>, S> {
 public:
  using Scalar = S;

  Sequential() = default;

  /// A model of the given layers, not built yet: build or the first data gives the sizes.
  explicit Sequential(std::vector<AnyLayer<Scalar>> layers) : layers_(std::move(layers)) {}

  /// Says the shape of the data. Throws StateError after a layer or another Input was added.
  void add(const Input& input) {
    if (!layers_.empty() || this->setup_.input) {
      detail::raise<StateError>("add: Input comes first, and once");
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

  /// Takes the last layer away, as in Keras; the layers before it keep their weights. What
  /// set_trainable and rates say of its parameters is forgotten. Throws StateError where there is
  /// no layer.
  void pop() {
    if (layers_.empty()) detail::raise<StateError>("pop: the model has no layers");
    layers_.pop_back();
    joint_ = {};
    if (layers_.empty()) this->setup_.built = false;
    if (this->is_built()) {
      this->setup_.parameter_rules.keep_named(std::as_const(*this).parameters());
    }
  }

  [[nodiscard]] const std::vector<AnyLayer<Scalar>>& layers() const& noexcept { return layers_; }

  /// Layer i, from 0. Throws ValueError when the model has no such layer.
  [[nodiscard]] AnyLayer<Scalar>& layer(std::size_t i) & {
    check_index(i);
    // The caller may assign another layer to it, so what is known of the joints no longer holds.
    joint_ = {};
    return layers_[i];
  }
  [[nodiscard]] const AnyLayer<Scalar>& layer(std::size_t i) const& {
    check_index(i);
    return layers_[i];
  }
  /// Layer i in its own type: model.layer<Normalization<float>>(0).adapt(x). Throws ValueError when
  /// the model has no such layer or its type is not L.
  template <Layer L>
  [[nodiscard]] L& layer(std::size_t i) & {
    AnyLayer<Scalar>& any = layer(i);
    if (L* const found = any.template as<L>()) return *found;
    detail::fail<ValueError>({"layer ", i, " is of another type: ", any.describe()});
  }
  // The model is a temporary: give it a name first.
  void layers() const&& = delete;
  void layer(std::size_t i) const&& = delete;

  /// A Ref, such as LayerRef, to each layer; see SequentialBase.
  template <class Ref>
  [[nodiscard]] std::vector<Ref> layer_refs() {
    return {layers_.begin(), layers_.end()};
  }

 private:
  /// `shape` is the shape of the outputs of the first `layers` layers, in a model with this input
  /// that is built or not. It lets `add` join a layer without a look at all layers before it.
  struct Joint {
    std::size_t layers = 0;
    std::optional<Input> input;
    bool built = false;
    Shape shape;
  };

  void append(AnyLayer<Scalar> layer) {
    layers_.push_back(std::move(layer));
    detail::undo_on_error(
        [&] {
          if (!joins_last()) join_all();
        },
        [&] { layers_.pop_back(); });
  }

  /// Joins the last layer to the model in a time that does not depend on the number of layers.
  /// Returns false, with nothing done, where all layers must be looked at: joint_ does not describe
  /// the model, or the layer does not join and the error must name the layer before.
  [[nodiscard]] bool joins_last() {
    const std::size_t last = layers_.size() - 1;
    if (last == 0 || joint_.layers != last || joint_.built != this->setup_.built ||
        joint_.input != this->setup_.input) {
      return false;
    }
    const bool joins = detail::succeeds<Error>([&] {
      joint_.shape = Network<Scalar>::extend(this->setup_, last, layers_.back(), joint_.shape);
    });
    if (joins) joint_.layers = layers_.size();
    return joins;
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

}  // namespace strata::inline STRATA_RUNTIME
