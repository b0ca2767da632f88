#pragma once

// Kernels and packed weights depend on the instruction set for which a file is compiled. All code
// that may touch them lives in an inline namespace with the name of the instruction set, so that
// objects compiled for different sets can be linked into one program and each calls its own code.
// Plain data (errors, shapes, tensors, masks, states) is in no such namespace, since all objects
// share it. User code never writes the namespace's name. Where objects differ in flags that this
// header does not look at, -DSTRATA_TARGET=<name> tells them apart (docs/instruction_sets.md).

#include <Eigen/Core>

#if defined(STRATA_TARGET)
#elif defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VL__) && defined(__AVX512BW__) && \
    defined(__AVX512DQ__)
#define STRATA_TARGET avx512
#elif defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__)
#define STRATA_TARGET avx512f_dq
#elif defined(EIGEN_VECTORIZE_AVX512)
#define STRATA_TARGET avx512f
#elif defined(EIGEN_VECTORIZE_AVX) && defined(EIGEN_VECTORIZE_FMA)
#define STRATA_TARGET avx_fma
#elif defined(EIGEN_VECTORIZE_AVX)
#define STRATA_TARGET avx
#elif defined(EIGEN_VECTORIZE_SSE4_1)
#define STRATA_TARGET sse4
#elif defined(EIGEN_VECTORIZE)
#define STRATA_TARGET baseline
#elif defined(__wasm_simd128__)
#define STRATA_TARGET wasm_simd128
#else
#define STRATA_TARGET scalar
#endif

// The run-time half of strata, which computes nothing itself: containers, training, files. A
// header-only program compiles it for its own instruction set. A program that links
// strata::compiled finds it there, compiled once, whatever the program's own instruction set is.
#if defined(STRATA_COMPILED)
#define STRATA_RUNTIME compiled_half
#else
#define STRATA_RUNTIME STRATA_TARGET
#endif

// Stands before the functions in the headers `*_definitions.hpp`, which a header-only program
// includes and strata::compiled compiles.
#if defined(STRATA_COMPILED)
#define STRATA_INLINE
#else
#define STRATA_INLINE inline
#endif
