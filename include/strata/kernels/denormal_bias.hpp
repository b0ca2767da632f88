#pragma once

#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What packing adds to the biases of recurrent layers. With zero biases and silence a memory would
/// shrink to a denormal number and stay there, which makes a step up to a hundred times slower on
/// many processors. So no bias is quite zero. For its powers in exp see kernels/pack.hpp, in tanh
/// kernels/tanh.hpp.
template <class Scalar>
inline constexpr Scalar denormal_bias = sizeof(Scalar) < 8 ? Scalar(1e-11) : Scalar(1e-100);

}  // namespace strata::detail::inline STRATA_TARGET
