#pragma once

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/model/stream_ids.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

STRATA_INLINE void StreamIds::reserve(Index count) {
  sizes::reserve(rows_, count);
  sizes::reserve(slots_, count);
  sizes::reserve(free_, count);
}

STRATA_INLINE StreamId StreamIds::add() {
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

STRATA_INLINE void StreamIds::remove(StreamId id) noexcept {
  Slot& slot = slots_[id.slot];
  const StreamId last = rows_.back();
  slots_[last.slot].row = slot.row;
  rows_[static_cast<std::size_t>(slot.row)] = last;
  rows_.pop_back();
  slot.serial = 0;
  free_.push_back(id.slot);
}

STRATA_INLINE bool StreamIds::contains(StreamId id) const noexcept {
  return id.serial != 0 && id.slot < slots_.size() && slots_[id.slot].serial == id.serial;
}

STRATA_INLINE Index StreamIds::row(const char* function, StreamId id) const {
  if (contains(id)) return slots_[id.slot].row;
  if (id == StreamId())
    fail<ValueError>({"StreamBatch: ", function, ": this id names no stream; join gives one"});
  fail<ValueError>({"StreamBatch: ", function, ": the stream with the serial number ", id.serial,
                    " is not there; it has left, or its id is that of another StreamBatch"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
