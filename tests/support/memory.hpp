#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace strata::test {

/// A text as a file in memory.
[[nodiscard]] inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace strata::test
