#pragma once

#include <cstddef>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#include <malloc.h>
#endif

// What C++ has no word for, as GCC and Clang spell it and as Visual C++ does.

#if defined(__GNUC__)

/// Stands before a function: each call is replaced by the function's code, at every level of
/// optimisation.
#define STRATA_ALWAYS_INLINE __attribute__((always_inline)) inline

/// Stands after the parameters of a lambda: each call of the lambda is replaced by its code.
#define STRATA_INLINE_LAMBDA __attribute__((always_inline))

/// Stands before a function whose code is never put in place of a call.
#define STRATA_NEVER_INLINE [[gnu::noinline]]

/// The same for a function that is seldom called, such as one that fails.
#define STRATA_COLD [[gnu::noinline, gnu::cold]]

/// Stands before a function: each call in it is replaced by the code of the called function.
#define STRATA_FLATTEN [[gnu::flatten]]

/// Stands before the name of a class that is thrown: a shared library that shows nothing else shows
/// the type, so that code outside the library can catch it.
#if defined(_WIN32)
#define STRATA_SHOWN_TYPE
#else
#define STRATA_SHOWN_TYPE __attribute__((visibility("default")))
#endif

/// Memory for `bytes` bytes until the function returns that asks for it.
#define STRATA_STACK_BYTES(bytes) __builtin_alloca(bytes)

#elif defined(_MSC_VER)

#define STRATA_ALWAYS_INLINE __forceinline
#define STRATA_INLINE_LAMBDA
#define STRATA_NEVER_INLINE __declspec(noinline)
#define STRATA_COLD __declspec(noinline)
#define STRATA_FLATTEN
#define STRATA_SHOWN_TYPE
#define STRATA_STACK_BYTES(bytes) _alloca(bytes)

#else
#error \
    "strata is written for GCC, Clang and Visual C++; language/compiler.hpp needs the words of this one"
#endif

/// STRATA_UNROLL stands before a loop whose number of rounds is a constant of at most 16: all
/// rounds are written out, so that arrays of registers which the loop indexes stay in registers.
/// Takes less time to compile than a lambda for each round. STRATA_KEEP_LOOP stands before a loop
/// that Clang would unroll too far; the other compilers do not.
#if defined(__clang__)
#define STRATA_UNROLL _Pragma("clang loop unroll(full)")
#define STRATA_KEEP_LOOP _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__)
#define STRATA_UNROLL _Pragma("GCC unroll 16")
#define STRATA_KEEP_LOOP
#else
#define STRATA_UNROLL
#define STRATA_KEEP_LOOP
#endif

/// Room for `count` numbers of a type on the stack, until the function returns that asks for it. A
/// step of a stream uses it for numbers in between: the packed weights, which say how many there
/// are, are shared by streams of several threads.
#define STRATA_STACK_ARRAY(Type, count) \
  static_cast<Type*>(STRATA_STACK_BYTES(static_cast<std::size_t>(count) * sizeof(Type)))

namespace strata::detail {

enum class CacheLevel { first, second };

/// Asks for the line of memory at an address, which need not be the program's, to come to a cache.
template <CacheLevel Level>
STRATA_ALWAYS_INLINE void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 0, Level == CacheLevel::first ? 3 : 2);
#elif defined(_M_X64) || defined(_M_IX86)
  _mm_prefetch(static_cast<const char*>(address),
               Level == CacheLevel::first ? _MM_HINT_T0 : _MM_HINT_T1);
#elif defined(_M_ARM64)
  __prefetch(address);
#endif
}

}  // namespace strata::detail
