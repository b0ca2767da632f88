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
#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/language/compiler.hpp>
#include <strata/model/network.hpp>
#include <strata/model/precision_chain.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// What the type of a model's list of layers says to a stream: F and U, Dynamic where they are
/// chosen at run time, whether all layers can run step by step, and whether one may make a mask.
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
  /// Whether the sizes of all layers are known.
  static constexpr bool fixed =
      inputs != Dynamic &&
      ((Layers::fixed_outputs != Dynamic || Layers::returns == Returns::same) && ...);
};

template <class Scalar>
struct StreamLayers<std::vector<AnyLayer<Scalar>>> {
  static constexpr Index inputs = Dynamic;
  static constexpr Index outputs = Dynamic;
  static constexpr bool streams = true;
  static constexpr bool may_mask = true;
  static constexpr bool fixed = false;
};

template <class Scalar, Index Size>
using FixedSpan =
    std::span<Scalar, Size == Dynamic ? std::dynamic_extent : static_cast<std::size_t>(Size)>;

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Runs a model one time step at a time and keeps its state from step to step.
///
///   Stream stream{model};
///   for (float& sample : block) sample = stream(sample);
///
/// The weights are packed when the stream is made. The stream does not need the model afterwards,
/// and later changes of the model reach it only by update or swap_weights. Copies share the packed
/// weights and go on from the same state. A step neither allocates nor locks, so each thread can
/// have streams of its own over one model; one stream belongs to one thread at a time.
///
/// A step that Masking, or an Embedding with mask_zero, masks does not count, as in predict:
/// recurrent layers keep their state and repeat their last output.
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

  /// The model may be a temporary. Layers that cannot run in `precision` run in the full one; see
  /// precision(). Throws StateError before the model is built, and ValueError, naming the layer,
  /// when a layer needs the whole sequence, or cannot leave out steps behind a layer that makes a
  /// mask; also where no layer can run in `precision`.
  explicit Stream(const Model& model, Precision precision = Precision::full) : asked_(precision) {
    detail::require_streams<Layers>();
    const auto network = model.network();
    sizes_ = detail::stream_sizes<Scalar>(name, network);
    pack(model.layers());
    detail::check_precision(name, asked_, precisions_);
    state_ = network.zero_state(1);
    for (auto& values : values_) detail::sizes::resize(values, sizes_.widest);
  }

  /// F and U of a step.
  [[nodiscard]] Index inputs() const noexcept { return sizes_.inputs; }
  [[nodiscard]] Index outputs() const noexcept { return sizes_.outputs; }

  /// In which precision each layer runs.
  [[nodiscard]] const std::vector<Precision>& precision() const& noexcept { return precisions_; }
  [[nodiscard]] std::vector<Precision> precision() && noexcept { return std::move(precisions_); }

  /// One step: F inputs to U outputs, a view that is valid until the next step. Where the model's
  /// type fixes both sizes, step is noexcept; otherwise it throws ShapeError on a wrong size of x.
  Out step(In x) & noexcept(is_fixed) {
    if constexpr (!is_fixed) check_size("step", static_cast<Index>(x.size()), sizes_.inputs);
    return Out(step(x.data()), static_cast<std::size_t>(sizes_.outputs));
  }

  /// One step without a check: x points to F values, the result to U values, valid until the next
  /// step.
  const Scalar* step(const Scalar* x) & noexcept {
    if constexpr (Layers::may_mask) {
      if (sizes_.masks) [[unlikely]]
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

  /// One step of a model with one input and one output. Where sizes are chosen at run time, throws
  /// ShapeError for another model.
  Scalar operator()(Scalar x) noexcept(is_fixed) {
    if constexpr (is_fixed) {
      static_assert(Layers::inputs == 1 && Layers::outputs == 1,
                    "strata: stream(x) is for models with one input and one output; use step");
    } else {
      check_size("stream(x)", 1, sizes_.inputs);
      check_size("stream(x)", 1, sizes_.outputs);
    }
    return *step(&x);
  }

  /// A block of T steps: reads x, (T, F) in C order, and writes y, (T, U). Throws ShapeError unless
  /// x holds whole steps and y has room for as many. Where the model's type fixes F and U, process
  /// is noexcept, and wrong sizes of x and y end the program with the error's message.
  void process(std::span<const Scalar> x, std::span<Scalar> y) noexcept(is_fixed) {
    const Index steps = static_cast<Index>(x.size()) / sizes_.inputs;
    check_size("process: x", static_cast<Index>(x.size()), steps * sizes_.inputs);
    check_size("process: y", static_cast<Index>(y.size()), steps * sizes_.outputs);
    for (Index t = 0; t < steps; ++t) {
      std::copy_n(step(x.data() + t * sizes_.inputs), sizes_.outputs,
                  y.data() + t * sizes_.outputs);
    }
  }

  /// The state after the last step, of one sequence.
  [[nodiscard]] const State<Scalar>& state() const& noexcept { return state_; }
  [[nodiscard]] State<Scalar> state() && noexcept { return std::move(state_); }

  /// Goes on from a state of one sequence, such as one that state() returned. Throws ShapeError
  /// when its sizes are not those of this model; the stream is unchanged then.
  void set_state(const State<Scalar>& state) {
    detail::check_stream_state(name, state, state_);
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      std::copy(state.layers[i].begin(), state.layers[i].end(), state_.layers[i].begin());
    }
  }

  /// Sets the state to zeros, as before the first step.
  void reset() noexcept { state_.reset(); }

  /// Takes the weights that a model has now, and goes on from the state that the stream has. The
  /// model has the layers and sizes of the one that the stream was made of; throws ShapeError on
  /// other sizes, with the stream unchanged. Asks for no memory, unless a copy of the stream shares
  /// its weights. The time is that of packing all weights; see swap_weights.
  void update(const Model& model) {
    detail::check_stream_weights(name, "update", model.layers(), sizes_);
    pack(model.layers());
  }

  /// Exchanges the weights with another stream, over a model with the same layers and sizes; both
  /// keep their states. It takes a few instructions, whatever the size of the model, and neither
  /// allocates, frees nor locks: another thread makes or updates the other stream, and this one
  /// switches between two steps. Throws ShapeError where the sizes differ; where the model's type
  /// fixes them, swap_weights is noexcept.
  void swap_weights(Stream& other) noexcept(Layers::fixed) {
    detail::check_stream_weights(name, "swap_weights", other.sizes_, sizes_);
    packed_.swap(other.packed_);
    std::swap(sizes_.masks, other.sizes_.masks);
    std::swap(asked_, other.asked_);
    precisions_.swap(other.precisions_);
  }

 private:
  static constexpr const char* name = "Stream";

  /// Packs the weights into memory of this stream alone.
  void pack(const List& layers) {
    if (packed_.use_count() != 1) packed_ = std::make_shared<Packed>();
    detail::resize_parts(*packed_, detail::part_count(layers));
    detail::PrecisionChain chain(asked_, precisions_);
    detail::for_each_part(layers, [&](auto i) {
      const auto& layer = detail::part(layers, i);
      detail::inner(layer).pack(detail::part(*packed_, i), false);
      detail::reduce(layer, detail::part(*packed_, i), chain.asked());
      chain.follow(execution(layer, chain.asked()));
    });
  }

  /// A step of a model that has a layer which makes a mask.
  STRATA_COLD const Scalar* step_masked(const Scalar* x) noexcept {
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
    detail::check_stream_size(name, what, found, expected);
  }

  /// Not changed as long as a copy of the stream has it too.
  std::shared_ptr<Packed> packed_;
  State<Scalar> state_;
  std::array<std::vector<Scalar>, 2> values_;
  detail::StreamSizes sizes_;
  Precision asked_;
  std::vector<Precision> precisions_;
  /// The order in which the last step read the weights.
  WeightOrder order_ = WeightOrder::ascending;
};

}  // namespace strata::inline STRATA_RUNTIME
