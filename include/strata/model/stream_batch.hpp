#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/kernels/tile.hpp>
#include <strata/model/precision_chain.hpp>
#include <strata/model/state.hpp>
#include <strata/model/stream.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/model/stream_ids.hpp>
#include <strata/model/stream_rows.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Many streams over one model that are advanced together: each layer computes the next step of all
/// streams in one pass, which takes a fraction of the time of one Stream after the other.
///
///   StreamBatch streams{model};
///   const StreamId id = streams.join();
///   std::ranges::copy(features, streams.input(id).begin());
///   streams.step();
///   use(streams.output(id));
///   streams.leave(id);
///
/// Streams join and leave at any time; the ids of the other streams stay what they are. The outputs
/// of a stream are those of a Stream with the same inputs, up to rounding, and their bits do not
/// depend on which other streams there are.
///
/// As with Stream, later changes of the model reach the StreamBatch only by update or swap_weights,
/// copies share the packed weights and go on from the same states, and one StreamBatch belongs to
/// one thread at a time. The spans that input, output and ids return are valid until a stream joins
/// or leaves or memory is reserved.
template <class Model>
class StreamBatch {
  using Layers =
      detail::StreamLayers<std::remove_cvref_t<decltype(std::declval<const Model&>().layers())>>;

 public:
  using Scalar = typename Model::scalar_type;
  using Id = StreamId;
  using In = detail::FixedSpan<Scalar, Layers::inputs>;
  using Out = detail::FixedSpan<const Scalar, Layers::outputs>;

  /// The model may be a temporary. `precision` is full or int16, see Stream; the 16-bit floats of
  /// half would gain nothing, since many streams wait for multiplications and not for weights.
  /// Throws StateError before the model is built, and ValueError for half, when no layer can run in
  /// int16, and, naming the layer, when a layer needs the whole sequence, or cannot leave out steps
  /// behind a layer that makes a mask.
  explicit StreamBatch(const Model& model, Precision precision = Precision::full)
      : asked_(precision) {
    detail::require_streams<Layers>();
    if (precision == Precision::half) {
      detail::raise<ValueError>("StreamBatch: expected the precision full or int16, found half");
    }
    const auto network = model.network();
    sizes_ = detail::stream_sizes<Scalar>(name, network);
    pack(model);
    detail::check_precision(name, asked_, layers_->precisions());
    zeros_ = network.zero_state(1);
  }

  /// F and U of one stream.
  [[nodiscard]] Index inputs() const noexcept { return sizes_.inputs; }
  [[nodiscard]] Index outputs() const noexcept { return sizes_.outputs; }

  /// In which precision each layer runs.
  [[nodiscard]] std::vector<Precision> precision() const { return layers_->precisions(); }

