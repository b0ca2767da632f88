#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/model/joints.hpp>
#include <strata/model/network.hpp>
#include <strata/model/non_finite.hpp>
#include <strata/model/options.hpp>
#include <strata/model/shards.hpp>
#include <strata/model/summary.hpp>
#include <strata/support/owned.hpp>
#include <strata/support/thread_pool.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

// Training is declared here and defined in strata/train/fit.hpp, so that a program that only
// predicts need not read it.
template <class Scalar>
class TrainableNetwork;
template <class Scalar>
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
struct WeightRules;
class History;

namespace detail {

/// Throws when data, mask or state do not fit the model. An empty state becomes zeros.
template <class Scalar>
void check_sequences(const Network<Scalar>& network, const Tensor<Scalar>& x, const Mask& mask,
                     State<Scalar>* state) {
  network.check_data(x);
  network.check_mask(mask, x);
  if (state) network.check_state(*state, x.batch());
}

/// Calls f(x, context, first) for x of all samples, batch by batch.
template <class Scalar, class F>
void for_each_batch(const Tensor<Scalar>& x, const PredictOptions<Scalar>& options, F f) {
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    const Index count = std::min(options.batch_size, x.batch() - first);
    const Mask mask = options.mask.empty() ? Mask() : options.mask.rows(first, count);
    f(x.rows(first, count), SequenceContext<Scalar>{&mask, options.state, first}, first);
  }
}

/// The outputs for all samples, batch by batch.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const Network<Scalar>& network, const Tensor<Scalar>& x,
                                     const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) throw ValueError("predict: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
  typename Network<Scalar>::Packed packed;
  network.pack(packed, false);
  std::vector<Shard> shards;
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    for (const Shard& shard : shards_of(std::min(options.batch_size, x.batch() - first))) {
      shards.push_back({first + shard.first, shard.count});
    }
  }
  return forward(network, packed, x, shards, {&options.mask, options.state});
}

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

/// What a user calls on a model, whether its layers were chosen at compile time or at run time.
/// B, T, F are the sizes of x; y has the shape of the output, or one class number in place of its
/// features for sparse losses.
///
/// `Model` holds the layers and lists them by layer_refs<LayerRef<S>>() or <TrainableRef<S>>().
///
/// This header is longer than others, because both containers and all calls on them are one
/// concept to its users.
template <class Model, class S>
class SequentialBase {
 public:
  using scalar_type = S;
  using Scalar = S;

  /// The layers as the algorithms see them. It must not outlive the model.
  [[nodiscard]] Network<Scalar> network() & {
    return {static_cast<Model&>(*this).template layer_refs<LayerRef<Scalar>>(), setup_};
  }
  [[nodiscard]] const Network<Scalar> network() const& {
    // Refers to mutable layers, of which a const network changes none.
    return const_cast<SequentialBase&>(*this).network();
  }

  /// The same, for training.
  [[nodiscard]] TrainableNetwork<Scalar> trainable_network() &;

  /// Number of layers.
  [[nodiscard]] std::size_t size() const { return network().size(); }
  /// Whether all sizes are known and the weights are there.
  [[nodiscard]] bool is_built() const noexcept { return setup_.built; }
  /// The shape that Input or the first data gave; nothing before.
  [[nodiscard]] std::optional<Input> input() const noexcept { return setup_.input; }

  /// Gives every layer its sizes and draws the weights of those that have none yet: whose weights
  /// are all zero. Throws ShapeError when the layers do not join or are larger than memory can be,
  /// MemoryError when there is no memory for them, and changes nothing then.
  void build(const Input& input) { network().build(input); }

  /// Draws all weights anew. The same seed gives the same weights; without a call it is 0. Before
  /// the sizes are known, the seed is remembered.
  void initialize(std::uint64_t seed) { network().initialize(seed); }

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the model is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() & { return network().parameters(); }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const& {
    return network().parameters();
  }
  [[nodiscard]] Index parameter_count() const { return network().parameter_count(); }

  /// The numbers of all parameters, in the order of parameters().
  [[nodiscard]] std::vector<Scalar> weights() const { return network().weights(); }
  /// Throws ShapeError unless there are parameter_count() numbers, ValueError, naming parameter and
  /// place, when one is infinite or not a number. The model is unchanged then.
  void set_weights(std::span<const Scalar> all) {
    network().check_weights(all);
    set_weights(all, allow_non_finite);
  }
  /// The same for numbers of any kind.
  void set_weights(std::span<const Scalar> all, AllowNonFinite) { network().set_weights(all); }

  /// The shape of the output for input of a shape, in which sizes may be Dynamic.
  /// Throws ShapeError, naming the layer, when they do not fit.
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    return network().output_shape(shape);
  }

  /// Lets fit, predict and their relatives use so many threads, the caller's among them; 1 without
  /// a call. Batches of 24 sequences or more are then computed in parts at the same time, which
  /// pays where they take more than some ten microseconds. The results are the same bits for any
  /// number.
  ///
  /// The threads start when there is first work for them, sleep between calls, and end with the
  /// model or with another number. Several threads may still predict with one model at the same
  /// time: then they share them. Copies have threads of their own. Throws ValueError below 1.
  void set_threads(int threads) {
    if (threads < 1) {
      fail<ValueError>({"set_threads: needs at least 1 thread, found ", threads});
    }
    if (threads == this->threads()) return;
    setup_.threads = make_threads(threads);
  }
  /// The number of threads that fit, predict and their relatives use.
  [[nodiscard]] int threads() const noexcept { return setup_.threads.count(); }

  /// The outputs for all samples of x: (B, U), or (B, T, U) where the last layer returns sequences.
  /// Throws StateError before the model is built, ShapeError and ValueError on data that does not
  /// fit.
  [[nodiscard]] Tensor<Scalar> predict(const Tensor<Scalar>& x,
                                       const PredictOptions<Scalar>& options = {}) const {
    return detail::predict(network(), x, options);
  }

  /// The state of B sequences before the first step: zeros. Throws ValueError below 1, and where no
  /// memory can hold it ValueError, ShapeError or MemoryError.
  [[nodiscard]] State<Scalar> zero_state(Index batch = 1) const {
    return network().zero_state(batch);
  }

  /// Layers, output shapes and numbers of parameters, as Keras prints them.
  [[nodiscard]] std::string summary() const { return detail::summary(network()); }

  /// Says how the model is to be trained. Optimizer state starts anew.
  void compile(Optimizer<Scalar> optimizer, Loss<Scalar> loss, std::vector<Metric<Scalar>> metrics,
               const WeightRules& rules);
  void compile(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
               std::vector<Metric<Scalar>> metrics = {});

  /// Trains. Throws StateError before compile, ShapeError and ValueError on data that does not fit,
  /// ValueError on options out of range and on callbacks that cannot do what they are to, before
  /// anything changes, and ValueError when the loss is no longer finite; the last good weights are
  /// kept then.
  History fit(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const FitOptions<Scalar>& options = {});

  /// Loss and metrics over all samples.
  [[nodiscard]] Evaluation evaluate(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                    const PredictOptions<Scalar>& options = {}) const;

  /// One update from one batch; loss and metrics before it.
  Evaluation train_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                            const BatchOptions<Scalar>& options = {});
  /// Loss and metrics of one batch.
  Evaluation test_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                           const BatchOptions<Scalar>& options = {}) const;

  // The model is a temporary, whose weights these point to: give it a name first.
  void network() const&& = delete;
  void parameters() const&& = delete;

 protected:
  NetworkSetup setup_;

 private:
  Owned<Training<Scalar>> training_;
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
