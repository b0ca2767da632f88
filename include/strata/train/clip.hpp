#pragma once

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Limits of gradients: Keras' clipvalue, clipnorm and global_clipnorm. 0, the default of each,
/// means no limit, and at most one may be set. Recurrent networks, whose gradients explode at
/// times, are usually given global_norm = 1, which keeps the gradient's direction (Pascanu, Mikolov
/// & Bengio 2013).
///
///   Adam{.clip = {.global_norm = 1}}
struct Clip {
  double value = 0;        ///< of each number's size
  double norm = 0;         ///< of the Euclidean norm of each parameter's gradient
  double global_norm = 0;  ///< of the Euclidean norm of all gradients together
};

}  // namespace strata::inline STRATA_RUNTIME
