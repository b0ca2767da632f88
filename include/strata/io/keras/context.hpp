#pragma once

#include <string>

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
  /// Whether strata has a mask for the sequence.
  bool masked = false;
  /// The layer behind which Keras has no mask where strata still has one; empty where there is
  /// none.
  std::string mask_ends_at = {};
  /// Whether the layer that was read last returns its states beside its output.
  bool has_states = false;
  /// Whether the layer is within a TimeDistributed, and whether that has a mask.
  bool is_of_one_step = false;
  bool is_of_masked_steps = false;
  /// Before a Reshape, the shape of what comes to it, as far as it is known.
  Shape shape = {};

  /// What flows from layer to layer within a TimeDistributed.
  [[nodiscard]] KerasFlow of_one_step() const {
    KerasFlow step{rank - 1};
    step.is_of_one_step = true;
    step.is_of_masked_steps = masked && mask_ends_at.empty();
    return step;
  }

  /// Remembers that Keras has no mask behind this layer.
  void lose_mask(const std::string& layer) {
    if (masked && mask_ends_at.empty()) mask_ends_at = layer;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
