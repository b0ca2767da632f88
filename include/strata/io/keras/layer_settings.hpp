#pragma once

#include <string>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Settings that layers of several classes have.

namespace strata::inline STRATA_RUNTIME::io {

/// A size from 1 to OptionReader::max_size.
[[nodiscard]] inline Index keras_size(ObjectReader& config, const char* key) {
  return config.integer(key, 1, OptionReader::max_size);
}

/// The weights come from the file, and penalties and constraints act in training alone.
inline void ignore_weight_rules(ObjectReader& config) {
  config.ignore({"kernel_initializer", "recurrent_initializer", "bias_initializer",
                 "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
                 "kernel_constraint", "recurrent_constraint", "bias_constraint"});
}

/// Throws FormatError unless the layer works along the last axis, that of the features.
inline void require_last_axis(ObjectReader& config, Index rank) {
  const Json* axis = config.find("axis");
  if (!axis) return;
  const Json& value = axis->is_array() && axis->size() == 1 ? (*axis)[0] : *axis;
  if (value != Json(-1) && value != Json(rank - 1)) {
    config.where("axis").expected("-1", axis->dump());
  }
}

/// Throws FormatError where a mask comes with the sequence: with it the layer would compute
/// something else than Keras does. `keras_does` says what.
inline void refuse_mask(const ObjectReader& config, bool masked, const std::string& keras_does) {
  if (!masked) return;
  config.where().refuse("stands behind a Masking or an Embedding with mask_zero, and in Keras " +
                        keras_does +
                        ", which strata does not; set the mask behind this layer, or "
                        "train without a mask");
}

/// Throws FormatError where Keras has no mask any more and strata has one.
inline void refuse_lost_mask(const ObjectReader& config, const KerasFlow& flow) {
  if (flow.mask_ends_at.empty()) return;
  config.where().refuse("stands behind a mask that ends at the layer " + flow.mask_ends_at +
                        " in Keras, and in strata does not; set the mask behind that layer, or "
                        "train without a mask");
}

}  // namespace strata::inline STRATA_RUNTIME::io
