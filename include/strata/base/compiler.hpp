#pragma once

/// What the language has no word for, as GCC and Clang spell it.

/// Before a function: each call becomes the function's code, at every level of optimisation.
#define STRATA_ALWAYS_INLINE __attribute__((always_inline)) inline

/// After the parameters of a lambda: the same.
#define STRATA_INLINE_LAMBDA __attribute__((always_inline))