  /// N, the number of streams.
  [[nodiscard]] Index size() const noexcept { return ids_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool contains(Id id) const noexcept { return ids_.contains(id); }
  /// The ids of all streams in the order of their rows. A stream that joins gets the row after the
  /// last; where a stream leaves, the stream of the last row moves into its row.
  [[nodiscard]] std::span<const Id> ids() const noexcept { return ids_.in_rows(); }

  /// Makes room for `streams` streams: until there are more, join and step ask for no memory, but
  /// for what a layer may ask for its own work. Throws ValueError below 0, and ValueError,
  /// ShapeError or MemoryError when memory cannot hold them.
  void reserve(Index streams) {
    if (streams != 0) detail::sizes::check("StreamBatch", "the number of streams", streams);
    ids_.reserve(streams);
    if (streams > capacity_) grow(streams);
  }

  /// Adds a stream with the state before the first step, zeros, and returns its id. Throws
  /// ShapeError or MemoryError when there is no memory for it.
  [[nodiscard]] Id join() {
    if (size() == capacity_) grow(2 * capacity_);
    const Id id = ids_.add();
    rows_.clear(size() - 1);
    return id;
  }
  /// Adds a stream that goes on from a state of one sequence. Throws what join() and set_state
  /// throw.
  [[nodiscard]] Id join(const State<Scalar>& state) {
    detail::check_stream_state(name, state, zeros_);
    const Id id = join();
    rows_.states.set_part(size() - 1, state);
    return id;
  }

  /// Ends a stream, whose id names no stream from now on. Like all functions below that take an id,
  /// it throws ValueError when the id names no stream.
  void leave(Id id) {
    const Index row = ids_.row("leave", id);
    if (row != size() - 1) rows_.copy(rows_, size() - 1, row);
    ids_.remove(id);
  }

  /// The F inputs of the next step, for the caller to write. They are zeros at first and keep the
  /// inputs of the last step until they are written.
  [[nodiscard]] In input(Id id) {
    const Index row = ids_.row("input", id);
    return In(rows_.inputs.data() + row * inputs(), static_cast<std::size_t>(inputs()));
  }
  /// The U outputs of the last step; zeros before the first.
  [[nodiscard]] Out output(Id id) const {
    const Index row = ids_.row("output", id);
    return Out(rows_.outputs.data() + row * outputs(), static_cast<std::size_t>(outputs()));
  }

  /// One step of all streams.
  void step() { step_rows(rows_, size()); }

  /// One step of the named streams, for instance of the streams that have new inputs; the others
  /// keep state and outputs. Throws ValueError when an id names no stream or is there twice; no
  /// stream has changed then.
  void step(std::span<const Id> ids) {
    ++mark_;
    for (const Id id : ids) {
      std::uint64_t& mark = marks_[static_cast<std::size_t>(ids_.row("step", id))];
      if (mark == mark_) {
        detail::fail<ValueError>(
            {name, ": step: the stream with the serial number ", id.serial, " is named twice"});
      }
      mark = mark_;
    }
    if (some_.states.batch < capacity_) some_.resize(capacity_, sizes_, zeros_);
    Index count = 0;
    for (const Id id : ids) some_.copy(rows_, ids_.row("step", id), count++);
    step_rows(some_, count);
    count = 0;
    for (const Id id : ids) rows_.copy(some_, count++, ids_.row("step", id));
  }

  /// One step of all streams, with rows in the order of ids(): reads x, (N, F) in C order, such as
  /// the values() of a tensor, and writes y, (N, U). Throws ShapeError when a size does not fit.
  void step(std::span<const Scalar> x, std::span<Scalar> y) {
    detail::check_stream_size(name, "step: x", static_cast<Index>(x.size()), size() * inputs());
    detail::check_stream_size(name, "step: y", static_cast<Index>(y.size()), size() * outputs());
    std::copy(x.begin(), x.end(), rows_.inputs.begin());
    step();
    std::copy_n(rows_.outputs.begin(), y.size(), y.begin());
  }

  /// The state of one stream after its last step; Stream::set_state takes it, too.
  [[nodiscard]] State<Scalar> state(Id id) const {
    return rows_.states.part(ids_.row("state", id), 1);
  }
  /// Lets a stream go on from a state of one sequence. Throws ShapeError when its sizes are not
  /// those of this model; no stream has changed then.
  void set_state(Id id, const State<Scalar>& state) {
    const Index row = ids_.row("set_state", id);
    detail::check_stream_state(name, state, zeros_);
    rows_.states.set_part(row, state);
  }

  /// Takes the weights that a model has now; all streams go on from their states. The model has the
  /// layers and sizes of the one that the StreamBatch was made of; throws ShapeError on other
  /// sizes, with nothing changed. It asks for memory for the weights and packs them; see
  /// swap_weights.
  void update(const Model& model) {
    detail::check_stream_weights(name, "update", model.layers(), sizes_);
    pack(model);
  }

  /// Exchanges the weights with another StreamBatch, over a model with the same layers and sizes;
  /// the streams of both keep their states. Like Stream::swap_weights it takes a few instructions
  /// and asks for no memory. Throws ShapeError where the sizes differ.
  void swap_weights(StreamBatch& other) {
    detail::check_stream_weights(name, "swap_weights", other.sizes_, sizes_);
    layers_.swap(other.layers_);
    std::swap(asked_, other.asked_);
  }

  /// Sets the state of one stream, or of all, to zeros, as before the first step.
  void reset(Id id) { rows_.states.reset(ids_.row("reset", id), 1); }
  void reset() noexcept { rows_.states.reset(); }

 private:
  static constexpr const char* name = "StreamBatch";
  /// The rows that go through all layers before the next rows begin: few enough that the numbers
  /// between two layers stay in the cache.
  static constexpr Index block = 32 * detail::tile_columns;

  /// `streams` rounded up to whole groups of rows, each as large as a tile of the kernels;
  /// step_rows fills the last group with rows of zeros. In full tiles the sums of a row always have
  /// the same order, so its bits do not depend on the number of streams.
  [[nodiscard]] static Index whole_groups(Index streams) noexcept {
    constexpr Index group = detail::tile_columns;
    return (streams + group - 1) / group * group;
  }

  void pack(const Model& model) {
    layers_ =
        std::make_shared<const detail::BatchedLayers<Scalar>>(model.layers(), sizes_.masks, asked_);
  }

  void grow(Index streams) {
    const Index capacity = whole_groups(std::max<Index>(streams, 1));
    rows_.resize(capacity, sizes_, zeros_);
    marks_.resize(static_cast<std::size_t>(capacity));
    for (auto& values : values_) values.resize({(std::min)(block, capacity), sizes_.widest});
    capacity_ = capacity;
  }

  void step_rows(detail::StreamRows<Scalar>& rows, Index count) {
    const Index whole = whole_groups(count);
    if (whole == 0) return;
    for (Index row = count; row < whole; ++row) rows.clear(row);
    for (Index first = 0; first < whole; first += block) {
      layers_->step(rows, first, (std::min)(block, whole - first), sizes_.input, values_);
    }
  }

  Precision asked_;
  std::shared_ptr<const detail::BatchedLayers<Scalar>> layers_;
  detail::StreamSizes sizes_;
  State<Scalar> zeros_;
  detail::StreamIds ids_;
  Index capacity_ = 0;
  detail::StreamRows<Scalar> rows_;
  /// For a step of some streams: their rows side by side.
  detail::StreamRows<Scalar> some_;
  /// For each row, the mark_ of the last step of some streams that named it: finds ids named twice.
  std::vector<std::uint64_t> marks_;
  std::uint64_t mark_ = 0;
  std::array<Tensor<Scalar>, 2> values_;
};

}  // namespace strata::inline STRATA_RUNTIME
