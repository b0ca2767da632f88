#pragma once

#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>

// Sizes that come from users are checked here, and the memory for them is asked for here.

namespace strata::sizes {

/// The largest size of a layer or a sequence. No machine has memory for a row of this size, and
/// small multiples of it, such as the number of gates of all units, do not overflow.
inline constexpr Index largest = (std::numeric_limits<Index>::max)() / 128;

/// The largest number of elements of an array, so that the bytes of an array of doubles can be
/// counted.
inline constexpr Index most_elements = (std::numeric_limits<Index>::max)() / 16;

/// Throws ValueError, naming the size and its owner, unless it is from 1 to `largest`.
void check(const messages::Piece& owner, const char* name, Index size);

/// The number of elements of an array of the given shape. Throws ShapeError when it is above
/// most_elements. A size of 0 is taken for 1 in this check, so that products of the other sizes do
/// not overflow either.
[[nodiscard]] Index count(const Shape& shape);

/// The shape, which a tensor can have. Throws ShapeError when its rank is not 2 or 3, a size is
/// negative or there are more elements than memory has addresses.
[[nodiscard]] const Shape& of_tensor(const Shape& shape);

/// Throws ShapeError unless a tensor of the given shape has `count` elements.
void check_count(const Shape& shape, Index count);

/// Throws E unless `part` elements from element `first` on lie within `size` elements. `what` and
/// `whole` name elements and whole in the message, such as "samples" and "a tensor".
template <class E>
void check_range(const char* what, Index first, Index part, const char* whole, Index size) {
  if (first >= 0 && part >= 0 && first <= size && part <= size - first) return;
  Index last = 0;
  if (detail::add_overflows(first, part, last)) last = (std::numeric_limits<Index>::max)();
  messages::fail<E>({what, " ", first, " to ", last, " of ", whole, " of ", size, " ", what});
}

/// Throws MemoryError, which names the size of an array that has no memory.
[[noreturn]] void fail_memory(Index count, std::size_t bytes);

/// Returns ask(), which asks for memory for `count` elements of `bytes` bytes each. Throws
/// MemoryError where the allocator refuses.
template <class F>
decltype(auto) allocate(Index count, std::size_t bytes, F ask) {
  const auto refuse = [&](const std::exception&) { fail_memory(count, bytes); };
  return detail::on_error<std::bad_alloc>(
      [&]() -> decltype(auto) { return detail::on_error<std::length_error>(ask, refuse); }, refuse);
}

// The functions of std::vector that ask for memory. They throw MemoryError and leave the vector as
// it is.

template <class T>
void reserve(std::vector<T>& vector, Index count) {
  const auto size = static_cast<std::size_t>(count);
  if (size > vector.capacity()) allocate(count, sizeof(T), [&] { vector.reserve(size); });
}
template <class T>
void resize(std::vector<T>& vector, Index count) {
  allocate(count, sizeof(T), [&] { vector.resize(static_cast<std::size_t>(count)); });
}
template <class T>
void assign(std::vector<T>& vector, Index count, T value) {
  allocate(count, sizeof(T), [&] { vector.assign(static_cast<std::size_t>(count), value); });
}

}  // namespace strata::sizes

namespace strata::detail {

namespace sizes = strata::sizes;

}  // namespace strata::detail

#ifndef STRATA_COMPILED
#include <strata/base/sizes_definitions.hpp>
#endif
