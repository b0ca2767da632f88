#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/model/network.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

/// What a stream needs to know of the list of a model's layers while compiling: sizes, Dynamic
/// where they are not known, and whether it can run.
template <class Layers>
struct StreamLayers;

template <class... Layers>
struct StreamLayers<std::tuple<Layers...>> {
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
  static constexpr bool streams = (Layers::traits.streams && ...);
  static constexpr bool may_mask = (Layers::traits.makes_mask || ...);
};

template <class Scalar>
struct StreamLayers<std::vector<AnyLayer<Scalar>>> {
  static constexpr Index inputs = Dynamic;
  static constexpr Index outputs = Dynamic;
  static constexpr bool streams = true;
  static constexpr bool may_mask = true;
};

template <class Scalar, Index Size>
using FixedSpan =
    std::span<Scalar, Size == Dynamic ? std::dynamic_extent : static_cast<std::size_t>(Size)>;

}  // namespace detail

/// A model that runs one time step at a time and remembers where it is.
///
/// The weights are packed when the stream is made; later changes of the model do not reach it, and
/// it does not need the model any more. Copies share the packed weights and go on from the same
/// state. A step neither allocates nor locks, so each thread can have streams of its own over one
/// model; one stream belongs to one thread at a time.
///
/// A step that a layer of the model masks, by Masking or by an Embedding with mask_zero, does not
/// count, as in predict: recurrent layers keep their state and repeat their last output.
template <class Model>
class Stream {
  using List = std::remove_cvref_t<decltype(std::declval<const Model&>().layers())>;
  using Layers = detail::StreamLayers<List>;
  using Packed = typename detail::Parts<List>::Packed;

 public:
  using Scalar = typename Model::scalar_type;
  static constexpr bool is_fixed = Layers::inputs != Dynamic && Layers::outputs != Dynamic;
  using In = detail::FixedSpan<const Scalar, Layers::inputs>;
  using Out = detail::FixedSpan<const Scalar, Layers::outputs>;

  /// The model may be a temporary. Throws StateError before it is built, and ValueError, naming the
  /// layer, when one of its layers needs the whole sequence, or cannot do without the steps that
  /// another masks.
  explicit Stream(const Model& model) {
    detail::require_streams<Layers>();
    const auto network = model.network();
    const auto sizes = detail::stream_sizes<Scalar>("Stream", network);
    const List& layers = model.layers();
    auto packed = std::make_shared<Packed>();
    detail::resize_parts(*packed, detail::part_count(layers));
    detail::for_each_part(
        layers, [&](auto i) { detail::part(layers, i).pack(detail::part(*packed, i), false); });
    packed_ = std::move(packed);
    state_ = network.zero_state(1);
    inputs_ = sizes.inputs;
    outputs_ = sizes.outputs;
    masks_ = sizes.masks;
    for (auto& values : values_) detail::sizes::resize(values, sizes.widest);
  }

  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index outputs() const noexcept { return outputs_; }

  /// One step: x of F features to the outputs, which stay valid until the next step. With sizes
  /// fixed by the model's type it is noexcept; otherwise it throws ShapeError on a wrong size.
  Out step(In x) & noexcept(is_fixed) {
    if constexpr (!is_fixed) check_size("step", static_cast<Index>(x.size()), inputs_);
    return Out(step(x.data()), static_cast<std::size_t>(outputs_));
  }

  /// One step, from the first of inputs() values to the first of outputs() values.
  const Scalar* step(const Scalar* x) & noexcept {
    if constexpr (Layers::may_mask) {
      if (masks_) [[unlikely]]
        return step_masked(x);
    }
    const Packed& packed = *packed_;
    const Scalar* from = x;
    order_ = turned(order_);
    detail::for_each_part(packed, [&](auto i) {
      Scalar* to = values_[i % 2].data();
      detail::part(packed, i).step(from, state_.layers[i].data(), to, order_);
      from = to;
    });
    return from;
  }

  /// One step of a model with one input and one output.
  Scalar operator()(Scalar x) noexcept(is_fixed) {
    if constexpr (is_fixed) {
      static_assert(Layers::inputs == 1 && Layers::outputs == 1,
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

  [[nodiscard]] const State<Scalar>& state() const& noexcept { return state_; }
  [[nodiscard]] State<Scalar> state() && noexcept { return std::move(state_); }

  /// Throws ShapeError when the state is that of another model; nothing is changed then.
  void set_state(const State<Scalar>& state) {
    detail::check_stream_state("Stream", state, state_);
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      std::copy(state.layers[i].begin(), state.layers[i].end(), state_.layers[i].begin());
    }
  }

  /// Back to the state before the first step: zeros.
  void reset() noexcept { state_.reset(); }

 private:
  /// A step of a model of which a layer makes a mask.
  [[gnu::noinline, gnu::cold]] const Scalar* step_masked(const Scalar* x) noexcept {
    const Packed& packed = *packed_;
    const Scalar* from = x;
    bool counts = true;
    order_ = turned(order_);
    detail::for_each_part(packed, [&](auto i) {
      const auto& layer = detail::part(packed, i);
      Scalar* const to = values_[i % 2].data();
      Scalar* const state = state_.layers[i].data();
      if (counts) {
        layer.step(from, state, to, order_);
      } else {
        skip_layer(layer, from, state, to, order_);
      }
      counts = counts_behind(layer, from, counts);
      from = to;
    });
    return from;
  }

  static void check_size(const char* what, Index found, Index expected) {
    detail::check_stream_size("Stream", what, found, expected);
  }

  std::shared_ptr<const Packed> packed_;
  State<Scalar> state_;
  std::array<std::vector<Scalar>, 2> values_;
  Index inputs_ = 0;
  Index outputs_ = 0;
  /// The order in which the last step read the weights.
  WeightOrder order_ = WeightOrder::ascending;
  bool masks_ = false;
};

}  // namespace strata::inline STRATA_TARGET
