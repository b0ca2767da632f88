#pragma once

/// Attributes that C++ has no word for, as GCC and Clang spell them.

/// Stands before a function: each call is replaced by the function's code, at every level of
/// optimisation.
#define STRATA_ALWAYS_INLINE __attribute__((always_inline)) inline

/// Stands after the parameters of a lambda: each call of the lambda is replaced by its code.
#define STRATA_INLINE_LAMBDA __attribute__((always_inline))
