#pragma once

/// Attributes that C++ has no word for, as GCC and Clang spell them.

/// Stands before a function: each call is replaced by the function's code, at every level of
/// optimisation.
#define STRATA_ALWAYS_INLINE __attribute__((always_inline)) inline

/// Stands after the parameters of a lambda: each call of the lambda is replaced by its code.
#define STRATA_INLINE_LAMBDA __attribute__((always_inline))

/// Stands before a loop whose number of rounds is a constant of at most 16: all rounds are written
/// out, so that arrays of registers which the loop indexes stay in registers. Takes less time to
/// compile than a lambda for each round.
#if defined(__clang__)
#define STRATA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define STRATA_UNROLL _Pragma("GCC unroll 16")
#endif
