#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <strata/error.hpp>
#include <strata/model/layer_list.hpp>

namespace strata {

namespace detail {

/// Sizes of a stream that are known while compiling; Dynamic where they are not.
template <class Layers>
struct StreamSizes {
  static constexpr Index inputs = Dynamic;
  static constexpr Index outputs = Dynamic;
};

template <class... Layers>
struct StreamSizes<std::tuple<Layers...>> {
 private:
  static constexpr Index outputs_of(Index features) {
    ((features = Layers::fixed_outputs != Dynamic || Layers::returns != Returns::same
                     ? Layers::fixed_outputs
                     : features),
     ...);
    return features;
  }

 public:
  static constexpr Index inputs = std::tuple_element_t<0, std::tuple<Layers...>>::fixed_inputs;
  static constexpr Index outputs = outputs_of(inputs);
};

template <class Scalar, Index Size>
using FixedSpan =
    std::span<Scalar, Size == Dynamic ? std::dynamic_extent : static_cast<std::size_t>(Size)>;

}  // namespace detail

/// What a stream remembers between steps: for each layer with a state, that of its cells. An LSTM's
/// is h, then c. Plain numbers, to keep, compare or send.
template <class Scalar>
struct StreamState {
  std::vector<std::vector<Scalar>> layers;

  [[nodiscard]] bool operator==(const StreamState&) const = default;
};

/// A model that runs one time step at a time and remembers where it is.
///
/// The weights are packed when the stream is made; later changes of the model do not reach it, and
/// it does not need the model any more. Copies share the packed weights and go on from the same
/// state. A step neither allocates nor locks, so each thread can have streams of its own over one
/// model; one stream belongs to one thread at a time.
template <class Model>
class Stream {
  using Layers = std::remove_cvref_t<decltype(std::declval<const Model&>().layers())>;
  using Packed = typename Model::Packed;
  using Sizes = detail::StreamSizes<Layers>;

 public:
  using Scalar = typename Model::scalar_type;
  static constexpr bool is_fixed = Sizes::inputs != Dynamic && Sizes::outputs != Dynamic;
  using In = detail::FixedSpan<const Scalar, Sizes::inputs>;
  using Out = detail::FixedSpan<const Scalar, Sizes::outputs>;

  /// Throws StateError before the model is built, and ValueError, naming the layer, when one of its
  /// layers needs the whole sequence.
  explicit Stream(const Model& model) {
    if (!model.is_built()) {
      throw StateError("Stream: the model's sizes are not known yet; build or fit it first");
    }
    auto packed = std::make_shared<Packed>();
    model.pack(*packed, false);
    packed_ = std::move(packed);
    inputs_ = model.input()->features();
    outputs_ = inputs_;
    Index widest = 0;
    detail::for_each(
        [&](std::size_t i, const auto& layer) {
          try {
            layer.check_stream();
          } catch (const ValueError& error) {
            throw ValueError("Stream: layer " + std::to_string(i) + " (" + layer.describe() +
                             "): " + error.what());
          }
          state_.layers.emplace_back(static_cast<std::size_t>(layer.state_size()), Scalar(0));
          outputs_ = layer.output_features(outputs_);
          widest = std::max(widest, outputs_);
        },
        model.layers());
    for (auto& values : values_) values.resize(static_cast<std::size_t>(widest));
  }

  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return outputs_; }

  /// One step: x of F features to the outputs, which stay valid until the next step. With sizes
  /// fixed by the model's type it is noexcept; otherwise it throws ShapeError on a wrong size.
  Out step(In x) noexcept(is_fixed) {
    if constexpr (!is_fixed) check_size("step", static_cast<Index>(x.size()), inputs_);
    return Out(step(x.data()), static_cast<std::size_t>(outputs_));
  }

  /// One step, from the first of inputs() values to the first of outputs() values.
  const Scalar* step(const Scalar* x) noexcept {
    const Scalar* from = x;
    detail::for_each(
        [&](std::size_t i, const auto& layer, auto& state) {
          Scalar* to = values_[i % 2].data();
          layer.step(from, state.data(), to);
          from = to;
        },
        *packed_, state_.layers);
    return from;
  }

  /// One step of a model with one input and one output.
  Scalar operator()(Scalar x) noexcept(is_fixed) {
    if constexpr (is_fixed) {
      static_assert(Sizes::inputs == 1 && Sizes::outputs == 1,
                    "strata: stream(x) is for models with one input and one output; use step");
    } else {
      check_size("stream(x)", 1, inputs_);
      check_size("stream(x)", 1, outputs_);
    }
    return *step(&x);
  }

  /// A block of steps: x of T F values to y of T U values, step after step. Throws ShapeError when
  /// the sizes do not fit each other.
  void process(std::span<const Scalar> x, std::span<Scalar> y) {
    const Index steps = static_cast<Index>(x.size()) / inputs_;
    check_size("process: x", static_cast<Index>(x.size()), steps * inputs_);
    check_size("process: y", static_cast<Index>(y.size()), steps * outputs_);
    for (Index t = 0; t < steps; ++t) {
      std::copy_n(step(x.data() + t * inputs_), outputs_, y.data() + t * outputs_);
    }
  }

  [[nodiscard]] const StreamState<Scalar>& state() const noexcept { return state_; }

  /// Throws ShapeError when the state is that of another model; nothing is changed then.
  void set_state(const StreamState<Scalar>& state) {
    check_size("set_state: the number of layers", static_cast<Index>(state.layers.size()),
               static_cast<Index>(state_.layers.size()));
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      check_size("set_state: layer " + std::to_string(i),
                 static_cast<Index>(state.layers[i].size()),
                 static_cast<Index>(state_.layers[i].size()));
    }
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      std::copy(state.layers[i].begin(), state.layers[i].end(), state_.layers[i].begin());
    }
  }

  /// Back to the state before the first step: zeros.
  void reset() noexcept {
    for (auto& layer : state_.layers) std::fill(layer.begin(), layer.end(), Scalar(0));
  }

 private:
  static void check_size(const std::string& what, Index found, Index expected) {
    if (found != expected) {
      throw ShapeError("Stream: " + what + ": expects " + std::to_string(expected) + ", found " +
                       std::to_string(found));
    }
  }

  std::shared_ptr<const Packed> packed_;
  StreamState<Scalar> state_;
  std::array<std::vector<Scalar>, 2> values_;
  Index inputs_ = 0;
  Index outputs_ = 0;
};

}  // namespace strata
