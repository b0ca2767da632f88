#pragma once

namespace strata {

/// A tag for calls whose weights may be infinite or not a number:
///
///   load({"model.safetensors", allow_non_finite}), model.set_weights(weights, allow_non_finite)
struct AllowNonFinite {
  explicit AllowNonFinite() = default;
};
inline constexpr AllowNonFinite allow_non_finite{};

}  // namespace strata
