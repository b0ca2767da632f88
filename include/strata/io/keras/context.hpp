#pragma once

#include <strata/io/keras/version.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// What the meaning of a layer's config depends on besides the config.
struct KerasContext {
  KerasVersion version = {};
  /// Whether layers may be stateful, since the caller keeps the state.
  bool stateful = false;
};

/// What flows from layer to layer while the layers of a model are read.
struct KerasFlow {
  /// 2 or 3.
  Index rank = 0;
  /// Whether a mask comes with the sequence.
  bool masked = false;
  /// Whether the layer that was read last returns its states beside its output.
  bool has_states = false;
};

}  // namespace strata::inline STRATA_RUNTIME::io
