#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata {

/// Names one stream of a StreamBatch until that stream leaves. StreamId() names no stream. A serial
/// number, from 1 on, is given to one stream only, so that the id of a stream that has left is
/// never taken for that of another.
struct StreamId {
  std::size_t slot = 0;
  std::uint64_t serial = 0;

  [[nodiscard]] bool operator==(const StreamId&) const = default;
};

}  // namespace strata

namespace strata::detail::inline STRATA_RUNTIME {

/// Which stream is in which row of a batch. The rows are 0 to size() - 1, without gaps: where a
/// stream leaves, the stream of the last row moves into its row. An id says a slot, and the slot
/// the stream's present row. Slots are used again; the serial number tells a stream from the
/// streams that had its slot before.
class StreamIds {
 public:
  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(rows_.size()); }
  /// The ids in the order of the rows.
  [[nodiscard]] std::span<const StreamId> in_rows() const noexcept {
    return {rows_.data(), rows_.size()};
  }

  void reserve(Index count);

  /// The id of a new stream, in the row after the last.
  [[nodiscard]] StreamId add();

  /// Takes out a stream that there is. The stream of the last row has its row afterwards.
  void remove(StreamId id) noexcept;

  [[nodiscard]] bool contains(StreamId id) const noexcept;

  /// The row of a stream. Throws ValueError, naming the function that asks, when the id names no
  /// stream.
  [[nodiscard]] Index row(const char* function, StreamId id) const;

 private:
  struct Slot {
    Index row = 0;
    std::uint64_t serial = 0;
  };

  std::vector<StreamId> rows_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
  std::uint64_t last_serial_ = 0;
};

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/stream_ids_definitions.hpp>
#endif
