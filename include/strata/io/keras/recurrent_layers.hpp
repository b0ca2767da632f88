#pragma once

#include <string>

#include <strata/contracts/description.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/keras/activation.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/layer_settings.hpp>
#include <strata/target.hpp>

// The configs of Keras' LSTM, GRU and SimpleRNN.

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline LayerDescription read_recurrent(const char* kind, ObjectReader& config,
                                                     KerasFlow& flow, const KerasContext& context) {
  LayerDescription description{kind};
  description.add("units", keras_size(config, "units"));
  const bool sequences = config.get<bool>("return_sequences");
  description.add("return_sequences", sequences);
  description.add("activation", read_cell_activation(config, "activation", context.version));
  description.add("use_bias", config.get<bool>("use_bias"));
  description.add("dropout", config.get<double>("dropout"));
  description.add("recurrent_dropout", config.get<double>("recurrent_dropout"));
  description.add("go_backwards", config.get<bool>("go_backwards"));
  // Keras 2 writes this setting only where it is true.
  description.add("zero_output_for_mask", config.get<bool>("zero_output_for_mask", false));
  config.require("time_major", false);
  const Json* const constants = config.find("num_constants");
  if (constants && !constants->is_null()) config.require("num_constants", 0);
  if (config.get<bool>("stateful", false) && !context.stateful) {
    config.where("stateful")
        .refuse(
            "expected false, found true: in strata the state belongs to the caller; read the model "
            "with load_keras(path, {.stateful = true}) and go on with predict(x, {.state = "
            "&state}) or a Stream");
  }
  // Three ways to compute the same outputs, and the seed of dropout in training.
  config.ignore({"unroll", "implementation", "use_cudnn", "seed"});
  ignore_weight_rules(config);
  flow.rank = sequences ? 3 : 2;
  flow.masked = flow.masked && sequences;
  flow.has_states = config.get<bool>("return_state", false);
  return description;
}

[[nodiscard]] inline LayerDescription read_lstm(ObjectReader& config, KerasFlow& flow,
                                                const KerasContext& context) {
  LayerDescription description = read_recurrent("LSTM", config, flow, context);
  description.add("recurrent_activation",
                  read_cell_activation(config, "recurrent_activation", context.version));
  description.add("unit_forget_bias", config.get<bool>("unit_forget_bias"));
  return description;
}

[[nodiscard]] inline LayerDescription read_gru(ObjectReader& config, KerasFlow& flow,
                                               const KerasContext& context) {
  // Keras 2.0 has no such setting, and multiplies by the reset gate before the product.
  const bool after = context.version.major < 3 ? config.get<bool>("reset_after", false)
                                               : config.get<bool>("reset_after");
  LayerDescription description =
      read_recurrent(after ? "GRU" : "ResetBeforeGRU", config, flow, context);
  description.add("recurrent_activation",
                  read_cell_activation(config, "recurrent_activation", context.version));
  return description;
}

[[nodiscard]] inline LayerDescription read_simple_rnn(ObjectReader& config, KerasFlow& flow,
                                                      const KerasContext& context) {
  return read_recurrent("SimpleRNN", config, flow, context);
}

}  // namespace strata::inline STRATA_RUNTIME::io
