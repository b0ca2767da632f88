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
#include <strata/model/state.hpp>
#include <strata/model/stream.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/model/stream_ids.hpp>
#include <strata/model/stream_rows.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Many streams over one model, advanced together: each layer handles the next step of all of them
/// in one pass, which takes a fraction of the time of as many single steps.
///
///   StreamBatch streams{model};
///   const StreamId id = streams.join();
///   std::ranges::copy(features, streams.input(id).begin());
///   streams.step();
///   use(streams.output(id));
///   streams.leave(id);
///
/// Streams join and leave at any time; the ids of the others stay what they are. What a stream
/// gives are the numbers of a Stream fed the same inputs, up to rounding, and the same bits whoever
/// else is there.
///
/// As with Stream, later changes of the model do not reach it, copies share the packed weights and
/// go on from the same states, and one StreamBatch belongs to one thread at a time. The spans that
/// it returns are valid until a stream joins or leaves or memory is reserved.
template <class Model>
class StreamBatch {
  using Layers =
      detail::StreamLayers<std::remove_cvref_t<decltype(std::declval<const Model&>().layers())>>;

 public:
  using Scalar = typename Model::scalar_type;
  using Id = StreamId;
  using In = detail::FixedSpan<Scalar, Layers::inputs>;
  using Out = detail::FixedSpan<const Scalar, Layers::outputs>;

  /// Throws StateError before the model is built, and ValueError, naming the layer, when one of its
  /// layers needs the whole sequence.
  explicit StreamBatch(const Model& model) {
    detail::require_streams<Layers>();
    const auto network = model.network();
    sizes_ = detail::stream_sizes<Scalar>(name, network);
    layers_ = std::make_shared<const detail::BatchedLayers<Scalar>>(model.layers(), sizes_.masks);
    zeros_ = network.zero_state(1);
  }

  /// F and U of one stream.
  [[nodiscard]] Index inputs() const noexcept { return sizes_.inputs; }
  [[nodiscard]] Index outputs() const noexcept { return sizes_.outputs; }

  /// N, the streams that are there.
  [[nodiscard]] Index size() const noexcept { return ids_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool contains(Id id) const noexcept { return ids_.contains(id); }
  /// Their ids, in the order of their rows: that of joining, but where a stream leaves the last one
  /// takes its row.
  [[nodiscard]] std::span<const Id> ids() const noexcept { return ids_.in_rows(); }

  /// Makes room for so many streams: until there are more, neither join nor step asks for memory
  /// here (a layer may, for its own work). Throws ValueError below 0, and where no memory can hold
  /// them ValueError, ShapeError or MemoryError.
  void reserve(Index streams) {
    if (streams != 0) detail::sizes::check("StreamBatch", "the number of streams", streams);
    ids_.reserve(streams);
    if (streams > capacity_) grow(streams);
  }

  /// A new stream, before its first step.
  [[nodiscard]] Id join() {
    if (size() == capacity_) grow(2 * capacity_);
    const Id id = ids_.add();
    rows_.clear(size() - 1);
    return id;
  }
  /// A new stream that goes on from a state. Throws what set_state does.
  [[nodiscard]] Id join(const State<Scalar>& state) {
    detail::check_stream_state(name, state, zeros_);
    const Id id = join();
    rows_.states.set_part(size() - 1, state);
    return id;
  }

  /// Ends a stream. Its id is refused from now on: like all functions that take an id, it throws
  /// ValueError when there is no such stream.
  void leave(Id id) {
    const Index row = ids_.row("leave", id);
    if (row != size() - 1) rows_.copy(rows_, size() - 1, row);
    ids_.remove(id);
  }

  /// The F inputs of the next step, to be written: zeros at first, later those of the last step.
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

  /// One step of some streams, such as those that have new inputs; the others stay where they are.
  /// Throws ValueError when one is not there or is named twice; nothing is changed then.
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

  /// One step of all streams, x of N F inputs to y of N U outputs in the order of ids(), such as
  /// the values() of tensors (N, F) and (N, U). Throws ShapeError when the sizes do not fit.
  void step(std::span<const Scalar> x, std::span<Scalar> y) {
    detail::check_stream_size(name, "step: x", static_cast<Index>(x.size()), size() * inputs());
    detail::check_stream_size(name, "step: y", static_cast<Index>(y.size()), size() * outputs());
    std::copy(x.begin(), x.end(), rows_.inputs.begin());
    step();
    std::copy_n(rows_.outputs.begin(), y.size(), y.begin());
  }

  /// The state of a stream, as Stream has it.
  [[nodiscard]] State<Scalar> state(Id id) const {
    return rows_.states.part(ids_.row("state", id), 1);
  }
  /// Throws ShapeError when the state is that of another model; nothing is changed then.
  void set_state(Id id, const State<Scalar>& state) {
    const Index row = ids_.row("set_state", id);
    detail::check_stream_state(name, state, zeros_);
    rows_.states.set_part(row, state);
  }

  /// Back to the state before the first step: zeros. Of one stream, or of all.
  void reset(Id id) { rows_.states.reset(ids_.row("reset", id), 1); }
  void reset() noexcept { rows_.states.reset(); }

 private:
  static constexpr const char* name = "StreamBatch";
  /// So many rows go through all layers before the next ones: what lies between the layers stays in
  /// the cache.
  static constexpr Index block = 32 * detail::tile_columns;

  /// Rows are stepped in whole groups of as many as the kernels handle at a time, the last filled
  /// up with rows of zeros. A row is then added up in the same order, and gives the same bits,
  /// whoever else is there.
  [[nodiscard]] static Index whole_groups(Index streams) noexcept {
    constexpr Index group = detail::tile_columns;
    return (streams + group - 1) / group * group;
  }

  void grow(Index streams) {
    const Index capacity = whole_groups(std::max<Index>(streams, 1));
    rows_.resize(capacity, sizes_, zeros_);
    marks_.resize(static_cast<std::size_t>(capacity));
    for (auto& values : values_) values.resize({std::min(block, capacity), sizes_.widest});
    capacity_ = capacity;
  }

  void step_rows(detail::StreamRows<Scalar>& rows, Index count) {
    const Index whole = whole_groups(count);
    if (whole == 0) return;
    for (Index row = count; row < whole; ++row) rows.clear(row);
    for (Index first = 0; first < whole; first += block) {
      layers_->step(rows, first, std::min(block, whole - first), sizes_.input, values_);
    }
  }

  std::shared_ptr<const detail::BatchedLayers<Scalar>> layers_;
  detail::StreamSizes sizes_;
  State<Scalar> zeros_;
  detail::StreamIds ids_;
  Index capacity_ = 0;
  detail::StreamRows<Scalar> rows_;
  /// For steps of some streams: their rows side by side, and by which step a row was named last.
  detail::StreamRows<Scalar> some_;
  std::vector<std::uint64_t> marks_;
  std::uint64_t mark_ = 0;
  std::array<Tensor<Scalar>, 2> values_;
};

}  // namespace strata::inline STRATA_TARGET
