#pragma once

// Kernels and packed weights depend on the instruction set for which a file is compiled. All that
// may touch them lives in an inline namespace of that set's name, so that objects compiled with
// different flags can be linked together: each keeps its own. Plain data (errors, shapes, tensors,
// masks, states) is the same for all of them. User code never writes the name; where objects differ
// in flags that are not looked at here, -DSTRATA_TARGET=<name> tells them apart
// (docs/instruction_sets.md).

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
#else
#define STRATA_TARGET scalar
#endif
