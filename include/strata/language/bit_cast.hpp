#pragma once

namespace strata::detail {

/// std::bit_cast, which libc++ has from release 14 on only: the bits of a number as another type.
template <class To, class From>
[[nodiscard]] constexpr To bit_cast(const From& from) noexcept {
  return __builtin_bit_cast(To, from);
}

}  // namespace strata::detail
