#pragma once

#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/detail/owned.hpp>
#include <strata/model/any_layer.hpp>
#include <strata/model/joints.hpp>
#include <strata/model/network.hpp>
#include <strata/model/summary.hpp>

namespace strata {

// Training is declared here and defined in strata/train/fit.hpp, so that a program that only
// predicts need not read it.
template <class Model>
class Training;
template <class Scalar>
class Optimizer;
template <class Scalar>
class Loss;
template <class Scalar>
class Metric;
template <class Scalar>
struct FitOptions;
struct Evaluation;
class History;

struct PredictOptions {
  Index batch_size = 32;
};

namespace detail {

/// What a user calls on a model, whether its layers were chosen at compile time or at run time.
/// B, T, F are the sizes of x; y has the shape of the output, or one class number in place of its
/// features for sparse losses.
template <class Layers>
class SequentialBase : public Network<Layers> {
 public:
  using Scalar = typename Network<Layers>::Scalar;
  using Network<Layers>::Network;

  /// The outputs for all samples of x: (B, U), or (B, T, U) where the last layer returns sequences.
  /// Throws StateError before the model is built, ShapeError and ValueError on data that does not
  /// fit.
  [[nodiscard]] Tensor<Scalar> predict(const Tensor<Scalar>& x,
                                       const PredictOptions& options = {}) const {
    if (options.batch_size < 1) throw ValueError("predict: batch_size must be at least 1");
    this->check_data(x);
    typename Network<Layers>::Packed packed;
    this->pack(packed, false);
    if (x.batch() <= options.batch_size) return this->forward(packed, x);
    Tensor<Scalar> all(this->output_shape(x.shape()));
    const Index sample = all.size() / all.batch();
    for (Index first = 0; first < x.batch(); first += options.batch_size) {
      const Index count = std::min(options.batch_size, x.batch() - first);
      const Tensor<Scalar> part = this->forward(packed, x.rows(first, count));
      std::copy_n(std::as_const(part).data(), part.size(), all.data() + first * sample);
    }
    return all;
  }

  /// Layers, output shapes and numbers of parameters, as Keras prints them.
  [[nodiscard]] std::string summary() const { return detail::summary(*this); }

  /// Says how the model is to be trained. Optimizer state starts anew.
  void compile(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
               std::vector<Metric<Scalar>> metrics = {});

  /// Trains. Throws StateError before compile, ShapeError and ValueError on data that does not fit,
  /// ValueError when the loss is no longer finite; the last good weights are kept then.
  History fit(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const FitOptions<Scalar>& options = {});

  /// Loss and metrics over all samples.
  [[nodiscard]] Evaluation evaluate(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                    const PredictOptions& options = {}) const;

  /// One update from one batch; loss and metrics before it.
  Evaluation train_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y);
  /// Loss and metrics of one batch.
  [[nodiscard]] Evaluation test_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y) const;

 private:
  Owned<Training<Network<Layers>>> training_;
};

}  // namespace detail

/// A stack of layers that is chosen while writing: the whole stack is one type, and layers that do
/// not join do not compile. Sizes are fixed by the layers' types or taken from Input or the data.
///
///   Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};
///
/// Where all sizes are fixed the model is a plain object without heap memory, and has its weights
/// from the start. `Sequential<>` and `Sequential<double>` are the stacks chosen at run time.
template <class... Layers>
class Sequential : public detail::SequentialBase<std::tuple<Layers...>> {
  static_assert((Layer<Layers> && ...),
                "strata: a Sequential is made of layers; see the Layer concept in "
                "strata/layers/layer.hpp");
  static_assert(detail::joints_fit<Layers...>());

 public:
  explicit Sequential(Layers... layers)
      : detail::SequentialBase<std::tuple<Layers...>>(std::tuple<Layers...>(std::move(layers)...)) {
    const Index features = std::get<0>(this->layers_).inputs();
    if (features == Dynamic) return;
    using First = std::tuple_element_t<0, std::tuple<Layers...>>;
    this->build(First::accepts == Accepts::sequences ? Input(Dynamic, features) : Input(features));
  }

  explicit Sequential(const Input& input, Layers... layers)
      : detail::SequentialBase<std::tuple<Layers...>>(std::tuple<Layers...>(std::move(layers)...)) {
    this->build(input);
  }

  Sequential() requires(std::default_initializable<Layers>&&...) : Sequential(Layers()...) {}

  template <std::size_t I>
  [[nodiscard]] auto& layer() noexcept {
    return std::get<I>(this->layers_);
  }
  template <std::size_t I>
  [[nodiscard]] const auto& layer() const noexcept {
    return std::get<I>(this->layers_);
  }
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
template <std::floating_point Scalar>
class Sequential<Scalar> : public detail::SequentialBase<std::vector<AnyLayer<Scalar>>> {
 public:
  Sequential() = default;

  /// The shape of the data, before the first layer. Throws StateError later.
  void add(const Input& input) {
    if (!this->layers_.empty() || this->input_) {
      throw StateError("add: Input comes first, and once");
    }
    this->input_ = input;
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

  /// Throws ValueError when there is no such layer.
  [[nodiscard]] AnyLayer<Scalar>& layer(std::size_t i) {
    check_index(i);
    return this->layers_[i];
  }
  [[nodiscard]] const AnyLayer<Scalar>& layer(std::size_t i) const {
    check_index(i);
    return this->layers_[i];
  }

 private:
  void append(AnyLayer<Scalar> layer) {
    Sequential longer = *this;
    longer.layers_.push_back(std::move(layer));
    if (!longer.input_ && longer.size() == 1 && longer.layers_[0].inputs() != Dynamic) {
      const Index features = longer.layers_[0].inputs();
      longer.input_ = detail::accepts(longer.layers_[0]) == Accepts::sequences
                          ? Input(Dynamic, features)
                          : Input(features);
    }
    if (longer.input_) {
      longer.build(*longer.input_);
    } else {
      (void)longer.output_shape({Dynamic, Dynamic, Dynamic});
    }
    *this = std::move(longer);
  }

  void check_index(std::size_t i) const {
    if (i >= this->size()) {
      throw ValueError("layer " + std::to_string(i) + " of a model of " +
                       std::to_string(this->size()) + " layers");
    }
  }
};

template <>
class Sequential<> : public Sequential<float> {
 public:
  using Sequential<float>::Sequential;
};

}  // namespace strata
