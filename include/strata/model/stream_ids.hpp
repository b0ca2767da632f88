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
  [[nodiscard]] std::span<const StreamId> in_rows() const noexcept { return rows_; }

  void reserve(Index count) {
    sizes::reserve(rows_, count);
    sizes::reserve(slots_, count);
    sizes::reserve(free_, count);
  }

  /// The id of a new stream, in the row after the last.
  [[nodiscard]] StreamId add() {
    if (free_.empty()) {
      slots_.emplace_back();
      // Room for all slots, so that remove, which is noexcept, need not ask for memory.
      free_.reserve(slots_.capacity());
      free_.push_back(slots_.size() - 1);
    }
    const StreamId id{free_.back(), last_serial_ + 1};
    rows_.push_back(id);
    free_.pop_back();
    slots_[id.slot] = {size() - 1, id.serial};
    last_serial_ = id.serial;
    return id;
  }

  /// Takes out a stream that there is. The stream of the last row has its row afterwards.
  void remove(StreamId id) noexcept {
    Slot& slot = slots_[id.slot];
    const StreamId last = rows_.back();
    slots_[last.slot].row = slot.row;
    rows_[static_cast<std::size_t>(slot.row)] = last;
    rows_.pop_back();
    slot.serial = 0;
    free_.push_back(id.slot);
  }

  [[nodiscard]] bool contains(StreamId id) const noexcept {
    return id.serial != 0 && id.slot < slots_.size() && slots_[id.slot].serial == id.serial;
  }

  /// The row of a stream. Throws ValueError, naming the function that asks, when the id names no
  /// stream.
  [[nodiscard]] Index row(const char* function, StreamId id) const {
    if (contains(id)) return slots_[id.slot].row;
    if (id == StreamId())
      fail<ValueError>({"StreamBatch: ", function, ": this id names no stream; join gives one"});
    fail<ValueError>({"StreamBatch: ", function, ": the stream with the serial number ", id.serial,
                      " is not there; it has left, or its id is that of another StreamBatch"});
  }

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
