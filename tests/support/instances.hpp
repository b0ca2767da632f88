#pragma once

#include <strata/strata.hpp>

// The layers that many tests use, and the kernels that layers of fixed sizes share with them, are
// compiled once, in instances_*.cpp, and not in every file. All files of the test program
// include this one first.

#define STRATA_TEST_KERNEL(KEYWORD, ...) \
  KEYWORD template decltype(strata::detail::__VA_ARGS__) strata::detail::__VA_ARGS__;
#define STRATA_TEST_TILES(KEYWORD, SCALAR, VECTORS)     \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 1>) \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 2>) \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 3>) \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 4>) \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 5>) \
  STRATA_TEST_KERNEL(KEYWORD, tile<SCALAR, VECTORS, 6>)
#define STRATA_TEST_GATES(KEYWORD, ...)                            \
  STRATA_TEST_KERNEL(KEYWORD, gates_of_inputs<__VA_ARGS__>)        \
  STRATA_TEST_KERNEL(KEYWORD, gates_to_previous<__VA_ARGS__>)      \
  STRATA_TEST_KERNEL(KEYWORD, gates_input_derivative<__VA_ARGS__>) \
  STRATA_TEST_KERNEL(KEYWORD, gates_gradients<__VA_ARGS__>)
#define STRATA_TEST_EQUATIONS(KEYWORD, ...)                      \
  STRATA_TEST_KERNEL(KEYWORD, gates_forward<false, __VA_ARGS__>) \
  STRATA_TEST_KERNEL(KEYWORD, gates_forward<true, __VA_ARGS__>)  \
  STRATA_TEST_KERNEL(KEYWORD, gates_backward_step<__VA_ARGS__>)  \
  STRATA_TEST_KERNEL(KEYWORD, gates_recurrent_step<__VA_ARGS__>)
#define STRATA_TEST_STEP(KEYWORD, PANELS, SCALAR, ...)                                        \
  STRATA_TEST_KERNEL(KEYWORD, gates_step_by<PANELS, strata::Dynamic, strata::Dynamic, SCALAR, \
                                            __VA_ARGS__, strata::detail::StepOutput<SCALAR>>)
#define STRATA_TEST_KERNELS(KEYWORD, SCALAR, GATES, EQUATIONS)                        \
  STRATA_TEST_GATES(KEYWORD, SCALAR, strata::detail::GATES)                           \
  STRATA_TEST_EQUATIONS(KEYWORD, SCALAR, strata::detail::GATES,                       \
                        strata::detail::EQUATIONS<strata::detail::ChosenActivations>) \
  STRATA_TEST_EQUATIONS(KEYWORD, SCALAR, strata::detail::GATES,                       \
                        strata::detail::EQUATIONS<strata::detail::StandardActivations>)
#define STRATA_TEST_STREAMED_KERNELS(KEYWORD, SCALAR, GATES, EQUATIONS)            \
  STRATA_TEST_KERNELS(KEYWORD, SCALAR, GATES, EQUATIONS)                           \
  STRATA_TEST_STEP(KEYWORD, 1, SCALAR, strata::detail::GATES,                      \
                   strata::detail::EQUATIONS<strata::detail::ChosenActivations>)   \
  STRATA_TEST_STEP(KEYWORD, 1, SCALAR, strata::detail::GATES,                      \
                   strata::detail::EQUATIONS<strata::detail::StandardActivations>) \
  STRATA_TEST_STEP(KEYWORD, 2, SCALAR, strata::detail::GATES,                      \
                   strata::detail::EQUATIONS<strata::detail::StandardActivations>)

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
#define STRATA_TEST_INSTANCES(KEYWORD, SCALAR)                                      \
  STRATA_TEST_TILES(KEYWORD, SCALAR, 1)                                             \
  STRATA_TEST_TILES(KEYWORD, SCALAR, 2)                                             \
  STRATA_TEST_STREAMED_KERNELS(KEYWORD, SCALAR, LSTMGateSet, LSTMEquations)         \
  STRATA_TEST_STREAMED_KERNELS(KEYWORD, SCALAR, GRUGates, GRUEquations)             \
  STRATA_TEST_STREAMED_KERNELS(KEYWORD, SCALAR, SimpleRNNGates, SimpleRNNEquations) \
  STRATA_TEST_KERNELS(KEYWORD, SCALAR, PeepholeGates, PeepholeEquations)            \
  STRATA_TEST_KERNELS(KEYWORD, SCALAR, CoupledGates, CoupledEquations)              \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, LSTM, SCALAR)                             \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, GRU, SCALAR)                              \
  STRATA_TEST_SIZED_INSTANCES_OF(KEYWORD, SimpleRNN, SCALAR)                        \
  STRATA_TEST_INSTANCES_OF(KEYWORD, ResetBeforeGRU, SCALAR)                         \
  STRATA_TEST_INSTANCES_OF(KEYWORD, ExtendedLSTM, SCALAR)                           \
  STRATA_TEST_INSTANCES_OF(KEYWORD, CoupledLSTM, SCALAR)                            \
  STRATA_TEST_INSTANCES_OF(KEYWORD, LayerNormLSTM, SCALAR)                          \
  STRATA_TEST_INSTANCES_OF(KEYWORD, DeepTransitionRNN, SCALAR)                      \
  STRATA_TEST_INSTANCES_OF(KEYWORD, WindowLSTM, SCALAR)                             \
  STRATA_TEST_INSTANCE_OF(KEYWORD, Dense<SCALAR>)

STRATA_TEST_INSTANCES(extern, float)
STRATA_TEST_INSTANCES(extern, double)
