#pragma once

#include <strata/strata.hpp>

// The kernels of the layers that many tests use are compiled once, in tests/instances_*.cpp, and
// not in every file. All files of the test program include this one first.

#define STRATA_TEST_INSTANCE_OF(KEYWORD, ...) \
  KEYWORD template struct strata::detail::LayerFunctions<strata::__VA_ARGS__>;
#define STRATA_TEST_INSTANCES_OF(KEYWORD, LAYER, SCALAR) \
  STRATA_TEST_INSTANCE_OF(KEYWORD, LAYER<SCALAR, false>) \
  STRATA_TEST_INSTANCE_OF(KEYWORD, LAYER<SCALAR, true>)
#define STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, LAYER, SCALAR)                            \
  STRATA_TEST_INSTANCE_OF(KEYWORD, LAYER<SCALAR>)                                         \
  STRATA_TEST_INSTANCE_OF(KEYWORD, LAYER<SCALAR, strata::Dynamic, strata::Dynamic, true>) \
  STRATA_TEST_INSTANCE_OF(KEYWORD, Bidirectional<strata::LAYER<SCALAR>>)                  \
  STRATA_TEST_INSTANCE_OF(                                                                \
      KEYWORD, Bidirectional<strata::LAYER<SCALAR, strata::Dynamic, strata::Dynamic, true>>)
#define STRATA_TEST_INSTANCES(KEYWORD, SCALAR)                 \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, LSTM, SCALAR)        \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, GRU, SCALAR)         \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, SimpleRNN, SCALAR)   \
  STRATA_TEST_INSTANCES_OF(KEYWORD, ResetBeforeGRU, SCALAR)    \
  STRATA_TEST_INSTANCES_OF(KEYWORD, ExtendedLSTM, SCALAR)      \
  STRATA_TEST_INSTANCES_OF(KEYWORD, CoupledLSTM, SCALAR)       \
  STRATA_TEST_INSTANCES_OF(KEYWORD, LayerNormLSTM, SCALAR)     \
  STRATA_TEST_INSTANCES_OF(KEYWORD, DeepTransitionRNN, SCALAR) \
  STRATA_TEST_INSTANCE_OF(KEYWORD, Dense<SCALAR>)

STRATA_TEST_INSTANCES(extern, float)
STRATA_TEST_INSTANCES(extern, double)
